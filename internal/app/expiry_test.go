package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app/apptest"
)

// After 180 days an invitation is over, silently and whatever its recipient did; inviting again is free where it was not
// declined.
func TestExpiry(t *testing.T) {
	t.Parallel()
	eachWithClock(t, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		sent := map[string]string{}
		ada := s.As(t, "ada")
		for _, answer := range []string{"", "IGNORE", "DONT_KNOW", "DECLINE", "ACCEPT"} {
			other := s.As(t, "to"+answer)
			sent[answer] = ada.Invite(other.ID, "").Invitation.ID
			if answer != "" {
				other.Respond(sent[answer], answer)
			}
		}
		clock.Advance(180*day - time.Minute)
		s.RunTasks(t)
		if got := ada.RelationshipTo(s.As(t, "to").ID); got.Status != "INVITATION_SENT" {
			t.Fatalf("a minute early: %+v", got)
		}
		before := len(inboxOf(s.As(t, "to")))
		clock.Advance(2 * time.Hour)
		s.RunTasks(t)
		for answer, invitation := range sent {
			other := s.As(t, "to"+answer)
			for _, c := range []*apptest.Client{ada, other} {
				var data struct{ Node apptest.Invitation }
				c.Get(&data, `query($i: ID!) { node(id: $i) { ... on Invitation { state } } }`, apptest.Vars{"i": invitation})
				want := "EXPIRED"
				if answer == "ACCEPT" {
					want = "ACCEPTED"
				}
				if data.Node.State != want {
					t.Errorf("%q: %s sees %s", answer, c.Handle, data.Node.State)
				}
			}
			if answer == "ACCEPT" {
				continue
			}
			if got := ada.RelationshipTo(other.ID); got.Status != "NONE" || got.Invitation != nil {
				t.Errorf("%q: the sender sees %+v", answer, got)
			}
			expect(t, "answering", other.Respond(invitation, "ACCEPT"), "INVITATION_WITHDRAWN")
			expect(t, "withdrawing", ada.Withdraw(invitation), "INVITATION_WITHDRAWN")
			want := ""
			if answer == "DECLINE" {
				want = "REINVITE_NOT_ALLOWED"
			}
			expect(t, "inviting again after "+answer, ada.Invite(other.ID, ""), want)
		}
		if after := len(inboxOf(s.As(t, "to"))); after != before+1 { // the new invitation
			t.Errorf("the recipient had %d notifications and has %d", before, after)
		}
	})
}

// After a downtime all that is due expires at once, in as many batches as it takes.
func TestExpiryCatchesUp(t *testing.T) {
	t.Parallel()
	eachWithClock(t, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		const many = 230 // more than two batches
		ben := s.As(t, "ben")
		for i := range many {
			s.As(t, fmt.Sprint("m", i)).Invite(ben.ID, "")
		}
		clock.Advance(400 * day)
		late := s.As(t, "late").Invite(ben.ID, "").Invitation.ID
		s.RunTasks(t)
		var data struct {
			Viewer struct {
				ReceivedInvitations struct {
					TotalCount int
					Nodes      []struct{ ID string }
				}
			}
		}
		ben.Get(&data, `{ viewer { receivedInvitations { totalCount nodes { id } } } }`, nil)
		if got := data.Viewer.ReceivedInvitations; got.TotalCount != 1 || got.Nodes[0].ID != late {
			t.Errorf("left: %+v", got)
		}
	})
}
