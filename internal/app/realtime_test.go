package app_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// actors takes the next n events of a stream, and gives who did them.
func actors(s *apptest.Stream, n int) (ids []string, last string) {
	for range n {
		var event edgeEvent
		s.Next(&event)
		ids = append(ids, event.Edge.Node.Actor.ID)
		last = event.Edge.Cursor
	}
	return ids, last
}

// invites makes n new members invite one, and gives them in order.
func invites(t *testing.T, s *apptest.Server, to *apptest.Client, prefix string, n int) []string {
	t.Helper()
	var ids []string
	for i := range n {
		c := s.As(t, fmt.Sprint(prefix, i))
		if got := c.Invite(to.ID, ""); got.Code() != "" {
			t.Fatalf("invite gave %s", got.Code())
		}
		ids = append(ids, c.ID)
	}
	return ids
}

// With after, what was missed comes first, and then what happens: no gap, no duplicate, through lost connections and a
// restarted server, and whatever the page size of the reading is.
func TestResume(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s := apptest.Start(t, database)
		ada := s.As(t, "ada")
		socket := ada.Connect()
		live := socket.Subscribe(subscribeNotifications, nil)
		want := invites(t, s, ada, "first", 3)
		got, after := actors(live, 3)
		socket.Close() // a lost connection
		want = append(want, invites(t, s, ada, "missed", 150)...)

		socket = ada.Connect()
		resumed := socket.Subscribe(subscribeNotifications, apptest.Vars{"after": after})
		want = append(want, invites(t, s, ada, "live", 3)...)
		more, after := actors(resumed, 153)
		got = append(got, more...)

		s.Stop(t)
		if code := socket.CloseCode(); code != 1001 {
			t.Errorf("the server's end closed with %d", code)
		}
		s = apptest.Start(t, database)
		ada = ada.On(s)
		resumed = ada.Connect().Subscribe(subscribeNotifications, apptest.Vars{"after": after})
		want = append(want, invites(t, s, ada, "restarted", 2)...)
		more, _ = actors(resumed, 2)
		got = append(got, more...)
		if !slices.Equal(got, want) {
			t.Errorf("got %d events %v\nwant %d %v", len(got), got, len(want), want)
		}

		all, _ := actors(ada.Connect().Subscribe(subscribeNotifications, apptest.Vars{"after": ""}), len(want))
		if !slices.Equal(all, want) {
			t.Errorf("from the very beginning: %v, want %v", all, want)
		}
	})
}

// A subscription without after begins with its start, and several sockets of one member each get everything once.
func TestSeveralSockets(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada := s.As(t, "ada")
		invites(t, s, ada, "before", 2)
		var streams []*apptest.Stream
		for range 3 {
			socket := ada.Connect()
			streams = append(streams, socket.Subscribe(subscribeNotifications, nil), socket.Subscribe(subscribeNotifications, nil))
		}
		want := invites(t, s, ada, "after", 5)
		for i, stream := range streams {
			if got, _ := actors(stream, 5); !slices.Equal(got, want) {
				t.Errorf("stream %d got %v, want %v", i, got, want)
			}
		}
	})
}

// Only the categories asked for come.
func TestCategories(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		socket := ada.Connect()
		accepted := socket.Subscribe(`subscription { edge: notificationReceived(categories: [INVITATION_ACCEPTED]) { `+notificationFields+` } }`, nil)
		invites(t, s, ada, "x", 2)
		apptest.Connect(ada, ben)
		if got, _ := actors(accepted, 1); got[0] != ben.ID {
			t.Errorf("got %v, want ben's acceptance", got)
		}
		none := socket.Subscribe(`subscription { edge: notificationReceived(categories: []) { cursor } }`, nil).Message()
		if none.Type != "error" {
			t.Errorf("no categories gave %s %s", none.Type, none.Payload)
		}
	})
}

const setPreferences = `mutation($i: UpdateNotificationPreferencesInput!) { updateNotificationPreferences(input: $i) {
	notificationPreferences { pausedUntil timeZone settings { category channel frequency } } userErrors { code field } } }`

func prefer(t *testing.T, c *apptest.Client, input apptest.Vars) {
	t.Helper()
	var data struct {
		UpdateNotificationPreferences struct{ UserErrors []apptest.UserError }
	}
	c.Get(&data, setPreferences, apptest.Vars{"i": input})
	if len(data.UpdateNotificationPreferences.UserErrors) > 0 {
		t.Fatalf("%v gave %+v", input, data)
	}
}

func inApp(category, frequency string) apptest.Vars {
	return apptest.Vars{"settings": []apptest.Vars{{"category": category, "channel": "IN_APP", "frequency": frequency}}}
}

func unread(c *apptest.Client) (count, total int) {
	var data struct {
		Viewer struct {
			UnreadNotificationCount int
			Notifications           struct{ TotalCount int }
			ReceivedInvitations     struct{ TotalCount int }
		}
	}
	c.Get(&data, `{ viewer { unreadNotificationCount notifications { totalCount } } }`, nil)
	return data.Viewer.UnreadNotificationCount, data.Viewer.Notifications.TotalCount
}

