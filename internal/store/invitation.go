package store

import (
	"context"
	"database/sql"
	"errors"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	entinvitation "github.com/acquaint/acquaint/ent/invitation"
	"github.com/acquaint/acquaint/ent/predicate"
	"github.com/acquaint/acquaint/ent/schema"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
)

// isOpen is the condition of the partial indexes, to the letter: with a bound value the planner could not use them.
func isOpen(s *entsql.Selector) { s.Where(entsql.ExprP(schema.OpenStates)) }

// InsertInvitation implements network.Tx.
func (t *tx) InsertInvitation(ctx context.Context, inv network.Invitation) (bool, error) {
	lo, hi := pair(inv.Sender, inv.Recipient)
	err := t.client.Invitation.Create().
		SetID(uuid.UUID(inv.ID)).SetSenderID(uuid.UUID(inv.Sender)).SetRecipientID(uuid.UUID(inv.Recipient)).
		SetPairLo(lo).SetPairHi(hi).SetState(string(inv.State)).SetAcquaintance(string(inv.Acquaintance)).
		SetNillableNote(optionalText(inv.Note)).SetSentAt(inv.SentAt).SetListedAt(inv.ListedAt).
		OnConflict(
			entsql.ConflictColumns(entinvitation.FieldPairLo, entinvitation.FieldPairHi),
			entsql.ConflictWhere(entsql.ExprP(schema.OpenStates)),
			entsql.DoNothing(),
		).Exec(ctx)
	if errors.Is(err, sql.ErrNoRows) { // what ent makes of DO NOTHING having done nothing
		return false, nil
	}
	return err == nil, err
}

// OpenInvitation implements network.Tx.
func (t *tx) OpenInvitation(ctx context.Context, a, b id.Member) (network.Invitation, error) {
	lo, hi := pair(a, b)
	return invitationOf(t.client.Invitation.Query().
		Where(entinvitation.PairLo(lo), entinvitation.PairHi(hi), isOpen).Only(ctx))
}

// Invitation implements network.Tx.
func (t *tx) Invitation(ctx context.Context, invitation id.Invitation) (network.Invitation, error) {
	return invitationOf(t.client.Invitation.Query().Where(entinvitation.ID(uuid.UUID(invitation))).Only(ctx))
}

// ReplaceInvitation implements network.Tx.
func (t *tx) ReplaceInvitation(ctx context.Context, before, after network.Invitation) error {
	n, err := t.client.Invitation.Update().
		Where(entinvitation.ID(uuid.UUID(before.ID)),
			entinvitation.State(string(before.State)), entinvitation.Flagged(before.Flagged),
			entinvitation.Reminders(before.Reminders)).
		SetState(string(after.State)).SetFlagged(after.Flagged).SetNillableAcceptedAt(optionalTime(after.AcceptedAt)).
		SetReminders(after.Reminders).SetNillableRemindedAt(optionalTime(after.RemindedAt)).SetListedAt(after.ListedAt).
		SetNillableConversationID(optionalID(after.Conversation)).
		Save(ctx)
	if err != nil {
		return err
	}
	if n == 0 {
		return network.ErrStale
	}
	return nil
}

// InvitationsByID implements network.Store.
func (s *Store) InvitationsByID(ctx context.Context, ids []id.Invitation) ([]network.Invitation, error) {
	b := statement(s.dialect)
	b.WriteString("SELECT " + invitationColumns + " FROM invitations i WHERE ")
	writeAmong(b, "i.id", uuids(ids))
	b.WriteString(" AND " + notBlocked)
	query, args := b.Query()
	out := make([]network.Invitation, 0, len(ids))
	var row invitationRow
	columns := row.columns()
	err := scanAll(ctx, s.client, query, args, func(rows *sql.Rows) error {
		if err := rows.Scan(columns...); err != nil {
			return err
		}
		out = append(out, row.invitation())
		return nil
	})
	return out, err
}

