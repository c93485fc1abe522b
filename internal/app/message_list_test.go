package app_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// bothWays checks a list of items, newest first, in pages of any size and both ways; between does something in the midst
// of it that must not disturb.
func bothWays(t *testing.T, what string, want []string, between func(), read func(args string) listPage) {
	t.Helper()
	for _, n := range []int{1, 2, 3, len(want), 100} {
		forward := walk(t, n, between, func(first int, after *string) listPage {
			args := fmt.Sprintf("first: %d", first)
			if after != nil {
				args += fmt.Sprintf(", after: %q", *after)
			}
			return read(args)
		})
		if !slices.Equal(forward, want) {
			t.Errorf("%s in pages of %d: %v, want %v", what, n, forward, want)
		}
		var backward []string
		args := fmt.Sprintf("last: %d", n)
		for {
			page := read(args)
			if len(page.Edges) > n || len(page.Edges) == 0 {
				t.Fatalf("%s(%s): %+v", what, args, page)
			}
			var ids []string
			for _, e := range page.Edges {
				ids = append(ids, e.Node.ID)
			}
			backward = append(ids, backward...)
			if !page.PageInfo.HasPreviousPage {
				break
			}
			args = fmt.Sprintf("last: %d, before: %q", n, *page.PageInfo.StartCursor)
			if page = read(args); !page.PageInfo.HasNextPage {
				t.Errorf("%s(%s): no next page", what, args)
			}
		}
		if !slices.Equal(backward, want) {
			t.Errorf("%s backward in pages of %d: %v, want %v", what, n, backward, want)
		}
	}
}

// A conversation's messages: newest first, both ways, each once, whatever is written meanwhile.
func TestMessagesBothWays(t *testing.T) {
	t.Parallel()
	const items = 7
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		apptest.Connect(ada, ben)
		var want []string
		conversation, total := "", items
		for i := range items {
			m := []*apptest.Client{ada, ben}[i%2].Send([]*apptest.Client{ben, ada}[i%2].ID, fmt.Sprint(i)).Message
			want, conversation = append([]string{m.ID}, want...), m.Conversation.ID
		}
		read := func(args string) listPage {
			t.Helper()
			var data struct{ Node struct{ List listPage } }
			ada.Get(&data, `query($id: ID!) { node(id: $id) { ... on Conversation { list: messages(`+args+`)`+pageFields+`} } }`, apptest.Vars{"id": conversation})
			if data.Node.List.TotalCount != total {
				t.Errorf("%d of %d messages", data.Node.List.TotalCount, total)
			}
			return data.Node.List
		}
		bothWays(t, "messages", want, func() {}, read)
		if page := read("first: 0"); len(page.Edges) != 0 || !page.PageInfo.HasNextPage {
			t.Errorf("first 0: %+v", page)
		}
		forward := walk(t, 2, func() { total++; ben.Send(ada.ID, "more") }, func(first int, after *string) listPage {
			if after == nil {
				return read(fmt.Sprintf("first: %d", first))
			}
			return read(fmt.Sprintf("first: %d, after: %q", first, *after))
		})
		if !slices.Equal(forward, want) {
			t.Errorf("while more is written: %v, want %v", forward, want)
		}
		// Towards the newest, what was written meanwhile comes too.
		page := read("last: 3")
		ben.Send(ada.ID, "newest")
		total++
		if page = read(fmt.Sprintf("last: 100, before: %q", *page.PageInfo.StartCursor)); len(page.Edges) != total-3 {
			t.Errorf("%d messages before the last three of %d", len(page.Edges), total)
		}

		// Cursors of other lists, and of other conversations, are none.
		cleo := s.As(t, "cleo")
		apptest.Connect(ada, cleo)
		other := ada.Send(cleo.ID, "hi").Message.Conversation.ID
		var lists struct {
			Viewer struct{ Conversations, Notifications listPage }
		}
		ada.Get(&lists, `{ viewer { conversations { edges { cursor } } notifications { edges { cursor } } } }`, nil)
		for what, cursor := range map[string]string{
			"of another conversation": *page.PageInfo.StartCursor, "of conversations": lists.Viewer.Conversations.Edges[0].Cursor,
			"of notifications": lists.Viewer.Notifications.Edges[0].Cursor, "nonsense": "x", "empty": "",
		} {
			for _, arg := range []string{"after", "before"} {
				r := ada.Do(fmt.Sprintf(`query($id: ID!, $c: String) { node(id: $id) { ... on Conversation { messages(%s: $c) { nodes { id } } } } }`, arg), apptest.Vars{"id": other, "c": cursor})
				if r.Code() != "BAD_USER_INPUT" {
					t.Errorf("%s a cursor %s gave %s", arg, what, r.Raw)
				}
			}
			r := ada.Do(`mutation($i: MarkConversationReadInput!) { markConversationRead(input: $i) { userErrors { code } } }`, apptest.Vars{"i": apptest.Vars{"conversationId": other, "through": cursor}})
			if r.Code() != "BAD_USER_INPUT" {
				t.Errorf("read through a cursor %s gave %s", what, r.Raw)
			}
		}
		for _, args := range []string{"first: 1, last: 1", "first: 101", "last: 101", "first: -1", "last: -1"} {
			for _, query := range []string{`{ viewer { conversations(` + args + `) { nodes { id } } } }`, `{ node(id: "` + other + `") { ... on Conversation { messages(` + args + `) { nodes { id } } } } }`} {
				if r := ada.Do(query, nil); r.Code() != "BAD_USER_INPUT" {
					t.Errorf("%s gave %s", query, r.Raw)
				}
			}
		}
	})
}

