package app_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

const hostFields = `__typename id sequence category createdAt readAt actor { id } ... on HostNotification { title body url }`

// hostNotification is a notification that the host application published.
type hostNotification struct {
	Typename  string `json:"__typename"`
	ID        string
	Sequence  int
	Category  string
	Actor     *struct{ ID string }
	Title     string
	Body, URL *string
	ReadAt    *string
}

// published gives the titles in a member's inbox, the newest first.
func published(c *apptest.Client) []string {
	var data struct {
		Viewer struct {
			Notifications struct{ Nodes []hostNotification }
		}
	}
	c.Get(&data, `{ viewer { notifications(first: 100) { nodes { `+hostFields+` } } } }`, nil)
	out := []string{}
	for _, n := range data.Viewer.Notifications.Nodes {
		out = append(out, n.Title)
	}
	return out
}

// What the host publishes is in the inbox, over subscriptions and by id, as it was given.
func TestPublishNotification(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		service, ada, ben, cyd := s.Service(t), s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cyd")
		live := ada.Connect().Subscribe(`subscription { edge: notificationReceived { cursor node { `+hostFields+` } } }`, nil)
		got := service.Publish(apptest.Vars{
			"key": "like 1", "category": "LIKE", "subjects": []string{"ada", "cyd", "nobody", "ben"}, "memberIds": []string{ada.ID, "mbr_x", "x"},
			"actorSubject": "ben", "title": " Ben likes your post ", "body": "Two\nlines", "url": "https://host.example/posts/1",
		})
		if got.Code() != "" || got.Published != 2 {
			t.Fatalf("got %+v", got)
		}
		var event struct {
			Edge struct{ Node hostNotification }
		}
		live.Next(&event)
		n := event.Edge.Node
		if n.Typename != "HostNotification" || n.Category != "LIKE" || n.Sequence != 1 || n.Actor.ID != ben.ID ||
			n.Title != "Ben likes your post" || *n.Body != "Two\nlines" || *n.URL != "https://host.example/posts/1" {
			t.Errorf("over the subscription came %+v", n)
		}
		var data struct{ Node hostNotification }
		ada.Get(&data, `query($id: ID!) { node(id: $id) { ... on HostNotification { `+hostFields+` } } }`, apptest.Vars{"id": n.ID})
		if data.Node.Title != n.Title || data.Node.ID != n.ID {
			t.Errorf("by id: %+v", data.Node)
		}
		if r := cyd.Do(`query($id: ID!) { node(id: $id) { id } }`, apptest.Vars{"id": n.ID}); string(r.Data) != `{"node":null}` {
			t.Errorf("another sees %s", r.Raw)
		}
		if got := published(cyd); !slices.Equal(got, []string{"Ben likes your post"}) {
			t.Errorf("cyd has %q", got)
		}
		if got := published(ben); len(got) != 0 {
			t.Errorf("the actor was notified of %q", got)
		}
		if r := s.As(t, "nobody"); len(published(r)) != 0 {
			t.Error("a subject that had no member was notified")
		}

		// The plainest one, by id, of every category.
		for _, category := range []string{"MENTION", "COMMENT", "LIKE", "GROUP_UPDATE", "WORK_ANNIVERSARY"} {
			got := service.Publish(apptest.Vars{"key": category, "category": category, "memberIds": []string{ada.ID}, "title": category})
			if got.Code() != "" || got.Published != 1 {
				t.Errorf("%s gave %+v", category, got)
			}
			live.Next(&event)
			if n := event.Edge.Node; n.Category != category || n.Body != nil || n.URL != nil || n.Actor != nil {
				t.Errorf("%s came as %+v", category, n)
			}
		}
	})
}

