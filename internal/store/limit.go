package store

import (
	"context"
	"database/sql"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	entflag "github.com/acquaint/acquaint/ent/flag"
	entinvitation "github.com/acquaint/acquaint/ent/invitation"
	"github.com/acquaint/acquaint/ent/predicate"
	"github.com/acquaint/acquaint/ent/schema"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
)

// Standing implements network.Tx, in one statement, as every invite asks it.
func (t *tx) Standing(ctx context.Context, sender, recipient id.Member, since time.Time) (network.Standing, error) {
	s, r := uuid.UUID(sender), uuid.UUID(recipient)
	b := statement(t.dialect)
	b.WriteString("SELECT m.erased_at, m.who_can_invite, m.email, bar.declined_at, bar.withdrawn_at, res.restricted_until,").
		WriteString(" (SELECT COUNT(*) FROM connections WHERE owner_id = ").Arg(s).WriteString(" AND peer_id = ").Arg(r).WriteString("),").
		WriteString(" (SELECT COUNT(*) FROM blocks WHERE blocker_id = ").Arg(s).WriteString(" AND blocked_id = ").Arg(r).WriteString(") +").
		WriteString(" (SELECT COUNT(*) FROM blocks WHERE blocker_id = ").Arg(r).WriteString(" AND blocked_id = ").Arg(s).WriteString("),").
		WriteString(" (SELECT COUNT(*) FROM invitations WHERE sender_id = ").Arg(s).WriteString(" AND sent_at > ").Arg(since).WriteString("),").
		WriteString(" (SELECT COUNT(*) FROM invitations WHERE sender_id = ").Arg(s).WriteString(" AND " + schema.OpenStates + ")").
		WriteString(" FROM members m LEFT JOIN reinvite_bars bar ON bar.sender_id = ").Arg(s).WriteString(" AND bar.recipient_id = m.id").
		WriteString(" LEFT JOIN restrictions res ON res.member_id = ").Arg(s).
		WriteString(" WHERE m.id = ").Arg(r)
	query, args := b.Query()
	var (
		standing                              network.Standing
		erased, declined, withdrawn, until    *time.Time
		email                                 *string
		connections, blocks, inWindow, opened int
	)
	found, err := scanOne(ctx, t.client, query, args, &erased, &standing.Audience, &email, &declined, &withdrawn, &until,
		&connections, &blocks, &inWindow, &opened)
	if err != nil {
		return standing, err
	}
	standing.Gone = !found || erased != nil
	standing.Blocked, standing.Connected = blocks > 0, connections > 0
	standing.Bar = network.Bar{DeclinedAt: timeOf(declined), WithdrawnAt: timeOf(withdrawn)}
	standing.Email, standing.RestrictedUntil = textOf(email), timeOf(until)
	standing.InWindow, standing.Open = inWindow, opened
	return standing, nil
}

// HaveMutual implements network.Tx.
func (t *tx) HaveMutual(ctx context.Context, a, c id.Member) (bool, error) {
	b := statement(t.dialect)
	b.WriteString("SELECT 1").WriteString(mutualOf).Arg(uuid.UUID(a)).
		WriteString(" AND mine.owner_id = ").Arg(uuid.UUID(c)).WriteString(" LIMIT 1")
	query, args := b.Query()
	var one int
	return scanOne(ctx, t.client, query, args, &one)
}

// Usage implements network.Tx.
func (t *tx) Usage(ctx context.Context, sender id.Member, since time.Time, nth, nthOpen int) (network.Usage, error) {
	return usage(ctx, t.client, sender, since, nth, nthOpen)
}

// Usage implements network.Store.
func (s *Store) Usage(ctx context.Context, sender id.Member, since time.Time, nth, nthOpen int) (network.Usage, error) {
	return usage(ctx, s.client, sender, since, nth, nthOpen)
}

func usage(ctx context.Context, client *ent.Client, sender id.Member, since time.Time, nth, nthOpen int) (network.Usage, error) {
	var u network.Usage
	all := entinvitation.SenderID(uuid.UUID(sender))
	inWindow, open := entinvitation.And(all, entinvitation.SentAtGT(since)), entinvitation.And(all, isOpen)
	var err error
	if u.InWindow, err = client.Invitation.Query().Where(inWindow).Count(ctx); err != nil {
		return u, err
	}
	if u.Open, err = client.Invitation.Query().Where(open).Count(ctx); err != nil {
		return u, err
	}
	if u.Oldest, err = sentAt(ctx, client, inWindow, u.InWindow); err != nil {
		return u, err
	}
	if u.OldestOpen, err = sentAt(ctx, client, open, u.Open); err != nil {
		return u, err
	}
	if u.Nth, err = sentAt(ctx, client, all, nth); err != nil {
		return u, err
	}
	if u.NthOpen, err = sentAt(ctx, client, open, nthOpen); err != nil {
		return u, err
	}
	row, err := client.Restriction.Get(ctx, uuid.UUID(sender))
	if ent.IsNotFound(err) {
		return u, nil
	}
	if err == nil {
		u.Restriction = toRestriction(row)
	}
	return u, err
}

