package store

import (
	"context"
	"database/sql"
	"slices"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	entparticipant "github.com/acquaint/acquaint/ent/participant"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/message"
)

// unblocked writes the condition that neither a member nor the other of a participant p has blocked the other.
func unblocked(b *entsql.Builder, member id.Member) *entsql.Builder {
	return b.WriteString("NOT EXISTS (SELECT 1 FROM blocks b WHERE b.blocked_id = p.other_id AND b.blocker_id = ").Arg(uuid.UUID(member)).
		WriteString(") AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.blocker_id = p.other_id AND b.blocked_id = ").Arg(uuid.UUID(member)).
		WriteString(")")
}

// selectConversations begins a query of a member's conversations; blocked, when asked for, is one of its columns.
func selectConversations(dialect string, member id.Member, blocked bool) *entsql.Builder {
	b := statement(dialect)
	b.WriteString("SELECT p.conversation_id, p.other_id, p.last_message_at, p.read_through, c.last_number, ")
	if blocked {
		unblocked(b.WriteString("CASE WHEN "), member).WriteString(" THEN 0 ELSE 1 END")
	} else {
		b.WriteString("0")
	}
	return b.WriteString(" FROM participants p JOIN conversations c ON c.id = p.conversation_id WHERE p.member_id = ").Arg(uuid.UUID(member))
}

// Conversations implements message.Store.
func (m Messages) Conversations(ctx context.Context, member id.Member, page message.ConversationPage) ([]message.Conversation, bool, error) {
	b := selectConversations(m.dialect, member, false)
	unblocked(b.WriteString(" AND "), member)
	beyond := func(compare string, at *message.ConversationPosition) {
		if at != nil {
			b.WriteString(" AND (p.last_message_at, p.conversation_id) " + compare + " (").
				Arg(at.LastMessageAt).Comma().Arg(uuid.UUID(at.ID)).WriteString(")")
		}
	}
	beyond("<", page.After)
	beyond(">", page.Before)
	order := " DESC"
	if page.Backward {
		order = " ASC"
	}
	b.WriteString(" ORDER BY p.last_message_at" + order + ", p.conversation_id" + order + " LIMIT ").Arg(page.Limit + 1)
	list, err := m.conversations(ctx, b)
	list, more := cut(list, page.Limit)
	if page.Backward {
		slices.Reverse(list)
	}
	return list, more, err
}

// CountConversations implements message.Store.
func (m Messages) CountConversations(ctx context.Context, member id.Member) (int, error) {
	b := statement(m.dialect)
	b.WriteString("SELECT COUNT(*) FROM participants p WHERE p.member_id = ").Arg(uuid.UUID(member)).WriteString(" AND ")
	query, args := unblocked(b, member).Query()
	var n int
	_, err := scanOne(ctx, m.client, query, args, &n)
	return n, err
}

// ConversationsByID implements message.Store.
func (m Messages) ConversationsByID(ctx context.Context, member id.Member, ids []id.Conversation) ([]message.Conversation, error) {
	b := selectConversations(m.dialect, member, true)
	b.WriteString(" AND p.conversation_id IN (")
	for i, one := range ids {
		if i > 0 {
			b.Comma()
		}
		b.Arg(uuid.UUID(one))
	}
	return m.conversations(ctx, b.WriteString(")"))
}

// MarkRead implements message.Store.
func (m Messages) MarkRead(ctx context.Context, member id.Member, conversation id.Conversation, through int64) error {
	return m.write(ctx, func(t *tx) error {
		return t.client.Participant.Update().Where(
			entparticipant.MemberID(uuid.UUID(member)), entparticipant.ConversationID(uuid.UUID(conversation)),
			entparticipant.ReadThroughLT(through),
		).SetReadThrough(through).Exec(ctx)
	})
}

func (m Messages) conversations(ctx context.Context, b *entsql.Builder) ([]message.Conversation, error) {
	query, args := b.Query()
	var out []message.Conversation
	err := scanAll(ctx, m.client, query, args, func(rows *sql.Rows) error {
		var (
			row     ent.Participant
			last    int64
			blocked int
		)
		if err := rows.Scan(&row.ConversationID, &row.OtherID, &row.LastMessageAt, &row.ReadThrough, &last, &blocked); err != nil {
			return err
		}
		out = append(out, message.Conversation{
			ID: id.Conversation(row.ConversationID), With: id.Member(row.OtherID), LastNumber: last,
			LastMessageAt: row.LastMessageAt.UTC(), ReadThrough: row.ReadThrough, Blocked: blocked > 0,
		})
		return nil
	})
	return out, err
}
