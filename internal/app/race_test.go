package app_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/member"
)

// together runs functions at the same moment, and waits for them.
func together(do ...func()) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for _, f := range do {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			f()
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// rounds is how often a race is run: each round is another chance for the unlucky order.
const rounds = 15

// inboxOf gives the categories in a member's inbox, the oldest first.
func inboxOf(c *apptest.Client) []string {
	var data struct {
		Viewer struct {
			Notifications struct{ Nodes []struct{ Category string } }
		}
	}
	c.Get(&data, `{ viewer { notifications(first: 100) { nodes { category } } } }`, nil)
	out := []string{}
	for _, n := range slices.Backward(data.Viewer.Notifications.Nodes) {
		out = append(out, n.Category)
	}
	return out
}

// Crossing invitations end connected: never in two invitations, an error or a deadlock. Exactly one was accepted, and
// its sender was told so.
func TestRaceCrossing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		for round := range rounds {
			a, b := s.As(t, fmt.Sprint("a", round)), s.As(t, fmt.Sprint("b", round))
			var fromA, fromB apptest.Payload
			together(func() { fromA = a.Invite(b.ID, "") }, func() { fromB = b.Invite(a.ID, "") })
			if fromA.Code() != "" || fromB.Code() != "" || fromA.Invitation.ID != fromB.Invitation.ID {
				t.Fatalf("crossing gave %+v and %+v", fromA, fromB)
			}
			first, second := a, b // who sent, and whose invitation became an acceptance
			if fromA.Invitation.Sender.ID == b.ID {
				first, second = b, a
			}
			if x, y := a.RelationshipTo(b.ID), b.RelationshipTo(a.ID); x.Status != "CONNECTED" || y.Status != "CONNECTED" || *x.ConnectedAt != *y.ConnectedAt {
				t.Fatalf("after crossing: %+v and %+v", x, y)
			}
			if got := inboxOf(second); !slices.Equal(got, []string{"INVITATION_RECEIVED"}) {
				t.Errorf("the second was told %v", got)
			}
			if got := inboxOf(first); !slices.Equal(got, []string{"INVITATION_ACCEPTED"}) {
				t.Errorf("the first was told %v", got)
			}
		}
	})
}

// An acceptance against a withdrawal: one of them wins, and both sides agree which.
func TestRaceAcceptAgainstWithdraw(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		for round := range rounds {
			a, b := s.As(t, fmt.Sprint("a", round)), s.As(t, fmt.Sprint("b", round))
			invitation := a.Invite(b.ID, "").Invitation.ID
			var accepted, withdrawn apptest.Payload
			together(func() { accepted = b.Respond(invitation, "ACCEPT") }, func() { withdrawn = a.Withdraw(invitation) })
			x, y := a.RelationshipTo(b.ID).Status, b.RelationshipTo(a.ID).Status
			switch {
			case accepted.Code() == "" && withdrawn.Code() == "INVITATION_ALREADY_ANSWERED":
				if x != "CONNECTED" || y != "CONNECTED" || !slices.Equal(inboxOf(a), []string{"INVITATION_ACCEPTED"}) {
					t.Errorf("accepted, and then %s and %s, and the sender was told %v", x, y, inboxOf(a))
				}
			case accepted.Code() == "INVITATION_WITHDRAWN" && withdrawn.Code() == "":
				if x != "NONE" || y != "NONE" || len(inboxOf(a))+len(inboxOf(b)) != 0 {
					t.Errorf("withdrawn, and then %s and %s, %v and %v", x, y, inboxOf(a), inboxOf(b))
				}
			default:
				t.Fatalf("accept gave %q and withdraw %q", accepted.Code(), withdrawn.Code())
			}
		}
	})
}

