package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/store"
)

// populateRules adds blocks, flags, restrictions and feeds to what populate makes.
const populateRules = `
INSERT INTO blocks (blocker_id, blocked_id, blocked_at)
	SELECT md5('m' || 1 + n % 100)::uuid, md5('m' || n)::uuid, now() - n * interval '1 minute' FROM generate_series(101, 6000) n;
INSERT INTO flags (recipient_id, sender_id, flagged_at)
	SELECT md5('m' || n)::uuid, md5('m' || 1 + n % 2000)::uuid, now() - n * interval '1 hour' FROM generate_series(2001, 6000) n;
INSERT INTO restrictions (member_id, warned) SELECT id, true FROM members LIMIT 3000;
INSERT INTO feed_entries (id, member_id, number, kind)
	SELECT md5('f' || n || '-' || k)::uuid, md5('m' || n)::uuid, k, 'invitation_added' FROM generate_series(1, 1000) n, generate_series(1, 20) k;
ANALYZE;`

// What an invite asks, and what the periodic tasks ask, is found by indexes; no table is read from end to end. (The
// members are one row by key; the planner may read a small table of bars or restrictions whole.)
func TestIndexesOfRules(t *testing.T) {
	t.Parallel()
	s := openPlanned(t, populate, populateRules)
	member := func(n int) id.Member { return s.member(t, n) }
	ada, ben := member(7), member(4500)
	ctx, now := context.Background(), time.Now()
	in := func(do func(tx network.Tx) error) func() error {
		return func() error {
			_, err := s.Transact(ctx, func(_ context.Context, tx network.Tx) error { return do(tx) })
			return err
		}
	}
	for _, c := range []struct {
		what    string
		indexes []string
		run     func() error
	}{
		{"locking two members", []string{"inboxes_pkey"}, in(func(tx network.Tx) error { _, err := tx.Lock(ctx, ada, ben); return err })},
		{"the standing of two", []string{"members_pkey", "invitation_window", "invitation_sender_id_sent_at_id", "block", "connections_pkey"}, in(func(tx network.Tx) error {
			_, err := tx.Standing(ctx, ada, ben, now.Add(-time.Hour))
			return err
		})},
		{"an invite in a group", []string{"inboxes_pkey", "members_pkey", "invitation_window", "invitation_sender_id_sent_at_id", "invitation_pair_lo_pair_hi", "block", "connection"}, func() error {
			_, err := network.NewService(s, unwoken{}, network.DefaultPolicy(), app.Now, app.NewID).Invite(ctx, member(4501), network.InviteInput{Recipient: member(4502)})
			return err
		}},
		{"an answer in a group", []string{"inboxes_pkey", "invitations_pkey"}, func() error {
			_, err := s.TransactTogether(ctx, network.About{Invitation: id.Invitation{1}}, func(ctx context.Context, tx network.Tx) error {
				_, err := tx.Invitation(ctx, id.Invitation{1})
				if errors.Is(err, network.ErrNotFound) {
					err = nil
				}
				return err
			})
			return err
		}},
		{"whether two share a connection", []string{"connection"}, in(func(tx network.Tx) error { _, err := tx.HaveMutual(ctx, ada, ben); return err })},
		{"what is used of the limits", []string{"invitation_window", "invitation_sender_id_sent_at_id"}, func() error {
			_, err := s.Usage(ctx, ada, now.Add(-time.Hour), 2, 2)
			return err
		}},
		{"what expires", []string{"invitation_expiry"}, func() error {
			_, err := s.DueToExpire(ctx, now.Add(-5000*time.Minute), &network.InvitationPosition{At: now.Add(-5900 * time.Minute)}, 100)
			return err
		}},
		{"flags of a page of senders", []string{"flag_sender_id_flagged_at"}, func() error { _, err := s.FlagCounts(ctx, now.Add(-9000*time.Hour), now, ada, 20); return err }},
		{"whom a member has blocked", []string{"block_blocker_id_blocked_at_blocked_id"}, func() error {
			_, _, err := s.BlockedMembers(ctx, ada, network.BlockPage{Limit: 20, After: &network.Blocked{BlockedAt: now, Member: ben}})
			return err
		}},
		{"what there is between a member and others", []string{"connections_pkey", "invitation_pair_lo_pair_hi", "block"}, func() error { _, err := s.Between(ctx, ada, []id.Member{ben, member(8)}); return err }},
		{"invitations by id, without those of blocks", []string{"invitations_pkey", "block"}, func() error {
			_, err := s.InvitationsByID(ctx, []id.Invitation{{1}, {2}})
			return err
		}},
		{"what a subscription reads of a feed", []string{"feedentry_member_id_number"}, func() error {
			_, err := store.Feeds{Store: s.Store}.After(ctx, []notification.Cursor{{Member: ada, After: 3}, {Member: ben}}, 64)
			return err
		}},
		{"old entries of feeds", []string{"feed_entries_pkey"}, func() error { _, err := s.PruneFeeds(ctx, now.Add(-feed.Kept), 10); return err }},
	} {
		seen := s.statements(t, c.what, c.run)
		var plans strings.Builder
		for _, q := range seen {
			plans.WriteString(s.explain(t, q))
		}
		plan := plans.String()
		for _, table := range []string{"members", "connections", "invitations", "blocks", "inboxes", "feed_entries"} {
			if strings.Contains(plan, "Seq Scan on "+table) {
				t.Errorf("%s reads all %s\n%s", c.what, table, plan)
			}
		}
		for _, index := range c.indexes {
			if !strings.Contains(plan, index) {
				t.Errorf("%s: want %s\n%s", c.what, index, plan)
			}
		}
	}
}