// In-app OFF holds at once, on open subscriptions too: nothing is stored, counted, numbered or pushed; the invitation
// itself is still there.
func TestInAppOff(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada := s.As(t, "ada")
		socket := ada.Connect()
		notified := socket.Subscribe(subscribeNotifications, nil)
		received := socket.Subscribe(`subscription { invitation: invitationReceived { sender { id } } }`, nil)
		first := invites(t, s, ada, "before", 1)
		prefer(t, ada, inApp("INVITATION_RECEIVED", "OFF"))
		invites(t, s, ada, "silent", 2)
		if count, total := unread(ada); count != 1 || total != 1 {
			t.Errorf("%d unread of %d, want only the first", count, total)
		}
		prefer(t, ada, inApp("INVITATION_RECEIVED", "REALTIME"))
		want := slices.Concat(first, invites(t, s, ada, "after", 1))
		var sequences []int
		for i := range want {
			var event edgeEvent
			notified.Next(&event)
			sequences = append(sequences, event.Edge.Node.Sequence)
			var incoming struct{ Invitation apptest.Invitation }
			received.Next(&incoming)
			if event.Edge.Node.Actor.ID != want[i] || incoming.Invitation.Sender.ID != want[i] {
				t.Errorf("event %d is of %s and %s, want %s", i, event.Edge.Node.Actor.ID, incoming.Invitation.Sender.ID, want[i])
			}
		}
		if !slices.Equal(sequences, []int{1, 2}) {
			t.Errorf("the numbers are %v: what was not stored spent one", sequences)
		}
		var data struct {
			Viewer struct{ ReceivedInvitations struct{ TotalCount int } }
		}
		ada.Get(&data, `{ viewer { receivedInvitations { totalCount } } }`, nil)
		if data.Viewer.ReceivedInvitations.TotalCount != 4 {
			t.Errorf("%d invitations in the inbox, want all 4", data.Viewer.ReceivedInvitations.TotalCount)
		}
	})
}

// While paused nothing comes over a subscription; it collects, unread, and comes on resuming with after, and only then.
func TestPause(t *testing.T) {
	t.Parallel()
	eachWithClock(t, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		ada := s.As(t, "ada")
		socket := ada.Connect()
		notified := socket.Subscribe(subscribeNotifications, nil)
		received := socket.Subscribe(`subscription { invitation: invitationReceived { sender { id } } }`, nil)
		before := invites(t, s, ada, "before", 1)
		got, after := actors(notified, 1)
		prefer(t, ada, apptest.Vars{"pausedUntil": clock.Now().Add(time.Hour).Format(time.RFC3339)})
		held := invites(t, s, ada, "held", 2)
		if count, _ := unread(ada); count != 3 {
			t.Errorf("%d unread while paused, want 3", count)
		}
		clock.Advance(2 * time.Hour)
		later := invites(t, s, ada, "later", 1)
		more, _ := actors(notified, 1)
		if want := slices.Concat(before, later); !slices.Equal(slices.Concat(got, more), want) {
			t.Errorf("the open subscription got %v, want %v", slices.Concat(got, more), want)
		}
		for _, want := range slices.Concat(before, later) {
			var incoming struct{ Invitation apptest.Invitation }
			received.Next(&incoming)
			if incoming.Invitation.Sender.ID != want {
				t.Errorf("invitationReceived got %s, want %s", incoming.Invitation.Sender.ID, want)
			}
		}
		resumed := ada.Connect().Subscribe(subscribeNotifications, apptest.Vars{"after": after})
		if got, _ := actors(resumed, 3); !slices.Equal(got, slices.Concat(held, later)) {
			t.Errorf("resuming gave %v, want %v", got, slices.Concat(held, later))
		}
	})
}

// A pause holds through a reconnect: what it holds comes to a stream that asks for it with after, but when it is over.
func TestReconnectWhilePaused(t *testing.T) {
	t.Parallel()
	eachWithClock(t, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		ada := s.As(t, "ada")
		before := invites(t, s, ada, "before", 1)
		prefer(t, ada, apptest.Vars{"pausedUntil": clock.Now().Add(time.Hour).Format(time.RFC3339)})
		held := invites(t, s, ada, "held", 2)
		socket := ada.Connect()
		resumed := socket.Subscribe(subscribeNotifications, apptest.Vars{"after": ""})
		if got, _ := actors(resumed, 1); !slices.Equal(got, before) {
			t.Errorf("got %v, want %v", got, before)
		}
		second := ada.Connect().Subscribe(subscribeNotifications, apptest.Vars{"after": ""})
		if got, _ := actors(second, 1); !slices.Equal(got, before) {
			t.Errorf("got %v, want %v", got, before)
		}
		socket.Ping()
		if got := resumed.Drain(); len(got) != 0 {
			t.Errorf("while paused %d came", len(got))
		}
		prefer(t, ada, apptest.Vars{"resume": true})
		for _, stream := range []*apptest.Stream{resumed, second} {
			if got, _ := actors(stream, 2); !slices.Equal(got, held) {
				t.Errorf("after the pause: %v, want %v", got, held)
			}
		}
	})
}

