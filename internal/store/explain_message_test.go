package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/message"
	"github.com/acquaint/acquaint/internal/store"
)

// converse fills what populate has made with conversations: member 1 has two thousand, everybody else a few, with twenty
// messages in each of some, and blocks.
const converse = `
INSERT INTO conversations (id, pair_lo, pair_hi, last_number)
	SELECT md5('c' || least(a, b)::text || greatest(a, b)::text)::uuid, least(a, b), greatest(a, b), 20 FROM (
		SELECT md5('m1')::uuid AS a, md5('m' || n)::uuid AS b FROM generate_series(2, 2000) n
		UNION ALL SELECT md5('m' || n)::uuid, md5('m' || n + k)::uuid FROM generate_series(10, 5900) n, generate_series(1, 3) k) raw
	ON CONFLICT DO NOTHING;
INSERT INTO participants (member_id, conversation_id, other_id, last_message_at, read_through)
	SELECT pair_lo, id, pair_hi, now() - random() * interval '1 year', 3 FROM conversations
	UNION ALL SELECT pair_hi, id, pair_lo, now() - random() * interval '1 year', 3 FROM conversations;
INSERT INTO messages (id, conversation_id, number, sender_id, body, client_key, sent_at)
	SELECT md5('t' || c.id::text || k)::uuid, c.id, k, c.pair_lo, 'text', 'key' || c.id::text || k, now()
	FROM (SELECT id, pair_lo FROM conversations ORDER BY id LIMIT 3000) c, generate_series(1, 20) k;
INSERT INTO blocks (blocker_id, blocked_id, blocked_at)
	SELECT md5('m' || n)::uuid, md5('m' || n * 7 % 6000 + 1)::uuid, now() FROM generate_series(1, 3000) n WHERE n <> n * 7 % 6000 + 1;
ANALYZE;`

// Every query of conversations and messages, on PostgreSQL: the planner takes the index that ent/schema names for it, and
// reads no table from end to end.
func TestMessageIndexes(t *testing.T) {
	t.Parallel()
	s := openPlanned(t, populate, converse)
	messages := store.Messages{Store: s.Store}
	number := func(n int) id.Member { return s.member(t, n) }
	hub, other := number(1), number(700)
	var page []id.Member
	for n := range 20 {
		page = append(page, number(100+n))
	}
	var (
		conversations []id.Conversation
		ids           []id.Message
		parts         []message.Part
	)
	for n := range 20 {
		c := id.Conversation(s.id(t, `SELECT conversation_id FROM messages WHERE number = 7 ORDER BY id LIMIT 1 OFFSET $1`, n*31))
		conversations = append(conversations, c)
		ids = append(ids, id.Message(s.id(t, `SELECT id FROM messages WHERE conversation_id = $1 AND number = 3`, uuid.UUID(c))))
		parts = append(parts, message.Part{Conversation: c, Page: message.Page{Limit: 3}})
	}
	ctx, at := context.Background(), &message.ConversationPosition{LastMessageAt: time.Now().AddDate(0, -6, 0), ID: conversations[0]}
	const list = "participant_member_id_last_message_at_conversation_id"

	for _, c := range []struct {
		what    string
		indexes []string // which the plan must name
		run     func() error
	}{
		{"conversations", []string{list}, func() error {
			_, _, err := messages.Conversations(ctx, hub, message.ConversationPage{Limit: 20})
			return err
		}},
		{"conversations after a cursor", []string{list}, func() error {
			_, _, err := messages.Conversations(ctx, hub, message.ConversationPage{Limit: 20, After: at})
			return err
		}},
		{"the last conversations before a cursor", []string{list}, func() error {
			_, _, err := messages.Conversations(ctx, hub, message.ConversationPage{Limit: 20, Before: at, Backward: true})
			return err
		}},
		{"the number of conversations", []string{"participant"}, func() error { _, err := messages.CountConversations(ctx, other); return err }},
		{"a page of conversations by id", []string{"participants_pkey", "conversations_pkey"}, func() error {
			_, err := messages.ConversationsByID(ctx, other, conversations)
			return err
		}},
		{"a page of messages", []string{"message_conversation_id_number"}, func() error {
			_, err := messages.Messages(ctx, []message.Part{{Conversation: conversations[0], Page: message.Page{Limit: 20, After: 15}}})
			return err
		}},
		{"the last messages before a cursor", []string{"message_conversation_id_number"}, func() error {
			_, err := messages.Messages(ctx, []message.Part{{Conversation: conversations[0], Page: message.Page{Limit: 20, Before: 5, Backward: true}}})
			return err
		}},
		{"the newest messages of a page of conversations", []string{"message_conversation_id_number"}, func() error {
			_, err := messages.Messages(ctx, parts)
			return err
		}},
		{"messages by id", []string{"messages_pkey", "participants_pkey"}, func() error {
			_, err := messages.MessagesByID(ctx, other, ids)
			return err
		}},
		{"who may write", []string{"connections_pkey", "invitation_pair_lo_pair_hi", "block"}, func() error {
			_, err := messages.Standings(ctx, hub, page)
			return err
		}},
		{"a message by its key", []string{"message_sender_id_client_key"}, func() error {
			_, err := messages.Transact(ctx, func(ctx context.Context, tx message.Tx) error {
				_, _, _ = tx.MessageByKey(ctx, other, "none")
				return nil
			})
			return err
		}},
	} {
		seen := s.statements(t, c.what, c.run)
		if len(seen) != 1 {
			t.Errorf("%s took %d statements", c.what, len(seen))
		}
		for _, q := range seen {
			plan := s.explain(t, q)
			for _, index := range c.indexes {
				if strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, index) {
					t.Errorf("%s: want %s and no Seq Scan\n%s\n%s", c.what, index, q.query, plan)
				}
			}
			if strings.Contains(plan, "Sort") && c.indexes[0] == list {
				t.Errorf("%s sorts\n%s", c.what, plan)
			}
		}
	}
}
