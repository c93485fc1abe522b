package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// populate fills a PostgreSQL database with a network in which a sequential scan would be a bad plan: members 1 to
// 6,000 with some 20 connections each, the first few with a thousand.
const populate = `
INSERT INTO members (id, subject, handle, name, created_at)
	SELECT md5('m' || n)::uuid, 's' || n, 'h' || n, 'N', now() FROM generate_series(1, 6000) n;
INSERT INTO inboxes (member_id, last_number) SELECT id, 20 FROM members;
INSERT INTO connections (owner_id, peer_id, connected_at)
	WITH pairs AS (
		SELECT DISTINCT least(a, b) AS a, greatest(a, b) AS b FROM (
			SELECT n AS a, 1 + (n * 7919 + k * k * 10473) % 6000 AS b FROM generate_series(1, 6000) n, generate_series(1, 10) k
			UNION ALL SELECT hub, 10 + (hub + k * 13) % 5000 FROM generate_series(1, 3) hub, generate_series(1, 1000) k
		) raw WHERE a <> b
	)
	SELECT md5('m' || a)::uuid, md5('m' || b)::uuid, now() - a * interval '1 minute' FROM pairs
	UNION ALL SELECT md5('m' || b)::uuid, md5('m' || a)::uuid, now() - a * interval '1 minute' FROM pairs;
INSERT INTO invitations (id, sender_id, recipient_id, pair_lo, pair_hi, state, acquaintance, sent_at, listed_at)
	SELECT md5('i' || n || '-' || k)::uuid, a, b, least(a, b), greatest(a, b), CASE k WHEN 1 THEN 'pending' WHEN 2 THEN 'ignored' ELSE 'accepted' END, 'other', now() - n * interval '1 minute', now() - n * interval '1 minute'
	FROM (SELECT n, k, md5('m' || n)::uuid AS a, md5('m' || CASE WHEN k = 1 AND n % 20 = 0 THEN 1 ELSE 1 + (n + k * 1503) % 6000 END)::uuid AS b
		FROM generate_series(2, 6000) n, generate_series(1, 4) k) raw WHERE a <> b
	ON CONFLICT DO NOTHING;
INSERT INTO notifications (id, member_id, sequence, category, created_at, read_at, invitation_id)
	SELECT md5('n' || n || '-' || k)::uuid, md5('m' || n)::uuid, k, 'invitation_received', now(), CASE WHEN k < 18 THEN now() END, md5('i' || n || '-' || k)::uuid
	FROM generate_series(1, 1000) n, generate_series(1, 20) k;
INSERT INTO blocks (blocker_id, blocked_id, blocked_at)
	SELECT md5('m' || n)::uuid, md5('m' || 1 + (n + k * 997) % 6000)::uuid, now() FROM generate_series(1, 6000) n, generate_series(1, 3) k;
INSERT INTO profiles (member_id, positions, education, skills, languages, interests)
	SELECT id, '[]', '[]', '[]', '[]', '[]' FROM members;
ANALYZE;`

// Every list, mutual connections and degree, on PostgreSQL: the planner takes the index that ent/schema names for the
// query, and reads no table from end to end.
func TestIndexes(t *testing.T) {
	t.Parallel()
	address := storetest.EmptyPostgres(t)
	var (
		mu   sync.Mutex
		seen []statement
	)
	s := storetest.Open(t, address, store.Options{Observe: func(query string, args []any) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, statement{query, args})
	}})
	db, _, _ := rawDB(t, address)
	// VACUUM marks what all see, so that indexes answer alone, once the commit has been flushed: so that is waited for.
	for _, fill := range []string{"BEGIN; SET LOCAL synchronous_commit = on;" + populate + "COMMIT", "VACUUM"} {
		if _, err := db.Exec(fill); err != nil {
			t.Fatal(err)
		}
	}
	number := func(n int) (m id.Member) {
		var u uuid.UUID
		if err := db.QueryRow(`SELECT md5('m' || $1)::uuid`, fmt.Sprint(n)).Scan(&u); err != nil {
			t.Fatal(err)
		}
		return id.Member(u)
	}
	hub, other, far := number(1), number(2), number(4500)
	var page []id.Member
	for n := range 20 {
		page = append(page, number(100+n))
	}
	ctx, now := context.Background(), time.Now()

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
		{"the number of mutual connections", "connections_pkey", func() error { _, err := s.CountMutual(ctx, hub, append(page, other)); return err }},
		{"the number of mutual connections of two with many", "Merge Join", func() error { _, err := s.CountMutual(ctx, hub, []id.Member{other}); return err }},
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
			_, _, err := s.Notifications(ctx, other, notification.Page{Limit: 5})
			return err
		}},
		{"notifications backward", "notification_member_id_sequence", func() error {
			_, _, err := s.Notifications(ctx, other, notification.Page{Limit: 5, Backward: true, Before: 3})
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
		mu.Lock()
		seen = nil
		mu.Unlock()
		if err := c.run(); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if len(seen) != 1 {
			t.Errorf("%s took %d statements", c.what, len(seen))
		}
		for _, q := range seen {
			plan := explain(t, db, q)
			if strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, c.index) {
				t.Errorf("%s: want %s and no Seq Scan\n%s\n%s", c.what, c.index, q.query, plan)
			}
		}
	}
}

type statement struct {
	query string
	args  []any
}

// explain gives the plan of a statement.
func explain(t *testing.T, db *sql.DB, q statement) string {
	t.Helper()
	rows, err := db.Query("EXPLAIN "+q.query, q.args...)
	if err != nil {
		t.Fatalf("%s: %v", q.query, err)
	}
	return planOf(t, rows)
}

// planOf reads what EXPLAIN says.
func planOf(t *testing.T, rows *sql.Rows) string {
	t.Helper()
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(line + "\n")
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return plan.String()
}