// Conversations: the last written first, both ways; one that is written in while a page is turned moves to the top, and
// disturbs none that is still to come. Those of one instant have an order, too.
func TestConversationsBothWays(t *testing.T) {
	t.Parallel()
	const items = 7
	for name, clock := range map[string]func() func() time.Time{
		"in time": func() func() time.Time { return app.Now },
		"in one instant": func() func() time.Time {
			instant := app.Now()
			return func() time.Time { return instant }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.EachDatabase(t, func(t *testing.T, database string) {
				now := clock()
				s := apptest.Start(t, database, func(c *app.Config) { c.Now = now })
				ada := s.As(t, "ada")
				var want []string
				friends := map[string]*apptest.Client{}
				for i := range items {
					friend := s.As(t, fmt.Sprint("friend", i))
					apptest.Connect(friend, ada)
					found := friend.Send(ada.ID, "hi").Message.Conversation.ID
					want, friends[found] = append([]string{found}, want...), friend
				}
				total := items
				read := func(args string) listPage {
					t.Helper()
					var data struct{ Viewer struct{ List listPage } }
					ada.Get(&data, `{ viewer { list: conversations(`+args+`)`+pageFields+`} }`, nil)
					if data.Viewer.List.TotalCount != total {
						t.Errorf("%d of %d conversations", data.Viewer.List.TotalCount, total)
					}
					return data.Viewer.List
				}
				bothWays(t, "conversations", want, func() {}, read)
				if name != "in time" {
					return
				}
				turned := 0
				forward := walk(t, 2, func() {
					turned++
					stranger := s.As(t, fmt.Sprint("stranger", turned))
					apptest.Connect(stranger, ada)
					stranger.Send(ada.ID, "new")
					friends[want[0]].Send(ada.ID, "again") // was read before
					total++
				}, func(first int, after *string) listPage {
					if after == nil {
						return read(fmt.Sprintf("first: %d", first))
					}
					return read(fmt.Sprintf("first: %d, after: %q", first, *after))
				})
				if !slices.Equal(forward, want) {
					t.Errorf("while others are written: %v, want %v", forward, want)
				}
				last := friends[want[items-1]]
				ada.Send(last.ID, "to the top")
				if got := read("first: 1").Edges[0].Node.ID; got != want[items-1] {
					t.Errorf("on top is %s, want %s", got, want[items-1])
				}
				expect(t, "blocking", ada.Block(last.ID), "")
				total--
				if got := read("first: 1").Edges[0].Node.ID; got == want[items-1] {
					t.Error("on top is a blocked member")
				}
			})
		})
	}
}

