package store

import (
	"context"
	"database/sql"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	entinvitation "github.com/acquaint/acquaint/ent/invitation"
	"github.com/acquaint/acquaint/ent/schema"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/message"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
)

// Messages is the tables as package message asks for them.
type Messages struct{ *Store }

// Transact implements message.Store.
func (m Messages) Transact(ctx context.Context, do func(ctx context.Context, tx message.Tx) error) ([]notification.Hint, error) {
	return m.writeLogs(ctx, func(t *tx) error { return do(ctx, t) })
}

// MessageStanding implements message.Tx.
func (t *tx) MessageStanding(ctx context.Context, writer, other id.Member) (message.Standing, error) {
	found, err := standings(ctx, t.client, t.dialect, writer, []id.Member{other})
	if err != nil {
		return message.Standing{}, err
	}
	standing, ok := found[other]
	if !ok {
		standing.Gone = true
	}
	return standing, nil
}

// Standings implements message.Store.
func (m Messages) Standings(ctx context.Context, member id.Member, others []id.Member) (map[id.Member]message.Standing, error) {
	return standings(ctx, m.client, m.dialect, member, others)
}

// standings is one statement, as it is asked for every message that is sent. Each look in it is by a key.
func standings(ctx context.Context, client *ent.Client, dialect string, member id.Member, others []id.Member) (map[id.Member]message.Standing, error) {
	self := uuid.UUID(member)
	b := statement(dialect)
	b.WriteString("SELECT other.id, CASE WHEN other.erased_at IS NULL THEN 0 ELSE 1 END,").
		WriteString(" (SELECT COUNT(*) FROM connections c WHERE c.peer_id = other.id AND c.owner_id = ").Arg(self).WriteString("),").
		WriteString(" (SELECT COUNT(*) FROM blocks b WHERE b.blocked_id = other.id AND b.blocker_id = ").Arg(self).WriteString(") +").
		WriteString(" (SELECT COUNT(*) FROM blocks b WHERE b.blocker_id = other.id AND b.blocked_id = ").Arg(self).WriteString("),").
		WriteString(" i.id, i.sender_id, i.state, i.conversation_id FROM members other LEFT JOIN invitations i").
		WriteString(" ON i.pair_lo = CASE WHEN other.id < ").Arg(self).WriteString(" THEN other.id ELSE ").Arg(self).WriteString(" END").
		WriteString(" AND i.pair_hi = CASE WHEN other.id < ").Arg(self).WriteString(" THEN ").Arg(self).WriteString(" ELSE other.id END").
		WriteString(" AND i." + schema.OpenStates + " WHERE other.id IN (")
	for i, other := range others {
		if i > 0 {
			b.Comma()
		}
		b.Arg(uuid.UUID(other))
	}
	b.WriteString(")")
	query, args := b.Query()
	out := make(map[id.Member]message.Standing, len(others))
	err := scanAll(ctx, client, query, args, func(rows *sql.Rows) error {
		var (
			other                            uuid.UUID
			gone, connected, blocked         int
			invitation, sender, conversation uuid.NullUUID
			state                            sql.NullString
		)
		if err := rows.Scan(&other, &gone, &connected, &blocked, &invitation, &sender, &state, &conversation); err != nil {
			return err
		}
		standing := message.Standing{Gone: gone > 0, Connected: connected > 0, Blocked: blocked > 0}
		if invitation.Valid {
			standing.Open = &message.OpenInvitation{
				ID: id.Invitation(invitation.UUID), Sender: id.Member(sender.UUID),
				Pending: state.String == string(network.Pending), Conversation: id.Conversation(conversation.UUID),
			}
		}
		out[id.Member(other)] = standing
		return nil
	})
	return out, err
}

// MessageByKey implements message.Tx.
func (t *tx) MessageByKey(ctx context.Context, sender id.Member, key string) (message.Message, id.Member, error) {
	b := statement(t.dialect)
	b.WriteString("SELECT " + messageColumns + ", p.other_id FROM messages m").
		WriteString(" JOIN participants p ON p.member_id = m.sender_id AND p.conversation_id = m.conversation_id").
		WriteString(" WHERE m.sender_id = ").Arg(uuid.UUID(sender)).WriteString(" AND m.client_key = ").Arg(key)
	query, args := b.Query()
	var (
		found message.Message
		to    id.Member
		err   = message.ErrNotFound
	)
	failed := scanAll(ctx, t.client, query, args, func(rows *sql.Rows) error {
		var other uuid.UUID
		found, err = scanMessage(rows, &other)
		to = id.Member(other)
		return err
	})
	if failed != nil {
		err = failed
	}
	return found, to, err
}

