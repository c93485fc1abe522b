package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
)

// A page of a list is read along its index, up to its length, by the plan that PostgreSQL keeps for everybody: where an
// average member has less than a page, it fetches no more of those who have thousands.
func TestPagesGoAlongIndexes(t *testing.T) {
	t.Parallel()
	s := openPlanned(t, populate, populateRules)
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
			_, err := s.Notifications(ctx, ada, notification.Page{Limit: 100})
			return err
		}},
		{"notifications with who they are of", func() error {
			_, err := s.Notifications(ctx, ada, notification.Page{Limit: 100, Actors: true})
			return err
		}},
		{"notifications backward, after a cursor", func() error {
			_, err := s.Notifications(ctx, ada, notification.Page{Limit: 100, Backward: true, Before: 3})
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
		seen := s.statements(t, c.what, c.run)
		if len(seen) != 1 {
			t.Fatalf("%s took %d statements", c.what, len(seen))
		}
		if plan := s.explainForAll(t, seen[0]); strings.Contains(plan, "Sort") || strings.Contains(plan, "Bitmap") || !strings.Contains(plan, "Limit") {
			t.Errorf("%s does not go along an index\n%s\n%s", c.what, seen[0].query, plan)
		}
	}
}