// notBlocked is the condition that neither side of an invitation i has blocked the other. A block closes what is open.
const notBlocked = "(i." + schema.OpenStates + ` OR NOT EXISTS (SELECT 1 FROM blocks
	WHERE blocker_id = i.sender_id AND blocked_id = i.recipient_id OR blocker_id = i.recipient_id AND blocked_id = i.sender_id))`

// received is the condition that an invitation is in a member's inbox or archive.
func received(member id.Member, state network.State) predicate.Invitation {
	return entinvitation.And(
		entinvitation.RecipientID(uuid.UUID(member)), entinvitation.State(string(state)), isOpen)
}

// sent is the condition that an invitation of a member's is open.
func sent(member id.Member) predicate.Invitation {
	return entinvitation.And(entinvitation.SenderID(uuid.UUID(member)), isOpen)
}

// Received implements network.Store.
func (s *Store) Received(ctx context.Context, member id.Member, state network.State, page network.InvitationPage) ([]network.Invitation, bool, error) {
	return s.invitationPage(ctx, received(member, state), entinvitation.FieldListedAt, page)
}

// CountReceived implements network.Store.
func (s *Store) CountReceived(ctx context.Context, member id.Member, state network.State) (int, error) {
	return s.client.Invitation.Query().Where(received(member, state)).Count(ctx)
}

// Sent implements network.Store.
func (s *Store) Sent(ctx context.Context, member id.Member, page network.InvitationPage) ([]network.Invitation, bool, error) {
	return s.invitationPage(ctx, sent(member), entinvitation.FieldSentAt, page)
}

// CountSent implements network.Store.
func (s *Store) CountSent(ctx context.Context, member id.Member) (int, error) {
	return s.client.Invitation.Query().Where(sent(member)).Count(ctx)
}

// invitationPage reads a page in the order of a time, newest first.
func (s *Store) invitationPage(ctx context.Context, which predicate.Invitation, by string, page network.InvitationPage) ([]network.Invitation, bool, error) {
	query := s.client.Invitation.Query().Where(which)
	if page.After != nil {
		query.Where(func(sel *entsql.Selector) {
			sel.Where(entsql.CompositeLT([]string{sel.C(by), sel.C(entinvitation.FieldID)},
				page.After.At, uuid.UUID(page.After.ID)))
		})
	}
	list, err := invitations(query.
		Order(entsql.OrderByField(by, entsql.OrderDesc()).ToFunc(), upTo(page.Limit+1, entinvitation.FieldID, newestFirst)).All(ctx))
	list, more := cut(list, page.Limit)
	return list, more, err
}

func invitationOf(row *ent.Invitation, err error) (network.Invitation, error) {
	if ent.IsNotFound(err) {
		return network.Invitation{}, network.ErrNotFound
	}
	if err != nil {
		return network.Invitation{}, err
	}
	return toInvitation(row), nil
}

func invitations(rows []*ent.Invitation, err error) ([]network.Invitation, error) {
	if err != nil {
		return nil, err
	}
	out := make([]network.Invitation, len(rows))
	for i, row := range rows {
		out[i] = toInvitation(row)
	}
	return out, nil
}

func toInvitation(row *ent.Invitation) network.Invitation {
	inv := network.Invitation{
		ID: id.Invitation(row.ID), Sender: id.Member(row.SenderID), Recipient: id.Member(row.RecipientID),
		Note: textOf(row.Note), Acquaintance: network.Acquaintance(row.Acquaintance),
		State: network.State(row.State), Flagged: row.Flagged,
		SentAt: row.SentAt.UTC(), AcceptedAt: timeOf(row.AcceptedAt),
		Reminders: row.Reminders, RemindedAt: timeOf(row.RemindedAt), ListedAt: timeOf(row.ListedAt),
	}
	if row.ConversationID != nil {
		inv.Conversation = id.Conversation(*row.ConversationID)
	}
	return inv
}

// cut takes the one row that was read beyond the page, which tells that there are more.
func cut[T any](list []T, limit int) ([]T, bool) {
	if len(list) > limit {
		return list[:limit], true
	}
	return list, false
}
