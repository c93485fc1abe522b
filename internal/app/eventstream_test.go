package app_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// A subscription over server-sent events: each has its cursor as id, and a client that comes again with the last one
// gets exactly what followed, whatever after its address still says.
func TestEventsResume(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s := apptest.Start(t, database)
		ada, token := s.As(t, "ada"), tokenOf(t, "ada", time.Hour)
		live := listen(t, s, token, subscribeNotifications, nil).started()
		want := invites(t, s, ada, "first", 5)
		var got []string
		var edges []edge
		for range 5 {
			edges = append(edges, live.notification())
			got = append(got, edges[len(edges)-1].Node.Actor.ID)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		live.close()
		want = append(want, invites(t, s, ada, "missed", 70)...) // more than a page of the hub's

		for _, from := range []int{0, 3} {
			last := edges[from]
			for _, vars := range []apptest.Vars{nil, {"after": ""}, {"after": edges[4].Cursor}} {
				again := listen(t, s, token, subscribeNotifications, vars, "Last-Event-ID", last.Cursor).started()
				for i, actor := range want[from+1:] {
					if e := again.notification(); e.Node.Actor.ID != actor || e.Node.Sequence != from+i+2 {
						t.Fatalf("after %d with %v, event %d is number %d", from, vars, i, e.Node.Sequence)
					}
				}
				again.close()
			}
		}

		// With the last of all, and after a restart, what happens next comes first.
		all := listen(t, s, token, subscribeNotifications, apptest.Vars{"after": ""}).started()
		var last edge
		for range want {
			last = all.notification()
		}
		s.Stop(t)
		if e := all.event(); e != nil {
			t.Errorf("at the end came %+v", e)
		}
		s = apptest.Start(t, database)
		resumed := listen(t, s, token, subscribeNotifications, apptest.Vars{"after": ""}, "Last-Event-ID", last.Cursor).started()
		next := invites(t, s, ada.On(s), "restarted", 1)
		if e := resumed.notification(); e.Node.Actor.ID != next[0] {
			t.Errorf("got %+v, want %s", e, next[0])
		}
	})
}

// The id of an event is its cursor even where the client does not ask for it, or has other categories left out; and what
// has no cursor has no id.
func TestEventIDs(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t))
	ada, ben, token := s.As(t, "ada"), s.As(t, "ben"), tokenOf(t, "ada", time.Hour)
	bare := listen(t, s, token, `subscription { edge: notificationReceived { node { sequence } } }`, nil).started()
	accepted := listen(t, s, token, `subscription { edge: notificationReceived(categories: [INVITATION_ACCEPTED]) { cursor node { sequence } } }`, nil).started()
	invitation := listen(t, s, token, `subscription { invitationReceived { id } }`, nil).started()
	invites(t, s, ada, "x", 2)
	apptest.Connect(ada, ben)
	invites(t, s, ada, "y", 1)
	for i := range 4 {
		if e := bare.notification(); e.Node.Sequence != i+1 {
			t.Errorf("got number %d, want %d", e.Node.Sequence, i+1)
		}
	}
	if e := accepted.notification(); e.Node.Sequence != 3 {
		t.Errorf("got number %d", e.Node.Sequence)
	}
	for range 3 {
		if e := invitation.event(); e == nil || e.name != "next" || e.id != "" || !strings.Contains(e.data, "inv_") {
			t.Errorf("got %+v", e)
		}
	}
}

func TestEventsMalformedLastEventID(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t))
	ada, token := s.As(t, "ada"), tokenOf(t, "ada", time.Hour)
	var data struct {
		Viewer struct {
			ReceivedInvitations struct{ Edges []struct{ Cursor string } }
		}
	}
	invites(t, s, ada, "x", 1)
	ada.Get(&data, `{ viewer { receivedInvitations { edges { cursor } } } }`, nil)
	for _, id := range []string{"x", "1", "null", "BAAAAAAAAAAA", "<script>", data.Viewer.ReceivedInvitations.Edges[0].Cursor} {
		e := listen(t, s, token, subscribeNotifications, nil, "Last-Event-ID", id).started()
		if code := e.failed(); code != "BAD_USER_INPUT" {
			t.Errorf("%q gave %s", id, code)
		}
	}
	// It says nothing to others.
	for _, query := range []string{`{ viewer { member { id } } }`, `{ __typename }`} {
		e := listen(t, s, token, query, nil, "Last-Event-ID", "x").started()
		if got := e.event(); got == nil || strings.Contains(got.data, "errors") {
			t.Errorf("%s gave %+v", query, got)
		}
		e.completed()
	}
}

