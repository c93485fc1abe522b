package store_test

import (
	"fmt"
	"slices"
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

// A page of a list is read along its index, up to its length, by the plan that PostgreSQL keeps for everybody: where an
// average member has less than a page, it fetches no more of those who have thousands.
func TestPagesGoAlongIndexes(t *testing.T) {
	t.Parallel()
	address := storetest.EmptyPostgres(t)
	var (
		mu   sync.Mutex
		seen []string
	)
	s := storetest.Open(t, address, store.Options{Observe: func(query string, _ []any) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, query)
	}})
	db, _, _ := rawDB(t, address)
	for _, fill := range []string{populate, populateRules} {
		if _, err := db.Exec(fill); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "SET plan_cache_mode = force_generic_plan"); err != nil {
		t.Fatal(err)
	}
	ada, ben, ctx, now := id.Member(uuid.New()), id.Member(uuid.New()), t.Context(), time.Now()
	cursor := &network.InvitationPosition{At: now}
	for _, c := range []struct {
		what string
		run  func() error
	}{
		{"received invitations", func() error {
			_, _, err := s.Received(ctx, ada, network.Pending, network.InvitationPage{Limit: 100})
			return err
		}},
		{"received invitations after a cursor", func() error {
			_, _, err := s.Received(ctx, ada, network.Pending, network.InvitationPage{Limit: 100, After: cursor})
			return err
		}},
		{"sent invitations", func() error {
			_, _, err := s.Sent(ctx, ada, network.InvitationPage{Limit: 100})
			return err
		}},
		{"sent invitations after a cursor", func() error {
			_, _, err := s.Sent(ctx, ada, network.InvitationPage{Limit: 100, After: cursor})
			return err
		}},
		{"connections", func() error {
			_, _, err := s.Connections(ctx, ada, network.ConnectionPage{Limit: 100})
			return err
		}},
		{"connections after a cursor", func() error {
			_, _, err := s.Connections(ctx, ada, network.ConnectionPage{Limit: 100, After: &network.Connection{Peer: ben, ConnectedAt: now}})
			return err
		}},
		{"notifications", func() error {
			_, _, err := s.Notifications(ctx, ada, notification.Page{Limit: 100})
			return err
		}},
		{"notifications backward, after a cursor", func() error {
			_, _, err := s.Notifications(ctx, ada, notification.Page{Limit: 100, Backward: true, Before: 3})
			return err
		}},
		{"what a subscription reads", func() error {
			_, err := s.NotificationsAfter(ctx, []notification.Cursor{{Member: ada, After: 10}}, 64)
			return err
		}},
		{"whom a member has blocked", func() error {
			_, _, err := s.BlockedMembers(ctx, ada, network.BlockPage{Limit: 100})
			return err
		}},
	} {
		mu.Lock()
		seen = nil
		mu.Unlock()
		if err := c.run(); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if len(seen) != 1 {
			t.Fatalf("%s took %d statements", c.what, len(seen))
		}
		nothing := strings.Join(slices.Repeat([]string{"NULL"}, strings.Count(seen[0], "$")), ", ") // the plan is for anything
		if _, err := conn.ExecContext(ctx, "PREPARE page AS "+seen[0]); err != nil {
			t.Fatalf("%s: %v", seen[0], err)
		}
		rows, err := conn.QueryContext(ctx, fmt.Sprintf("EXPLAIN EXECUTE page (%s)", nothing))
		if err != nil {
			t.Fatal(err)
		}
		if plan := planOf(t, rows); strings.Contains(plan, "Sort") || strings.Contains(plan, "Bitmap") || !strings.Contains(plan, "Limit") {
			t.Errorf("%s does not go along an index\n%s\n%s", c.what, seen[0], plan)
		}
		if _, err := conn.ExecContext(ctx, "DEALLOCATE page"); err != nil {
			t.Fatal(err)
		}
	}
}