// WriteMessage implements message.Tx. Whoever sends has locked both members, so that the numbers are in the order of the
// commits.
func (t *tx) WriteMessage(ctx context.Context, m message.Message, to id.Member, key string, fresh id.Conversation) (message.Message, error) {
	lo, hi := pair(m.Sender, to)
	b := statement(t.dialect)
	b.WriteString("INSERT INTO conversations (id, pair_lo, pair_hi, last_number) VALUES (").
		Arg(uuid.UUID(fresh)).Comma().Arg(lo).Comma().Arg(hi).WriteString(", 1)").
		WriteString(" ON CONFLICT (pair_lo, pair_hi) DO UPDATE SET last_number = conversations.last_number + 1 RETURNING id, last_number")
	query, args := b.Query()
	var conversation uuid.UUID
	if _, err := scanOne(ctx, t.client, query, args, &conversation, &m.Number); err != nil {
		return m, err
	}
	m.Conversation = id.Conversation(conversation)

	b = statement(t.dialect)
	b.WriteString("INSERT INTO participants (member_id, conversation_id, other_id, last_message_at, read_through) VALUES (").
		Arg(uuid.UUID(m.Sender)).Comma().Arg(conversation).Comma().Arg(uuid.UUID(to)).Comma().Arg(m.SentAt).Comma().Arg(m.Number).
		WriteString("), (").
		Arg(uuid.UUID(to)).Comma().Arg(conversation).Comma().Arg(uuid.UUID(m.Sender)).Comma().Arg(m.SentAt).WriteString(", 0)").
		WriteString(" ON CONFLICT (member_id, conversation_id) DO UPDATE SET last_message_at = excluded.last_message_at,").
		WriteString(" read_through = CASE WHEN excluded.read_through > 0 THEN excluded.read_through ELSE participants.read_through END")
	query, args = b.Query()
	if _, err := t.client.ExecContext(ctx, query, args...); err != nil {
		return m, err
	}
	return m, t.client.Message.Create().
		SetID(uuid.UUID(m.ID)).SetConversationID(conversation).SetNumber(m.Number).SetSenderID(uuid.UUID(m.Sender)).
		SetBody(m.Body).SetNillableClientKey(optionalText(key)).SetSentAt(m.SentAt).Exec(ctx)
}

// LinkConversation implements message.Tx.
func (t *tx) LinkConversation(ctx context.Context, invitation id.Invitation, conversation id.Conversation) error {
	return t.client.Invitation.Update().Where(entinvitation.ID(uuid.UUID(invitation))).
		SetConversationID(uuid.UUID(conversation)).Exec(ctx)
}

// messageColumns are what scanMessage reads, of messages m.
const messageColumns = "m.id, m.conversation_id, m.number, m.sender_id, m.body, m.sent_at"

// scanMessage reads a message, and what further columns the query has.
func scanMessage(rows *sql.Rows, further ...any) (message.Message, error) {
	var row ent.Message
	into := append([]any{&row.ID, &row.ConversationID, &row.Number, &row.SenderID, &row.Body, &row.SentAt}, further...)
	if err := rows.Scan(into...); err != nil {
		return message.Message{}, err
	}
	return message.Message{
		ID: id.Message(row.ID), Conversation: id.Conversation(row.ConversationID), Number: row.Number,
		Sender: id.Member(row.SenderID), Body: row.Body, SentAt: row.SentAt.UTC(),
	}, nil
}

// Messages implements message.Store. It is one statement with a limited part for each page, each read from the index.
func (m Messages) Messages(ctx context.Context, parts []message.Part) (map[message.Part][]message.Message, error) {
	out := make(map[message.Part][]message.Message, len(parts))
	if len(parts) == 0 {
		return out, nil
	}
	b := statement(m.dialect)
	for i, part := range parts {
		if i > 0 {
			b.WriteString(" UNION ALL ")
		}
		b.WriteString("SELECT * FROM (SELECT " + messageColumns + ", " + strconv.Itoa(i) + " FROM messages m WHERE m.conversation_id = ").
			Arg(uuid.UUID(part.Conversation))
		if part.After > 0 {
			b.WriteString(" AND m.number < ").Arg(part.After)
		}
		if part.Before > 0 {
			b.WriteString(" AND m.number > ").Arg(part.Before)
		}
		order := " DESC"
		if part.Backward {
			order = " ASC"
		}
		b.WriteString(" ORDER BY m.number" + order + " LIMIT ").Arg(part.Limit).WriteString(") page")
	}
	query, args := b.Query()
	err := scanAll(ctx, m.client, query, args, func(rows *sql.Rows) error {
		var part int
		found, err := scanMessage(rows, &part)
		if err == nil {
			out[parts[part]] = append(out[parts[part]], found)
		}
		return err
	})
	for _, list := range out { // a part of a union is in no order that is promised, and a page backward in the other one
		slices.SortFunc(list, func(a, b message.Message) int { return int(b.Number - a.Number) })
	}
	return out, err
}

// MessagesByID implements message.Store.
func (m Messages) MessagesByID(ctx context.Context, member id.Member, ids []id.Message) ([]message.Message, error) {
	b := statement(m.dialect)
	b.WriteString("SELECT " + messageColumns + " FROM messages m").
		WriteString(" JOIN participants p ON p.conversation_id = m.conversation_id AND p.member_id = ").Arg(uuid.UUID(member)).
		WriteString(" WHERE m.id IN (")
	for i, one := range ids {
		if i > 0 {
			b.Comma()
		}
		b.Arg(uuid.UUID(one))
	}
	unblocked(b.WriteString(") AND "), member)
	query, args := b.Query()
	var out []message.Message
	err := scanAll(ctx, m.client, query, args, func(rows *sql.Rows) error {
		found, err := scanMessage(rows)
		out = append(out, found)
		return err
	})
	return out, err
}
