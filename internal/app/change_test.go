package app_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
)

const subscribeChanges = `subscription { networkChanged { kind member { id } invitation { id state } unreadNotificationCount } }`

// tab is a member's open tab, which hears of silent changes.
type tab struct {
	*apptest.Client

	socket *apptest.Socket
	stream *apptest.Stream
}

func openTab(c *apptest.Client) *tab {
	socket := c.Connect()
	return &tab{c, socket, socket.Subscribe(subscribeChanges, nil)}
}

// changes gives what the tab has heard, up to a change of the member's own that comes last: having read a notification.
func (o *tab) changes(t *testing.T, s *apptest.Server, marker string) []string {
	t.Helper()
	s.As(t, marker).Invite(o.ID, "")
	markAllRead(o.Client)
	var out []string
	for {
		var event struct {
			NetworkChanged struct {
				Kind                    string
				Member                  *struct{ ID string }
				Invitation              *struct{ State string }
				UnreadNotificationCount int
			}
		}
		o.stream.Next(&event)
		c := event.NetworkChanged
		if c.Kind == "NOTIFICATIONS_READ" {
			if c.Member != nil || c.Invitation != nil || c.UnreadNotificationCount != 0 {
				t.Errorf("%+v", c)
			}
			return out[:len(out)-1] // without the marker's invitation
		}
		state := ""
		if c.Invitation != nil {
			state = " " + c.Invitation.State
		}
		out = append(out, c.Kind+state)
	}
}

func markAllRead(c *apptest.Client) {
	var data struct {
		Viewer struct {
			Notifications struct{ PageInfo pageInfo }
		}
	}
	c.Get(&data, `{ viewer { notifications(first: 1) { pageInfo { startCursor } } } }`, nil)
	c.Get(&struct{}{}, `mutation($c: String!) { markNotificationsRead(input: {through: $c}) { unreadNotificationCount } }`,
		apptest.Vars{"c": data.Viewer.Notifications.PageInfo.StartCursor})
}

