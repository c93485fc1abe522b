package app_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app/apptest"
)

// refusedUntil checks the code of a payload, and when it says to try again, to the second.
func refusedUntil(t *testing.T, what string, got apptest.Payload, code string, at time.Time) {
	t.Helper()
	if got.Code() != code || got.UserErrors[0].RetryAt == nil {
		t.Fatalf("%s gave %+v, want %s with a time to try again", what, got.UserErrors, code)
	}
	retryAt, err := time.Parse(time.RFC3339, *got.UserErrors[0].RetryAt)
	if err != nil || retryAt.Sub(at).Abs() > 5*time.Second {
		t.Errorf("%s says to try again at %v, want %v", what, retryAt, at)
	}
}

// received gives the senders in a member's inbox or archive, in its order, with the last reminder of each.
func received(c *apptest.Client, state string) (senders []string, reminded []bool) {
	var data struct {
		Viewer struct {
			ReceivedInvitations struct{ Nodes []apptest.Invitation }
		}
	}
	c.Get(&data, `query($s: ReceivedInvitationState) { viewer { receivedInvitations(state: $s) { nodes { sender { id } lastRemindedAt } } } }`,
		apptest.Vars{"s": state})
	for _, i := range data.Viewer.ReceivedInvitations.Nodes {
		senders, reminded = append(senders, i.Sender.ID), append(reminded, i.LastRemindedAt != nil)
	}
	return senders, reminded
}

// A sender reminds twice, seven days apart; each puts the invitation on top of the inbox again and is a notification,
// but no invitation.
func TestReminders(t *testing.T) {
	t.Parallel()
	eachWithClock(t, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		ada, ben, cleo := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cleo")
		socket := ben.Connect()
		invitations := socket.Subscribe(`subscription { invitationReceived { sender { id } } }`, nil)
		notifications := socket.Subscribe(`subscription { notificationReceived { node { sequence ... on InvitationReceivedNotification { reminder } } } }`, nil)
		sentAt := clock.Now()
		invitation := ada.Invite(ben.ID, "").Invitation.ID
		clock.Advance(time.Hour)
		cleo.Invite(ben.ID, "")
		if senders, _ := received(ben, "PENDING"); !slices.Equal(senders, []string{cleo.ID, ada.ID}) {
			t.Fatalf("the inbox: %v", senders)
		}

		refusedUntil(t, "reminding at once", ada.Remind(invitation), "REMINDER_TOO_SOON", sentAt.Add(7*day))
		expect(t, "the recipient's reminding", ben.Remind(invitation), "INVITATION_NOT_FOUND")
		expect(t, "another's reminding", cleo.Remind(invitation), "INVITATION_NOT_FOUND")
		clock.Advance(7*day - time.Hour)
		first := ada.Remind(invitation)
		expect(t, "reminding after seven days", first, "")
		if first.Invitation.LastRemindedAt == nil || first.Invitation.State != "PENDING" {
			t.Errorf("the sender sees %+v", first.Invitation)
		}
		senders, reminded := received(ben, "PENDING")
		if !slices.Equal(senders, []string{ada.ID, cleo.ID}) || !slices.Equal(reminded, []bool{true, false}) {
			t.Errorf("the inbox after a reminder: %v %v", senders, reminded)
		}
		refusedUntil(t, "reminding again at once", ada.Remind(invitation), "REMINDER_TOO_SOON", clock.Now().Add(7*day))
		clock.Advance(7 * day)
		expect(t, "the second", ada.Remind(invitation), "")
		clock.Advance(100 * day)
		expect(t, "the third", ada.Remind(invitation), "REMINDER_LIMIT_REACHED")

		var got []string
		for range 4 {
			var event struct {
				NotificationReceived struct {
					Node struct {
						Sequence int
						Reminder bool
					}
				}
			}
			notifications.Next(&event)
			got = append(got, fmt.Sprint(event.NotificationReceived.Node.Sequence, event.NotificationReceived.Node.Reminder))
		}
		if want := []string{"1 false", "2 false", "3 true", "4 true"}; !slices.Equal(got, want) {
			t.Errorf("notifications %v, want %v", got, want)
		}
		socket.Ping()
		if fired := invitations.Drain(); len(fired) != 2 {
			t.Errorf("invitationReceived fired %d times for two invitations", len(fired))
		}

		expect(t, "withdrawing", ada.Withdraw(invitation), "")
		if got := inboxOf(ben); len(got) != 1 {
			t.Errorf("a withdrawal leaves %v", got)
		}
		expect(t, "reminding of a withdrawn one", ada.Remind(invitation), "INVITATION_WITHDRAWN")
		apptest.Connect(ada, cleo)
		accepted := cleo.Invite(s.As(t, "dan").ID, "").Invitation.ID
		s.As(t, "dan").Respond(accepted, "ACCEPT")
		expect(t, "reminding of an accepted one", cleo.Remind(accepted), "INVITATION_ALREADY_ANSWERED")
	})
}

// Whoever has put an invitation away sees nothing of reminders, neither later ones nor those from before, and the archive
// keeps its order.
func TestRemindersInVain(t *testing.T) {
	t.Parallel()
	eachWithClock(t, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		ada, ben, cleo := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cleo")
		invitation := ada.Invite(ben.ID, "").Invitation.ID
		clock.Advance(time.Hour)
		other := cleo.Invite(ben.ID, "").Invitation.ID
		clock.Advance(8 * day)
		expect(t, "the first reminder", ada.Remind(invitation), "")
		ben.Respond(invitation, "IGNORE")
		ben.Respond(other, "DONT_KNOW")
		clock.Advance(8 * day)
		stream := ben.Connect().Subscribe(subscribeNotifications, nil)
		expect(t, "the second, in vain", ada.Remind(invitation), "")
		senders, reminded := received(ben, "IGNORED")
		if !slices.Equal(senders, []string{cleo.ID, ada.ID}) || slices.Contains(reminded, true) {
			t.Errorf("the archive: %v %v", senders, reminded)
		}
		if got := inboxOf(ben); len(got) != 3 {
			t.Errorf("the recipient was told %v", got)
		}
		s.As(t, "marker").Invite(ben.ID, "")
		var event edgeEvent
		if stream.Next(&event); event.Edge.Node.Actor.ID == ada.ID {
			t.Error("a reminder in vain came over a subscription")
		}
		ben.Respond(invitation, "ACCEPT")
		var data struct{ Node apptest.Invitation }
		ben.Get(&data, `query($i: ID!) { node(id: $i) { ... on Invitation { lastRemindedAt } } }`, apptest.Vars{"i": invitation})
		if data.Node.LastRemindedAt != nil {
			t.Error("accepted from the archive, it shows a reminder")
		}
	})
}

// Concurrent reminders are one.
func TestRaceReminders(t *testing.T) {
	t.Parallel()
	eachWithClock(t, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		invitation := ada.Invite(ben.ID, "").Invitation.ID
		clock.Advance(8 * day)
		codes := make([]string, 8)
		var all []func()
		for i := range codes {
			all = append(all, func() { codes[i] = ada.Remind(invitation).Code() })
		}
		together(all...)
		slices.Sort(codes)
		if codes[0] != "" || codes[1] != "REMINDER_TOO_SOON" {
			t.Errorf("got %v", codes)
		}
		if got := inboxOf(ben); len(got) != 2 {
			t.Errorf("the recipient was told %v", got)
		}
	})
}