// Last-Event-ID is of event streams: on a socket it changes nothing.
func TestSocketHasNoLastEventID(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t))
	ada := s.As(t, "ada")
	invites(t, s, ada, "x", 2)
	e := listen(t, s, tokenOf(t, "ada", time.Hour), subscribeNotifications, apptest.Vars{"after": ""}).started()
	e.notification()
	second := e.notification()
	c := dial(t, s, http.Header{"Last-Event-Id": {second.Cursor}})
	c.init(tokenOf(t, "ada", time.Hour))
	c.write(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]any{"query": subscribeNotifications, "variables": apptest.Vars{"after": ""}}})
	c.write(map[string]any{"type": "ping"})
	invites(t, s, ada, "y", 1)
	var sequences []string
	for len(sequences) < 3 {
		if m := c.read(); m.Type == "next" {
			sequences = append(sequences, string(m.Payload))
			if strings.Contains(string(m.Payload), `"sequence":3`) {
				break
			}
		}
	}
	if len(sequences) != 3 {
		t.Errorf("from the very beginning came %q", sequences)
	}
}

func TestEventsUnauthenticated(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t))
	for _, query := range []string{subscribeNotifications, `subscription { invitationReceived { id } }`, `{ viewer { id } }`} {
		e := listen(t, s, "", query, nil).started()
		if code := e.failed(); code != "UNAUTHENTICATED" {
			t.Errorf("%s gave %s", query, code)
		}
	}
	if e := listen(t, s, "bad", subscribeNotifications, nil); e.status != http.StatusUnauthorized {
		t.Errorf("a bad token: status %d", e.status)
	}
}

// Streams of events are not compressed, and tell proxies to pass them on.
func TestEventsHeaders(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t))
	ada, token := s.As(t, "ada"), tokenOf(t, "ada", time.Hour)
	e := listen(t, s, token, subscribeNotifications, nil, "Accept-Encoding", "gzip, zstd, br").started()
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream; charset=utf-8", "Content-Encoding": "", "Cache-Control": "no-store",
		"X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff", "Content-Length": "",
	} {
		if got := e.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if e.header.Get("X-Request-Id") == "" {
		t.Error("no X-Request-Id")
	}
	other := s.As(t, "other")
	if got := other.Invite(ada.ID, strings.Repeat("ä", 300)); got.Code() != "" {
		t.Fatal(got.Code())
	}
	if got := e.notification(); *got.Node.Invitation.Note != strings.Repeat("ä", 300) {
		t.Errorf("got %+v", got)
	}
}

// Subscriptions over events and over sockets count together, and are given back when they end.
func TestEventsShareTheLimit(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t), func(c *app.Config) { c.Limits.SubscriptionsPerMember = 3 })
	ada, token := s.As(t, "ada"), tokenOf(t, "ada", time.Hour)
	socket := ada.Connect()
	socket.Subscribe(subscribeNotifications, nil)
	first := listen(t, s, token, subscribeNotifications, nil).started()
	second := listen(t, s, token, `subscription { invitationReceived { id } }`, nil).started()
	if e := listen(t, s, token, subscribeNotifications, nil); e.status != http.StatusTooManyRequests {
		t.Errorf("one over the limit: status %d", e.status)
	}
	if m := socket.Subscribe(subscribeNotifications, nil).Message(); m.Type != "error" || !strings.Contains(string(m.Payload), "RATE_LIMITED") {
		t.Errorf("one over the limit: %s %s", m.Type, m.Payload)
	}
	s.As(t, "ben")
	listen(t, s, tokenOf(t, "ben", time.Hour), subscribeNotifications, nil).started()
	query := listen(t, s, token, `{ viewer { id } }`, nil).started() // no subscription
	query.event()
	query.completed()

	first.close()
	second.close()
	for range 2 {
		again := listen(t, s, token, subscribeNotifications, nil)
		for deadline := time.Now().Add(apptest.Patience); again.status == http.StatusTooManyRequests && time.Now().Before(deadline); {
			again.close() // the server has not seen yet that the client is gone
			again = listen(t, s, token, subscribeNotifications, nil)
		}
		again.started()
	}
	if e := listen(t, s, token, subscribeNotifications, nil); e.status != http.StatusTooManyRequests {
		t.Errorf("one over the limit again: status %d", e.status)
	}
}

// A stream ends with the token that opened it; no complete is told, so that a client tries again.
func TestEventsEndWithTheToken(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t))
	s.As(t, "ada")
	began := time.Now()
	e := listen(t, s, tokenOf(t, "ada", 2*time.Second), subscribeNotifications, nil).started()
	if got := e.event(); got != nil {
		t.Errorf("at the end came %+v", got)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// The server's end does not wait for streams: they end at once.
func TestEventsEndWithTheServer(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t))
	s.As(t, "ada")
	e := listen(t, s, tokenOf(t, "ada", time.Hour), subscribeNotifications, nil).started()
	began := time.Now()
	s.Stop(t)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the server took %v to end", took)
	}
	if got := e.event(); got != nil {
		t.Errorf("at the end came %+v", got)
	}
}