// A decline against a withdrawal, and against an acceptance from another window: one outcome, and both sides agree.
func TestRaceDecline(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		for round := range rounds {
			a, b := s.As(t, fmt.Sprint("a", round)), s.As(t, fmt.Sprint("b", round))
			invitation := a.Invite(b.ID, "").Invitation.ID
			var declined, withdrawn apptest.Payload
			together(func() { declined = b.Respond(invitation, "DECLINE") }, func() { withdrawn = a.Withdraw(invitation) })
			if code := declined.Code(); code != "" && code != "INVITATION_WITHDRAWN" || withdrawn.Code() != "" {
				t.Errorf("decline gave %q and withdraw %q", code, withdrawn.Code())
			}
			checkPair(t, a, b)
			expect(t, "inviting again, declined or not", a.Invite(b.ID, ""), "REINVITE_NOT_ALLOWED")

			c, d := s.As(t, fmt.Sprint("c", round)), s.As(t, fmt.Sprint("d", round))
			invitation = c.Invite(d.ID, "").Invitation.ID
			var accepted apptest.Payload
			together(func() { declined = d.Respond(invitation, "DECLINE") }, func() { accepted = d.Respond(invitation, "ACCEPT") })
			if codes := []string{declined.Code(), accepted.Code()}; !slices.Contains(codes, "") || !slices.Contains(codes, "INVITATION_ALREADY_ANSWERED") {
				t.Errorf("decline and accept gave %q", codes)
			}
			if connected := c.RelationshipTo(d.ID).Status == "CONNECTED"; connected != (accepted.Code() == "") {
				t.Errorf("accept gave %q, and connected is %v", accepted.Code(), connected)
			}
		}
	})
}

// Preferences that change while invitations come: what is in the inbox is what came over the subscription, numbered
// without a gap.
func TestRacePreferences(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada := s.As(t, "ada")
		stream := ada.Connect().Subscribe(subscribeNotifications, nil)
		var do []func()
		for i := range 30 {
			sender := s.As(t, fmt.Sprint("sender", i))
			do = append(do, func() { sender.Invite(ada.ID, "") })
		}
		do = append(do, func() {
			for i := range 20 {
				prefer(t, ada, inApp("INVITATION_RECEIVED", []string{"OFF", "REALTIME"}[i%2]))
			}
		})
		together(do...)
		inbox := len(inboxOf(ada))
		invites(t, s, ada, "last", 1)
		for n := range inbox + 1 {
			var event edgeEvent
			stream.Next(&event)
			if event.Edge.Node.Sequence != n+1 {
				t.Fatalf("number %d came in place %d of %d", event.Edge.Node.Sequence, n+1, inbox+1)
			}
		}
	})
}

// A double acceptance is one: both are told of success, and the sender once.
func TestRaceDoubleAccept(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		for round := range rounds {
			a, b := s.As(t, fmt.Sprint("a", round)), s.As(t, fmt.Sprint("b", round))
			invitation := a.Invite(b.ID, "").Invitation.ID
			answers := make([]apptest.Payload, 4)
			do := make([]func(), len(answers))
			for i := range answers {
				do[i] = func() { answers[i] = b.Respond(invitation, "ACCEPT") }
			}
			together(do...)
			for _, got := range answers {
				if got.Code() != "" || got.Invitation.State != "ACCEPTED" || *got.Invitation.AcceptedAt != *answers[0].Invitation.AcceptedAt {
					t.Errorf("one acceptance gave %+v", got)
				}
			}
			if got := inboxOf(a); !slices.Equal(got, []string{"INVITATION_ACCEPTED"}) {
				t.Errorf("the sender was told %v", got)
			}
		}
	})
}

// Two hundred senders at once to one recipient, who listens: every invitation comes once, in the order of the numbers.
func TestRaceManySenders(t *testing.T) {
	t.Parallel()
	const senders = 200
	each(t, func(t *testing.T, s *apptest.Server) {
		recipient := s.As(t, "recipient")
		socket := recipient.Connect()
		notified := socket.Subscribe(subscribeNotifications, nil)
		received := socket.Subscribe(`subscription { invitation: invitationReceived { id sender { id } } }`, nil)
		clients := make([]*apptest.Client, senders)
		do := make([]func(), senders)
		for i := range senders {
			clients[i] = s.As(t, fmt.Sprint("sender", i))
			do[i] = func() {
				if got := clients[i].Invite(recipient.ID, ""); got.Code() != "" {
					t.Errorf("invite gave %s", got.Code())
				}
			}
		}
		together(do...)
		var fromNotifications, fromInvitations []string
		for i := range senders {
			var event edgeEvent
			notified.Next(&event)
			if event.Edge.Node.Sequence != i+1 {
				t.Fatalf("number %d came in place %d", event.Edge.Node.Sequence, i+1)
			}
			fromNotifications = append(fromNotifications, event.Edge.Node.Actor.ID)
			var incoming struct{ Invitation apptest.Invitation }
			received.Next(&incoming)
			fromInvitations = append(fromInvitations, incoming.Invitation.Sender.ID)
		}
		if !slices.Equal(fromNotifications, fromInvitations) {
			t.Error("the two subscriptions differ in order")
		}
		slices.Sort(fromNotifications)
		if n := len(slices.Compact(fromNotifications)); n != senders {
			t.Errorf("%d senders came, of %d", n, senders)
		}
	})
}