// What does not fit is refused, and notifies nobody.
func TestPublishRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		service, ada := s.Service(t), s.As(t, "ada")
		many := make([]string, 101)
		for i := range many {
			many[i] = "ada"
		}
		for _, c := range []struct {
			change      apptest.Vars
			code, field string
		}{
			{apptest.Vars{"key": " "}, "BLANK", "key"},
			{apptest.Vars{"key": strings.Repeat("k", 201)}, "TOO_LONG", "key"},
			{apptest.Vars{"category": "INVITATION_RECEIVED"}, "INVALID", "category"},
			{apptest.Vars{"category": "INVITATION_ACCEPTED"}, "INVALID", "category"},
			{apptest.Vars{"category": "MESSAGE"}, "INVALID", "category"},
			{apptest.Vars{"subjects": []string{}}, "INVALID", "subjects"},
			{apptest.Vars{"subjects": nil}, "INVALID", "subjects"},
			{apptest.Vars{"subjects": many}, "INVALID", "subjects"},
			{apptest.Vars{"title": ""}, "BLANK", "title"},
			{apptest.Vars{"title": "two\nlines"}, "INVALID", "title"},
			{apptest.Vars{"title": strings.Repeat("é", 201)}, "TOO_LONG", "title"},
			{apptest.Vars{"body": strings.Repeat("é", 2001)}, "TOO_LONG", "body"},
			{apptest.Vars{"body": "a\u0000b"}, "INVALID", "body"},
			{apptest.Vars{"url": "javascript:alert(1)"}, "INVALID", "url"},
			{apptest.Vars{"url": "/relative"}, "INVALID", "url"},
			{apptest.Vars{"url": "https://x/" + strings.Repeat("x", 2048)}, "TOO_LONG", "url"},
			{apptest.Vars{"actorSubject": "nobody"}, "MEMBER_NOT_FOUND", "actorSubject"},
			{apptest.Vars{"actorId": "x"}, "MEMBER_NOT_FOUND", "actorId"},
			{apptest.Vars{"actorId": ada.ID, "actorSubject": "ada"}, "INVALID", "actorSubject"},
		} {
			input := apptest.Vars{"key": "k", "category": "LIKE", "subjects": []string{"ada"}, "title": "t"}
			maps.Copy(input, c.change)
			got := service.Publish(input)
			if got.Code() != c.code || got.Published != 0 || got.UserErrors[0].Field[0] != c.field {
				t.Errorf("%v gave %+v", c.change, got)
			}
		}
		if got := published(ada); len(got) != 0 {
			t.Errorf("what was refused notified: %q", got)
		}
	})
}

// The same key publishes once, however often and at once; with other content it is refused.
func TestPublishOnce(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s, other := apptest.Start(t, database), apptest.Start(t, database)
		service, ada, ben := s.Service(t), s.As(t, "ada"), s.As(t, "ben")
		for round := range rounds {
			input := apptest.Vars{"key": fmt.Sprint("k", round), "category": "COMMENT", "subjects": []string{"ada", "ben"}, "title": fmt.Sprint("t", round)}
			turned := apptest.Vars{"subjects": []string{"ben", "ada"}}
			for name, value := range input {
				if name != "subjects" {
					turned[name] = value
				}
			}
			var (
				mu  sync.Mutex
				got []apptest.Managed
			)
			do := func(node *apptest.Server, input apptest.Vars) func() {
				return func() {
					g := service.On(node).Publish(input)
					mu.Lock()
					defer mu.Unlock()
					got = append(got, g)
				}
			}
			together(do(s, input), do(other, turned), do(s, turned), do(other, input))
			for _, g := range got {
				if g.Code() != "" || g.Published != 2 {
					t.Fatalf("got %+v", g)
				}
			}
		}
		for _, c := range []*apptest.Client{ada, ben} {
			titles := published(c)
			if unique := slices.Compact(slices.Clone(titles)); len(titles) != rounds || len(unique) != rounds {
				t.Errorf("%s was notified of %q", c.Handle, titles)
			}
		}
		others := apptest.Vars{
			"category": "LIKE", "subjects": []string{"ada"}, "title": "x", "body": "x", "url": "https://x.example", "actorSubject": "ben",
		}
		for field, value := range others {
			input := apptest.Vars{"key": "k0", "category": "COMMENT", "subjects": []string{"ada", "ben"}, "title": "t0"}
			input[field] = value
			if got := service.Publish(input); got.Code() != "INVALID" || got.UserErrors[0].Field[0] != "key" || got.Published != 0 {
				t.Errorf("another %s under the same key gave %+v", field, got)
			}
		}
		// One key for different members at once: one of the two is published.
		for round := range rounds {
			var a, b apptest.Managed
			key := fmt.Sprint("race ", round)
			together(
				func() {
					a = service.Publish(apptest.Vars{"key": key, "category": "LIKE", "subjects": []string{"ada"}, "title": key})
				},
				func() {
					b = service.On(other).Publish(apptest.Vars{"key": key, "category": "LIKE", "subjects": []string{"ben"}, "title": key})
				},
			)
			if codes := []string{a.Code(), b.Code()}; !slices.Contains(codes, "") || !slices.Contains(codes, "INVALID") || a.Published+b.Published != 1 {
				t.Errorf("got %+v and %+v", a, b)
			}
		}
	})
}