// Unread: what the other wrote beyond what was marked; writing marks all before it, and nothing becomes unread again.
func TestUnreadMessages(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		apptest.Connect(ada, ben)
		conversation := ada.Send(ben.ID, "1").Message.Conversation.ID
		check := func(what string, a, b int) {
			t.Helper()
			if x, y := conversationsOf(ada)[0].UnreadCount, conversationsOf(ben)[0].UnreadCount; x != a || y != b {
				t.Errorf("%s: %d and %d unread, want %d and %d", what, x, y, a, b)
			}
		}
		check("one message", 0, 1)
		ada.Send(ben.ID, "2")
		ada.Send(ben.ID, "3")
		check("three messages", 0, 3)
		var list struct{ Node struct{ List listPage } }
		ben.Get(&list, `query($id: ID!) { node(id: $id) { ... on Conversation { list: messages`+pageFields+`} } }`, apptest.Vars{"id": conversation})
		edges := list.Node.List.Edges
		for _, step := range []struct {
			what    string
			through any
			unread  int
		}{
			{"through the second", edges[1].Cursor, 1}, {"through the first, again", edges[2].Cursor, 1},
			{"through the newest", edges[0].Cursor, 0}, {"through the second, again", edges[1].Cursor, 0}, {"all", nil, 0},
		} {
			if unread, code := markRead(ben, apptest.Vars{"conversationId": conversation, "through": step.through}); unread != step.unread || code != "" {
				t.Errorf("%s: %d unread (%s), want %d", step.what, unread, code, step.unread)
			}
		}
		check("all read", 0, 0)
		ada.Send(ben.ID, "4")
		ada.Send(ben.ID, "5")
		check("two more", 0, 2)
		ben.Send(ada.ID, "6")
		check("answered", 1, 0)
		if unread, code := markRead(ada, apptest.Vars{"conversationId": conversation}); unread != 0 || code != "" {
			t.Errorf("all: %d unread (%s)", unread, code)
		}
		check("read by both", 0, 0)
	})
}

// No query per item: of conversations and of notifications of messages, whatever is asked of each.
func TestNoQueryPerConversation(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s := apptest.Start(t, database)
		ada := s.As(t, "ada")
		for i := range 20 {
			friend := s.As(t, fmt.Sprint("friend", i))
			apptest.Connect(friend, ada)
			friend.Send(ada.ID, "hi")
			friend.Send(ada.ID, "there")
		}
		s.Stop(t)
		var (
			mu         sync.Mutex
			statements []string
		)
		s = apptest.Start(t, database, func(c *app.Config) {
			c.BrokerSweep = time.Hour
			c.BatchWait = 50 * time.Millisecond // on a busy machine a short one would split a batch
			c.Observe = func(query string, _ []any) {
				mu.Lock()
				defer mu.Unlock()
				statements = append(statements, query)
			}
		})
		ada = ada.On(s)
		const asked = ` id canSend unreadCount with { id name relationship { status } } lastMessage { id body sender { id name } conversation { id } }
			messages(first: 2) { totalCount pageInfo { hasNextPage } nodes { id body sender { id } conversation { id unreadCount canSend } } } `
		for _, list := range []string{
			`conversations(first: $n) { totalCount nodes {` + asked + `} }`,
			`conversations(last: $n) { totalCount nodes {` + asked + `} }`,
			`notifications(first: $n) { nodes { actor { id } ... on MessageNotification { message { id body sender { id } conversation {` + asked + `} } } } }`,
		} {
			count := func(n int) int {
				mu.Lock()
				statements = nil
				mu.Unlock()
				var ignored struct{}
				ada.Get(&ignored, `query($n: Int) { viewer { `+list+` } }`, apptest.Vars{"n": n})
				mu.Lock()
				defer mu.Unlock()
				return len(statements)
			}
			few, many := count(2), count(20)
			t.Logf("%d statements for 2, %d for 20", few, many)
			if many > few {
				t.Errorf("%s\ncosts %d statements for 2 and %d for 20", list, few, many)
				for _, q := range statements {
					t.Log(q)
				}
			}
		}
	})
}