// What was marked as read, or taken back, reads so to a subscription that opens afterwards, on whatever node it was done.
func TestFreshAfterChanges(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		here, there := apptest.Start(t, database), apptest.Start(t, database)
		ada, ben := here.As(t, "ada"), here.As(t, "ben")
		first := ada.Connect().Subscribe(subscribeNotifications, nil)
		invitation := ben.Invite(ada.ID, "").Invitation.ID
		kept := invites(t, here, ada, "kept", 1)
		var event edgeEvent
		first.Next(&event)
		first.Next(&event)
		ben.On(there).Withdraw(invitation)
		var ignored struct{}
		ada.On(there).Get(&ignored, `mutation($c: String!) { markNotificationsRead(input: {through: $c}) { unreadNotificationCount } }`, apptest.Vars{"c": event.Edge.Cursor})
		second := ada.Connect().Subscribe(subscribeNotifications, apptest.Vars{"after": ""})
		second.Next(&event)
		if event.Edge.Node.Actor.ID != kept[0] || event.Edge.Node.ReadAt == nil {
			t.Errorf("the inbox begins with %+v", event.Edge.Node)
		}
	})
}

// resume ends a pause at once.
func TestResumeFromPause(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada := s.As(t, "ada")
		notified := ada.Connect().Subscribe(subscribeNotifications, nil)
		prefer(t, ada, apptest.Vars{"pausedUntil": time.Now().Add(time.Hour).Format(time.RFC3339)})
		invites(t, s, ada, "held", 1)
		prefer(t, ada, apptest.Vars{"resume": true})
		want := invites(t, s, ada, "after", 1)
		if got, _ := actors(notified, 1); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// A withdrawal takes its notification along, read or not; its number is skipped, and no other.
func TestWithdrawalTakesTheNotification(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		first := ben.Invite(ada.ID, "").Invitation.ID
		want := invites(t, s, ada, "kept", 1)
		ben.Withdraw(first)
		if count, total := unread(ada); count != 1 || total != 1 {
			t.Errorf("%d unread of %d, want one", count, total)
		}
		stream := ada.Connect().Subscribe(subscribeNotifications, apptest.Vars{"after": ""})
		var event edgeEvent
		stream.Next(&event)
		if event.Edge.Node.Actor.ID != want[0] || event.Edge.Node.Sequence != 2 {
			t.Errorf("the inbox begins with %+v", event.Edge.Node)
		}
		invites(t, s, ada, "next", 1)
		stream.Next(&event)
		if event.Edge.Node.Sequence != 3 {
			t.Errorf("the next number is %d", event.Edge.Node.Sequence)
		}
	})
}

// When the token that opened a socket expires, the socket closes with 4403.
func TestTokenExpiryClosesTheSocket(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t))
	const ttl = 2 * time.Second // tokens count in whole seconds
	c := s.WithToken(t, apptest.Token(t, member.Claims{Subject: "short"}, ttl))
	socket := c.Connect()
	socket.Subscribe(subscribeNotifications, nil)
	if code := socket.CloseCode(); code != 4403 {
		t.Errorf("closed with %d", code)
	}
}

// What another process wrote, whose wake-up never came, is found by the sweep.
func TestSweep(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		fast := func(c *app.Config) { c.BrokerSweep = 20 * time.Millisecond }
		here, there := apptest.Start(t, database, fast), apptest.Start(t, database, fast)
		ada := here.As(t, "ada")
		notified := ada.Connect().Subscribe(subscribeNotifications, nil)
		want := invites(t, there, ada, "elsewhere", 3)
		if got, _ := actors(notified, 3); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// A reader that stops is caught up later, from the table, and nobody else waits for it.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada := s.As(t, "ada")
		slow := ada.Connect()
		slowly := slow.SubscribeWithoutReading(subscribeNotifications, nil)
		quick := ada.Connect().Subscribe(subscribeNotifications, nil)
		want := invites(t, s, ada, "x", 100)
		if got, _ := actors(quick, 100); !slices.Equal(got, want) {
			t.Errorf("the quick one got %d events", len(got))
		}
		slow.StartReading()
		if got, _ := actors(slowly, 100); !slices.Equal(got, want) {
			t.Errorf("the slow one got %d events", len(got))
		}
	})
}

// A cursor that is none is refused, and nothing is started.
func TestBadAfter(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t))
	socket := s.As(t, "ada").Connect()
	for _, after := range []string{"x", "AAAA", "BAAAAAAAAAAA", "BP__________", "\u0000"} {
		m := socket.Subscribe(subscribeNotifications, apptest.Vars{"after": after}).Message()
		var errs []struct{ Extensions struct{ Code string } }
		if err := json.Unmarshal(m.Payload, &errs); m.Type != "error" || err != nil || errs[0].Extensions.Code != "BAD_USER_INPUT" {
			t.Errorf("after %q gave %s %s", after, m.Type, m.Payload)
		}
	}
}