// What is published passes the preferences as everything does, and stops at suspensions and blocks.
func TestPublishPreferences(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		var clock apptest.Clock
		s := apptest.Start(t, database, func(c *app.Config) { c.Now = clock.Now })
		service, muted, paused, suspended := s.Service(t), s.As(t, "muted"), s.As(t, "paused"), s.As(t, "suspended")
		blocked, blocking, ada := s.As(t, "blocked"), s.As(t, "blocking"), s.As(t, "ada")
		prefer := func(c *apptest.Client, input apptest.Vars) {
			var data struct {
				Update struct{ UserErrors []apptest.UserError }
			}
			c.Get(&data, `mutation($i: UpdateNotificationPreferencesInput!) { update: updateNotificationPreferences(input: $i) { userErrors { code } } }`, apptest.Vars{"i": input})
			if len(data.Update.UserErrors) > 0 {
				t.Fatal(data.Update.UserErrors)
			}
		}
		prefer(muted, apptest.Vars{"settings": []apptest.Vars{{"category": "LIKE", "channel": "IN_APP", "frequency": "OFF"}}})
		prefer(paused, apptest.Vars{"pausedUntil": clock.Now().Add(time.Hour).Format(time.RFC3339)})
		live := paused.Connect().Subscribe(`subscription { edge: notificationReceived { node { `+hostFields+` } } }`, nil)
		service.Suspend("suspended", true)
		ada.Block(blocked.ID)
		blocking.Block(ada.ID)
		everybody := []string{"muted", "paused", "suspended", "blocked", "blocking"}

		got := service.Publish(apptest.Vars{"key": "1", "category": "LIKE", "subjects": everybody, "actorSubject": "ada", "title": "like"})
		if got.Code() != "" || got.Published != 2 {
			t.Errorf("got %+v, want the muted and the paused", got)
		}
		if got := service.Publish(apptest.Vars{"key": "2", "category": "MENTION", "subjects": everybody, "title": "mention"}); got.Published != 4 {
			t.Errorf("without an actor, got %+v", got)
		}
		service.Suspend("suspended", false)
		for c, want := range map[*apptest.Client][]string{
			muted: {"mention"}, paused: {"mention", "like"}, suspended: {}, blocked: {"mention"}, blocking: {"mention"}, ada: {},
		} {
			if got := published(c); !slices.Equal(got, want) {
				t.Errorf("%s has %q, want %q", c.Handle, got, want)
			}
		}
		prefer(paused, apptest.Vars{"resume": true})
		service.Publish(apptest.Vars{"key": "3", "category": "LIKE", "subjects": everybody, "title": "after the pause"})
		var event struct {
			Edge struct{ Node hostNotification }
		}
		if live.Next(&event); event.Edge.Node.Title != "after the pause" {
			t.Errorf("while paused came %+v", event.Edge.Node)
		}
	})
}

// A list of them costs no statement per item.
func TestPublicationsAreReadTogether(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		var (
			mu         sync.Mutex
			statements []string
		)
		s := apptest.Start(t, database, func(c *app.Config) {
			c.BrokerSweep, c.NoTasks, c.BatchWait = time.Hour, true, 50*time.Millisecond
			c.Observe = func(query string, _ []any) {
				mu.Lock()
				defer mu.Unlock()
				if strings.Contains(query, "publications") {
					statements = append(statements, query)
				}
			}
		})
		service, ada := s.Service(t), s.As(t, "ada")
		for i := range 20 {
			service.Publish(apptest.Vars{"key": fmt.Sprint(i), "category": "LIKE", "subjects": []string{"ada"}, "title": "t"})
		}
		mu.Lock()
		statements = nil
		mu.Unlock()
		if got := published(ada); len(got) != 20 {
			t.Fatalf("got %q", got)
		}
		mu.Lock()
		defer mu.Unlock()
		if len(statements) != 1 {
			t.Errorf("20 publications took %d statements: %q", len(statements), statements)
		}
	})
}