// Every open tab of both hears of what concerns it, once and in order, and of nothing that the other did in silence.
func TestNetworkChanged(t *testing.T) {
	t.Parallel()
	eachWithPolicy(t, func(c *app.Config) { c.Policy.ReinviteCooldown = 0 }, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		const added, closed = "INVITATION_ADDED", "INVITATION_CLOSED"
		for i, c := range []struct {
			what              string
			do                func(a, b *apptest.Client)
			sender, recipient []string
		}{
			{"sent", func(a, b *apptest.Client) { a.Invite(b.ID, "") }, []string{added + " PENDING"}, []string{added + " PENDING"}},
			{
				"accepted", func(a, b *apptest.Client) { b.Respond(a.Invite(b.ID, "").Invitation.ID, "ACCEPT") },
				[]string{added, closed + " ACCEPTED", "CONNECTION_ADDED ACCEPTED"}, []string{added, closed + " ACCEPTED", "CONNECTION_ADDED ACCEPTED"},
			},
			{
				"crossed", func(a, b *apptest.Client) { a.Invite(b.ID, ""); b.Invite(a.ID, "") },
				[]string{added, closed + " ACCEPTED", "CONNECTION_ADDED ACCEPTED"}, []string{added, closed + " ACCEPTED", "CONNECTION_ADDED ACCEPTED"},
			},
			{
				"ignored", func(a, b *apptest.Client) { b.Respond(a.Invite(b.ID, "").Invitation.ID, "IGNORE") },
				[]string{added + " PENDING"}, []string{added, closed + " IGNORED"},
			},
			{
				"flagged", func(a, b *apptest.Client) { b.Respond(a.Invite(b.ID, "").Invitation.ID, "DONT_KNOW") },
				[]string{added + " PENDING"}, []string{added, closed + " IGNORED"},
			},
			{
				"declined", func(a, b *apptest.Client) { b.Respond(a.Invite(b.ID, "").Invitation.ID, "DECLINE") },
				[]string{added + " PENDING"}, []string{added, closed + " DECLINED"},
			},
			{
				"withdrawn", func(a, b *apptest.Client) { a.Withdraw(a.Invite(b.ID, "").Invitation.ID) },
				[]string{added, closed + " WITHDRAWN"}, []string{added, closed + " WITHDRAWN"},
			},
			{
				"ignored, then withdrawn", func(a, b *apptest.Client) {
					i := a.Invite(b.ID, "").Invitation.ID
					b.Respond(i, "IGNORE")
					a.Withdraw(i)
				}, []string{added, closed + " WITHDRAWN"}, []string{added, closed, closed + " WITHDRAWN"},
			},
			{
				"declined, then withdrawn", func(a, b *apptest.Client) {
					i := a.Invite(b.ID, "").Invitation.ID
					b.Respond(i, "DECLINE")
					a.Withdraw(i)
				}, []string{added, closed + " WITHDRAWN"}, []string{added, closed},
			},
			{
				"expired", func(a, b *apptest.Client) {
					a.Invite(b.ID, "")
					clock.Advance(181 * day)
					s.RunTasks(t)
				}, []string{added, closed + " EXPIRED"}, []string{added, closed + " EXPIRED"},
			},
			{
				"declined, then expired", func(a, b *apptest.Client) {
					b.Respond(a.Invite(b.ID, "").Invitation.ID, "DECLINE")
					clock.Advance(181 * day)
					s.RunTasks(t)
				}, []string{added, closed + " EXPIRED"}, []string{added, closed},
			},
			{
				"reminded", func(a, b *apptest.Client) {
					i := a.Invite(b.ID, "").Invitation.ID
					clock.Advance(8 * day)
					a.Remind(i)
				}, []string{added}, []string{added},
			},
			{
				"removed", func(a, b *apptest.Client) { apptest.Connect(a, b); a.Remove(b.ID) },
				[]string{added, closed, "CONNECTION_ADDED", "CONNECTION_REMOVED"}, []string{added, closed, "CONNECTION_ADDED", "CONNECTION_REMOVED"},
			},
			{
				"blocked with an open invitation", func(a, b *apptest.Client) { a.Invite(b.ID, ""); b.Block(a.ID) },
				[]string{added, closed}, []string{added, closed},
			},
			{
				"blocked after a decline", func(a, b *apptest.Client) {
					b.Respond(a.Invite(b.ID, "").Invitation.ID, "DECLINE")
					b.Block(a.ID)
				}, []string{added, closed}, []string{added, closed},
			},
			{
				"blocked when connected", func(a, b *apptest.Client) { apptest.Connect(a, b); b.Block(a.ID) },
				[]string{added, closed, "CONNECTION_ADDED", "CONNECTION_REMOVED"}, []string{added, closed, "CONNECTION_ADDED", "CONNECTION_REMOVED"},
			},
			{"blocked with nothing between them", func(a, b *apptest.Client) { b.Block(a.ID) }, nil, nil},
		} {
			a, b := s.As(t, fmt.Sprint("a", i)), s.As(t, fmt.Sprint("b", i))
			first, second, other := openTab(a), openTab(a), openTab(b)
			c.do(a, b)
			for side, got := range map[string][]string{
				"sender": first.changes(t, s, fmt.Sprint("x", i)), "recipient": other.changes(t, s, fmt.Sprint("y", i)),
			} {
				want := c.sender
				if side == "recipient" {
					want = c.recipient
				}
				// What an event holds is as of now, so the states of earlier ones depend on when they are read.
				if !slices.EqualFunc(got, want, func(g, w string) bool { return len(g) >= len(w) && g[:len(w)] == w }) {
					t.Errorf("%s: the %s hears %v, want %v", c.what, side, got, want)
				}
			}
			for range len(c.sender) + 2 { // with the mark, and its having been read
				second.stream.Message()
			}
			second.socket.Ping()
			if more := second.stream.Drain(); len(more) != 0 {
				t.Errorf("%s: another tab of the sender hears %d times more", c.what, len(more))
			}
			first.socket.Close()
			second.socket.Close()
			other.socket.Close()
		}
	})
}

// A change is under no preference, no pause, and no notification.
func TestNetworkChangedUnderNoPreference(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		prefer(t, ben, inApp("INVITATION_RECEIVED", "OFF"))
		prefer(t, ben, apptest.Vars{"pausedUntil": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
		open := openTab(ben)
		ada.Invite(ben.ID, "")
		m := open.stream.Message()
		var payload struct {
			Data struct{ NetworkChanged struct{ Kind string } }
		}
		if err := json.Unmarshal(m.Payload, &payload); err != nil || payload.Data.NetworkChanged.Kind != "INVITATION_ADDED" {
			t.Errorf("got %s (%v)", m.Payload, err)
		}
		if got := inboxOf(ben); len(got) != 0 {
			t.Errorf("notified of %v", got)
		}
	})
}
