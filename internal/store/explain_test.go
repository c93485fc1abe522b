package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
)

// Every list, mutual connections and degree, on PostgreSQL: the planner takes the index that ent/schema names for the
// query, and reads no table from end to end.
func TestIndexes(t *testing.T) {
	t.Parallel()
	// VACUUM marks what all see, so that indexes answer alone, once the commit has been flushed: so that is waited for.
	s := openPlanned(t, "BEGIN; SET LOCAL synchronous_commit = on;"+populate+"COMMIT", "VACUUM")
	number := func(n int) id.Member { return s.member(t, n) }
	hub, other, far := number(1), number(2), number(4500)
	var page []id.Member
	for n := range 20 {
		page = append(page, number(100+n))
	}
	ctx, now := context.Background(), time.Now()
	inTables := large(s.Store)
	inTables.Large = 0

	for _, c := range []struct {
		what  string
		index string // one that the plan must name
		run   func() error
	}{
		{"connections", "connection_owner_id_connected_at_peer_id", func() error {
			_, _, err := s.Connections(ctx, hub, network.ConnectionPage{Limit: 20})
			return err
		}},
		{"connections after a cursor", "connection_owner_id_connected_at_peer_id", func() error {
			_, _, err := s.Connections(ctx, hub, network.ConnectionPage{Limit: 20, After: &network.Connection{Peer: other, ConnectedAt: now}})
			return err
		}},
		{"the number of connections", "connection", func() error { _, err := s.CountConnections(ctx, hub); return err }},
		{"connections with a page of members", "connections_pkey", func() error { _, err := s.ConnectionsWith(ctx, hub, page); return err }},
		{"received invitations", "invitation_recipient_id_state_listed_at_id", func() error {
			_, _, err := s.Received(ctx, hub, network.Pending, network.InvitationPage{Limit: 20})
			return err
		}},
		{"the archive after a cursor", "invitation_recipient_id_state_listed_at_id", func() error {
			_, _, err := s.Received(ctx, hub, network.Ignored, network.InvitationPage{Limit: 20, After: &network.InvitationPosition{At: now}})
			return err
		}},
		{"the number of received invitations", "invitation_recipient_id_state_listed_at_id", func() error {
			_, err := s.CountReceived(ctx, hub, network.Pending)
			return err
		}},
		{"sent invitations", "invitation_sender_id_sent_at_id", func() error {
			_, _, err := s.Sent(ctx, other, network.InvitationPage{Limit: 20})
			return err
		}},
		{"sent invitations after a cursor", "invitation_sender_id_sent_at_id", func() error {
			_, _, err := s.Sent(ctx, other, network.InvitationPage{Limit: 20, After: &network.InvitationPosition{At: now}})
			return err
		}},
		{"what there is between a member and a page of members", "invitation_pair_lo_pair_hi", func() error { _, err := s.Between(ctx, hub, page); return err }},
		{"mutual connections", "connections_pkey", func() error { _, err := s.Mutual(ctx, hub, []id.Member{other}, id.Member{}, 21); return err }},
		{"mutual connections of a page of members, after a cursor", "connections_pkey", func() error {
			_, err := s.Mutual(ctx, hub, page, other, 4)
			return err
		}},
		{"the number of mutual connections", "connections_pkey", func() error { _, err := inTables.CountMutual(ctx, hub, append(page, other)); return err }},
		{"the number of mutual connections of two with many", "Merge Join", func() error { _, err := inTables.CountMutual(ctx, hub, []id.Member{other}); return err }},
		{"degree", "Merge Join", func() error { _, err := s.Degrees(ctx, hub, []id.Member{far}); return err }},
		{"degree of a page of members", "Merge Join", func() error { _, err := s.Degrees(ctx, far, page); return err }},
		{"others' connections", "connection_owner_id_connected_at_peer_id", func() error {
			_, err := s.ConnectionsOf(ctx, far, []id.Member{hub}, network.ConnectionPage{Limit: 21})
			return err
		}},
		{"others' connections, of a page of members, after a cursor", "connection_owner_id_connected_at_peer_id", func() error {
			_, err := s.ConnectionsOf(ctx, hub, page, network.ConnectionPage{Limit: 4, After: &network.Connection{Peer: other, ConnectedAt: now}})
			return err
		}},
		{"the number of others' connections", "block_blocked_id_blocker_id", func() error {
			_, err := s.CountConnectionsOf(ctx, far, append([]id.Member{hub}, page...))
			return err
		}},
		{"who is hidden of a page of members", "block_blocked_id_blocker_id", func() error { _, err := s.Hidden(ctx, hub, page); return err }},
		{"profiles of a page of members", "profiles_pkey", func() error { _, err := s.Profiles(ctx, page); return err }},
		{"notifications", "notification_member_id_sequence", func() error {
			_, err := s.Notifications(ctx, other, notification.Page{Limit: 5})
			return err
		}},
		{"notifications with who they are of", "notification_member_id_sequence", func() error {
			_, err := s.Notifications(ctx, other, notification.Page{Limit: 5, Actors: true})
			return err
		}},
		{"notifications backward", "notification_member_id_sequence", func() error {
			_, err := s.Notifications(ctx, other, notification.Page{Limit: 5, Backward: true, Before: 3})
			return err
		}},
		{"what a subscription reads", "notification_member_id_sequence", func() error {
			_, err := s.NotificationsAfter(ctx, []notification.Cursor{{Member: other, After: 10}}, 64)
			return err
		}},
		{"what many subscriptions read together", "notification_member_id_sequence", func() error {
			_, err := s.NotificationsAfter(ctx, []notification.Cursor{{Member: other, After: 10}, {Member: far}, {Member: hub, After: 3}}, 64)
			return err
		}},
		{"the number of unread notifications", "notification_unread", func() error { _, err := s.CountUnread(ctx, other); return err }},
		{"the sweep", "inboxes_pkey", func() error { _, err := s.LastNumbers(ctx, page); return err }},
		{"a member by handle", "members_handle_key", func() error { _, err := s.MemberByHandle(ctx, "h77"); return err }},
		{"a member by subject", "members_subject_key", func() error { _, err := s.MemberBySubject(ctx, "s77"); return err }},
	} {
		seen := s.statements(t, c.what, c.run)
		if len(seen) != 1 {
			t.Errorf("%s took %d statements", c.what, len(seen))
		}
		for _, q := range seen {
			plan := s.explain(t, q)
			if strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, c.index) {
				t.Errorf("%s: want %s and no Seq Scan\n%s\n%s", c.what, c.index, q.query, plan)
			}
		}
	}
}