// Twenty first requests of one new subject make one member.
func TestRaceFirstRequests(t *testing.T) {
	t.Parallel()
	const requests = 20
	each(t, func(t *testing.T, s *apptest.Server) {
		token := apptest.Token(t, member.Claims{Subject: "new", Name: "Zoë Ångström"}, time.Hour)
		ids := make([]string, requests)
		do := make([]func(), requests)
		for i := range requests {
			do[i] = func() {
				var data struct {
					Viewer struct {
						Member struct{ ID, Handle, Name string }
					}
				}
				r := s.WithToken(t, token).Do(`{ viewer { member { id handle name } } }`, nil)
				if len(r.Errors) > 0 || json.Unmarshal(r.Data, &data) != nil {
					t.Errorf("a first request gave %s", r.Raw)
				}
				ids[i] = fmt.Sprint(data.Viewer.Member)
			}
		}
		together(do...)
		slices.Sort(ids)
		if got := slices.Compact(ids); len(got) != 1 {
			t.Errorf("they made %v", got)
		}
	})
}

// Two members do everything to each other at once; in the end the invariants hold and both sides agree.
func TestRaceStorm(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		for round := range rounds {
			a, b := s.As(t, fmt.Sprint("a", round)), s.As(t, fmt.Sprint("b", round))
			storm := func(me, other *apptest.Client) func() {
				return func() {
					for range 6 {
						got := me.Invite(other.ID, "")
						invitation := ""
						if got.Invitation != nil {
							invitation = got.Invitation.ID
						}
						switch rand.IntN(6) {
						case 0:
							me.Withdraw(invitation)
						case 1:
							other.Respond(invitation, "ACCEPT")
						case 2:
							other.Respond(invitation, "IGNORE")
						case 3:
							me.Remove(other.ID)
						case 4:
							other.Remove(me.ID)
						case 5:
							other.Respond(invitation, "DECLINE")
						}
					}
				}
			}
			together(storm(a, b), storm(b, a), storm(a, b), storm(b, a))
			checkPair(t, a, b)
		}
	})
}

// checkPair checks that what two members see of each other fits together.
func checkPair(t *testing.T, a, b *apptest.Client) {
	t.Helper()
	x, y := a.RelationshipTo(b.ID), b.RelationshipTo(a.ID)
	both := []string{x.Status, y.Status}
	slices.Sort(both)
	if pair := strings.Join(both, "+"); !slices.Contains([]string{
		"CONNECTED+CONNECTED", "NONE+NONE", "INVITATION_RECEIVED+INVITATION_SENT",
		"INVITATION_SENT+NONE", // declined
	}, pair) {
		t.Fatalf("one sees %s, the other %s", x.Status, y.Status)
	}
	open := 0
	for _, c := range []*apptest.Client{a, b} {
		var data struct {
			Viewer struct {
				SentInvitations struct{ Nodes []apptest.Invitation }
				Connections     struct{ Nodes []struct{ ID string } }
			}
		}
		c.Get(&data, `{ viewer { sentInvitations { nodes { id } } connections { nodes { id } } } }`, nil)
		open += len(data.Viewer.SentInvitations.Nodes)
		if connected := len(data.Viewer.Connections.Nodes) == 1; connected != (x.Status == "CONNECTED") {
			t.Errorf("%s is %s with %d connections", c.Handle, x.Status, len(data.Viewer.Connections.Nodes))
		}
	}
	if want := slices.Contains(both, "INVITATION_SENT"); open > 1 || (open == 1) != want {
		t.Errorf("%d open invitations with %s", open, x.Status)
	}
}