// sentAt is when the nth newest of some invitations was sent, counted from 1; zero where there are fewer.
func sentAt(ctx context.Context, client *ent.Client, which predicate.Invitation, nth int) (time.Time, error) {
	if nth < 1 {
		return time.Time{}, nil
	}
	row, err := client.Invitation.Query().Where(which).
		Order(entinvitation.BySentAt(entsql.OrderDesc())).Offset(nth - 1).Select(entinvitation.FieldSentAt).First(ctx)
	if ent.IsNotFound(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return row.SentAt.UTC(), nil
}

// DueToExpire implements network.Store.
func (s *Store) DueToExpire(ctx context.Context, sent time.Time, after *network.InvitationPosition, limit int) ([]network.InvitationPosition, error) {
	query := s.client.Invitation.Query().Where(entinvitation.SentAtLTE(sent), isOpen)
	if after != nil {
		query.Where(func(sel *entsql.Selector) {
			sel.Where(entsql.CompositeGT([]string{sel.C(entinvitation.FieldSentAt), sel.C(entinvitation.FieldID)}, after.At, uuid.UUID(after.ID)))
		})
	}
	rows, err := query.Order(entinvitation.BySentAt(), entinvitation.ByID()).Limit(limit).
		Select(entinvitation.FieldID, entinvitation.FieldSentAt).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]network.InvitationPosition, len(rows))
	for i, row := range rows {
		out[i] = network.InvitationPosition{At: row.SentAt.UTC(), ID: id.Invitation(row.ID)}
	}
	return out, nil
}

// Flag implements network.Tx.
func (t *tx) Flag(ctx context.Context, recipient, sender id.Member, at time.Time) error {
	return t.client.Flag.Create().SetRecipientID(uuid.UUID(recipient)).SetSenderID(uuid.UUID(sender)).SetFlaggedAt(at).
		OnConflictColumns(entflag.FieldRecipientID, entflag.FieldSenderID).UpdateFlaggedAt().Exec(ctx)
}

// FlagCount implements network.Tx.
func (t *tx) FlagCount(ctx context.Context, sender id.Member, since, until time.Time) (network.FlagCount, error) {
	counts, err := flagCounts(ctx, t.client, t.dialect, since, until, func(b *entsql.Builder, column string) {
		b.WriteString(column + " = ").Arg(uuid.UUID(sender))
	}, 1)
	if err != nil || len(counts) == 0 {
		return network.FlagCount{Sender: sender}, err
	}
	return counts[0], nil
}

// FlagCounts implements network.Store.
func (s *Store) FlagCounts(ctx context.Context, since, until time.Time, after id.Member, limit int) ([]network.FlagCount, error) {
	return flagCounts(ctx, s.client, s.dialect, since, until, func(b *entsql.Builder, column string) {
		b.WriteString(column + " > ").Arg(uuid.UUID(after))
	}, limit)
}

// flagCounts gives the flags that count against the senders that where names, and against those who were warned.
func flagCounts(ctx context.Context, client *ent.Client, dialect string, since, until time.Time,
	where func(b *entsql.Builder, column string), limit int,
) ([]network.FlagCount, error) {
	b := statement(dialect)
	b.WriteString("SELECT who.sender_id, f.flagged_at, r.warned, r.restricted_until, r.restricted_at FROM (").
		WriteString("SELECT sender_id FROM (SELECT DISTINCT sender_id FROM flags WHERE flagged_at > ").Arg(since).
		WriteString(" AND flagged_at <= ").Arg(until).WriteString(" AND ")
	where(b, "sender_id")
	b.WriteString(" ORDER BY sender_id LIMIT ").Arg(limit).
		WriteString(") flagged UNION SELECT member_id FROM (SELECT member_id FROM restrictions WHERE warned AND ")
	where(b, "member_id")
	b.WriteString(" ORDER BY member_id LIMIT ").Arg(limit).WriteString(") warned ORDER BY 1 LIMIT ").Arg(limit).
		WriteString(") who LEFT JOIN flags f ON f.sender_id = who.sender_id AND f.flagged_at > ").Arg(since).
		WriteString(" AND f.flagged_at <= ").Arg(until).
		WriteString(" LEFT JOIN restrictions r ON r.member_id = who.sender_id ORDER BY who.sender_id")
	query, args := b.Query()
	var out []network.FlagCount
	// Aggregates of times come back from SQLite as texts, so the flags are counted here: a page of senders has few.
	err := scanAll(ctx, client, query, args, func(rows *sql.Rows) error {
		var (
			sender                     uuid.UUID
			flagged, until, restricted *time.Time
			warned                     *bool
		)
		if err := rows.Scan(&sender, &flagged, &warned, &until, &restricted); err != nil {
			return err
		}
		if len(out) == 0 || out[len(out)-1].Sender != id.Member(sender) {
			out = append(out, network.FlagCount{Sender: id.Member(sender), Before: network.Restriction{
				Warned: warned != nil && *warned, Until: timeOf(until), Since: timeOf(restricted),
			}})
		}
		last := &out[len(out)-1]
		if flagged != nil {
			last.Count++
			if at := flagged.UTC(); at.After(last.Newest) {
				last.Newest = at
			}
		}
		return nil
	})
	return out, err
}

// Restrict implements network.Tx.
func (t *tx) Restrict(ctx context.Context, sender id.Member, r network.Restriction) error {
	return t.client.Restriction.Create().SetID(uuid.UUID(sender)).SetWarned(r.Warned).
		SetNillableRestrictedUntil(optionalTime(r.Until)).SetNillableRestrictedAt(optionalTime(r.Since)).
		OnConflictColumns("member_id").Update(func(u *ent.RestrictionUpsert) {
		u.UpdateWarned().UpdateRestrictedUntil().UpdateRestrictedAt()
	}).Exec(ctx)
}

// Restrict implements network.Store.
func (s *Store) Restrict(ctx context.Context, sender id.Member, r network.Restriction) error {
	return s.write(ctx, func(t *tx) error { return t.Restrict(ctx, sender, r) })
}

func toRestriction(row *ent.Restriction) network.Restriction {
	return network.Restriction{Warned: row.Warned, Until: timeOf(row.RestrictedUntil), Since: timeOf(row.RestrictedAt)}
}
