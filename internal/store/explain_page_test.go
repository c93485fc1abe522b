package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
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
		{"notifications by id", func() error {
			_, err := s.NotificationsByID(ctx, ada, make([]id.Notification, 20))
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

// One key is asked for as one: of a list with one PostgreSQL thinks that it has ten, and plans anew each time.
func TestOneKeyIsNoList(t *testing.T) {
	t.Parallel()
	s := openPlanned(t)
	for what, run := range map[string]func() error{
		"members": func() error { _, err := s.MembersByID(t.Context(), []id.Member{{1}}); return err },
		"subject": func() error { _, err := s.MemberBySubject(t.Context(), "x"); return notFoundIsFine(err) },
		"handle":  func() error { _, err := s.MemberByHandle(t.Context(), "x"); return notFoundIsFine(err) },
	} {
		seen := s.statements(t, what, run)
		if len(seen) != 1 || strings.Contains(seen[0].query, "ANY") {
			t.Errorf("%s: %+v", what, seen)
		}
	}
}

func notFoundIsFine(err error) error {
	if errors.Is(err, member.ErrNotFound) {
		return nil
	}
	return err
}
