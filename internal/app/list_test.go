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

type pageInfo struct {
	HasNextPage, HasPreviousPage bool
	StartCursor, EndCursor       *string
}

type listPage struct {
	TotalCount int
	PageInfo   pageInfo
	Edges      []struct {
		Cursor string
		Node   struct {
			ID                string
			Sender, Recipient struct{ ID string }
			Sequence          int
		}
	}
}

// walk reads a whole list in pages of n, doing something between them, and gives the ids in order.
func walk(t *testing.T, n int, between func(), read func(first int, after *string) listPage) []string {
	t.Helper()
	var (
		ids   []string
		after *string
	)
	for {
		page := read(n, after)
		if len(page.Edges) > n || page.PageInfo.HasPreviousPage != (after != nil) {
			t.Fatalf("a page of %d: %+v", n, page)
		}
		for _, e := range page.Edges {
			ids = append(ids, e.Node.ID)
		}
		if !page.PageInfo.HasNextPage {
			return ids
		}
		if last := page.Edges[len(page.Edges)-1].Cursor; *page.PageInfo.EndCursor != last || *page.PageInfo.StartCursor != page.Edges[0].Cursor {
			t.Fatalf("cursors: %+v", page)
		}
		after = page.PageInfo.EndCursor
		between()
	}
}

const pageFields = ` { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { id } } } `

// Every list: newest first, in pages of any size, each item once, stable while others are added.
func TestLists(t *testing.T) {
	t.Parallel()
	const items = 7
	each(t, func(t *testing.T, s *apptest.Server) {
		ada := s.As(t, "ada")
		var connections, received, archived, sent []string
		for i := range items {
			friend, sender, ignored, recipient := s.As(t, fmt.Sprint("friend", i)), s.As(t, fmt.Sprint("sender", i)), s.As(t, fmt.Sprint("ignored", i)), s.As(t, fmt.Sprint("recipient", i))
			apptest.Connect(friend, ada)
			connections = append(connections, friend.ID)
			received = append(received, sender.Invite(ada.ID, "").Invitation.ID)
			archived = append(archived, ignored.Invite(ada.ID, "").Invitation.ID)
			ada.Respond(archived[i], "IGNORE")
			sent = append(sent, ada.Invite(recipient.ID, "").Invitation.ID)
		}
		added := 0
		for _, list := range []struct {
			field string
			want  []string
			add   func() // something newer, which must not disturb
		}{
			{"connections(first: $first, after: $after)", connections, func() { apptest.Connect(s.As(t, fmt.Sprint("newfriend", added)), ada) }},
			{"receivedInvitations(first: $first, after: $after)", received, func() { s.As(t, fmt.Sprint("newsender", added)).Invite(ada.ID, "") }},
			{"receivedInvitations(state: IGNORED, first: $first, after: $after)", archived, func() {
				ada.Respond(s.As(t, fmt.Sprint("newignored", added)).Invite(ada.ID, "").Invitation.ID, "IGNORE")
			}},
			{"sentInvitations(first: $first, after: $after)", sent, func() { ada.Invite(s.As(t, fmt.Sprint("newrecipient", added)).ID, "") }},
		} {
			read := func(first int, after *string) listPage {
				var data struct{ Viewer struct{ List listPage } }
				ada.Get(&data, `query($first: Int, $after: String) { viewer { list: `+list.field+pageFields+`} }`, apptest.Vars{"first": first, "after": after})
				return data.Viewer.List
			}
			newest := slices.Clone(list.want)
			slices.Reverse(newest)
			for _, n := range []int{1, 2, items - 1, items, 100} {
				if got := walk(t, n, func() {}, read); !slices.Equal(got, newest) {
					t.Errorf("%s in pages of %d: %v, want %v", list.field, n, got, newest)
				}
			}
			if page := read(0, nil); len(page.Edges) != 0 || page.TotalCount != items || !page.PageInfo.HasNextPage || page.PageInfo.EndCursor != nil {
				t.Errorf("%s, first 0: %+v", list.field, page)
			}
			if got := walk(t, 2, func() { added++; list.add() }, read); !slices.Equal(got, newest) {
				t.Errorf("%s while others are added: %v, want %v", list.field, got, newest)
			}
		}
	})
}

// What happened in the same instant has an order too: pages of any size give each item once.
func TestListsOfOneInstant(t *testing.T) {
	t.Parallel()
	const items = 7
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		instant := app.Now()
		s := apptest.Start(t, database, func(c *app.Config) { c.Now = func() time.Time { return instant } })
		ada := s.As(t, "ada")
		for i := range items {
			friend := s.As(t, fmt.Sprint("friend", i))
			apptest.Connect(friend, ada)
			s.As(t, fmt.Sprint("sender", i)).Invite(ada.ID, "")
			ada.Invite(s.As(t, fmt.Sprint("recipient", i)).ID, "")
		}
		for _, list := range []string{"connections", "receivedInvitations", "sentInvitations"} {
			for _, n := range []int{1, 2, 3, items} {
				got := walk(t, n, func() {}, func(first int, after *string) listPage {
					var data struct{ Viewer struct{ List listPage } }
					ada.Get(&data, `query($first: Int, $after: String) { viewer { list: `+list+`(first: $first, after: $after)`+pageFields+`} }`, apptest.Vars{"first": first, "after": after})
					return data.Viewer.List
				})
				slices.Sort(got)
				if len(slices.Compact(got)) != items {
					t.Errorf("%s in pages of %d: %v", list, n, got)
				}
			}
		}
	})
}

// The inbox pages both ways, newest first either way.
func TestInboxBothWays(t *testing.T) {
	t.Parallel()
	const items = 7
	each(t, func(t *testing.T, s *apptest.Server) {
		ada := s.As(t, "ada")
		invites(t, s, ada, "x", items)
		read := func(args string) listPage {
			var data struct{ Viewer struct{ List listPage } }
			ada.Get(&data, `{ viewer { list: notifications(`+args+`) { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { id sequence } } } } }`, nil)
			return data.Viewer.List
		}
		sequences := func(p listPage) []int {
			out := []int{}
			for _, e := range p.Edges {
				out = append(out, e.Node.Sequence)
			}
			return out
		}
		check := func(args string, want []int, next, previous bool) listPage {
			t.Helper()
			p := read(args)
			if !slices.Equal(sequences(p), want) || p.PageInfo.HasNextPage != next || p.PageInfo.HasPreviousPage != previous || p.TotalCount != items {
				t.Errorf("notifications(%s): %v %+v, want %v %v %v", args, sequences(p), p.PageInfo, want, next, previous)
			}
			return p
		}
		first := check(`first: 3`, []int{7, 6, 5}, true, false)
		second := check(fmt.Sprintf(`first: 3, after: %q`, *first.PageInfo.EndCursor), []int{4, 3, 2}, true, true)
		check(fmt.Sprintf(`first: 3, after: %q`, *second.PageInfo.EndCursor), []int{1}, false, true)
		last := check(`last: 3`, []int{3, 2, 1}, false, true)
		check(fmt.Sprintf(`last: 3, before: %q`, *last.PageInfo.StartCursor), []int{6, 5, 4}, true, true)
		check(fmt.Sprintf(`last: 3, before: %q`, *second.PageInfo.StartCursor), []int{7, 6, 5}, true, false)
		check(fmt.Sprintf(`before: %q`, *second.PageInfo.StartCursor), []int{7, 6, 5}, true, false)
	})
}

// Marking as read: some, or all through a cursor, its own included; read ones stay, unread ones count.
func TestMarkRead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, eve := s.As(t, "ada"), s.As(t, "eve")
		invites(t, s, ada, "x", 5)
		var inbox struct {
			Viewer struct{ List listPage }
		}
		ada.Get(&inbox, `{ viewer { list: notifications { edges { cursor node { id sequence } } } } }`, nil)
		edges := inbox.Viewer.List.Edges
		mark := func(c *apptest.Client, input apptest.Vars) (int, string) {
			var data struct {
				MarkNotificationsRead struct {
					UnreadNotificationCount int
					UserErrors              []apptest.UserError
				}
			}
			c.Get(&data, `mutation($i: MarkNotificationsReadInput!) { markNotificationsRead(input: $i) { unreadNotificationCount userErrors { code field } } }`, apptest.Vars{"i": input})
			m := data.MarkNotificationsRead
			return m.UnreadNotificationCount, apptest.Payload{UserErrors: m.UserErrors}.Code()
		}
		for _, step := range []struct {
			what   string
			who    *apptest.Client
			input  apptest.Vars
			unread int
			code   string
		}{
			{"neither", ada, apptest.Vars{}, 5, "INVALID"},
			{"both", ada, apptest.Vars{"ids": []string{edges[0].Node.ID}, "through": edges[0].Cursor}, 5, "INVALID"},
			{"an id of another type", ada, apptest.Vars{"ids": []string{edges[0].Node.ID, ada.ID}}, 5, "INVALID"},
			{"no id at all", ada, apptest.Vars{"ids": []string{"x"}}, 5, "INVALID"},
			{"an empty list", ada, apptest.Vars{"ids": []string{}}, 5, ""},
			{"another's", eve, apptest.Vars{"ids": []string{edges[0].Node.ID}}, 0, ""},
			{"one", ada, apptest.Vars{"ids": []string{edges[0].Node.ID}}, 4, ""},
			{"it again, and one more", ada, apptest.Vars{"ids": []string{edges[0].Node.ID, edges[1].Node.ID}}, 3, ""},
			{"through the oldest but one", ada, apptest.Vars{"through": edges[3].Cursor}, 1, ""},
			{"through the newest", ada, apptest.Vars{"through": edges[0].Cursor}, 0, ""},
		} {
			if unread, code := mark(step.who, step.input); unread != step.unread || code != step.code {
				t.Errorf("%s: %d unread and %q, want %d and %q", step.what, unread, code, step.unread, step.code)
			}
		}
	})
}

// Mutual connections in a fixed order, paged and counted; degrees 1, 2 and 3 and none beyond.
func TestNearness(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		// ada - m0..m4 - ben - cleo - dan - eve; ada - ben are not connected
		ada, ben, cleo, dan, eve := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cleo"), s.As(t, "dan"), s.As(t, "eve")
		var mutual []string
		for i := range 5 {
			m := s.As(t, fmt.Sprint("m", i))
			apptest.Connect(ada, m)
			apptest.Connect(ben, m)
			mutual = append(mutual, m.ID)
		}
		apptest.Connect(ben, cleo)
		apptest.Connect(cleo, dan)
		apptest.Connect(dan, eve)
		for _, c := range []struct {
			who  *apptest.Client
			want int
		}{{ben, 2}, {cleo, 3}, {dan, 0}, {eve, 0}, {ada, 0}} {
			got := ada.RelationshipTo(c.who.ID).Degree
			if c.want == 0 && got != nil || c.want != 0 && (got == nil || *got != c.want) {
				t.Errorf("%s is at %v, want %d", c.who.Handle, got, c.want)
			}
		}
		slices.Sort(mutual) // ids are made in the order of time, and the order is that of ids
		for _, n := range []int{1, 2, 5, 100} {
			got := walk(t, n, func() {}, func(first int, after *string) listPage {
				var data struct{ Node struct{ List listPage } }
				ada.Get(&data, `query($id: ID!, $first: Int, $after: String) { node(id: $id) { ... on Member { list: mutualConnections(first: $first, after: $after)`+pageFields+`} } }`,
					apptest.Vars{"id": ben.ID, "first": first, "after": after})
				if data.Node.List.TotalCount != 5 {
					t.Errorf("%d mutual connections", data.Node.List.TotalCount)
				}
				return data.Node.List
			})
			if !slices.Equal(got, mutual) {
				t.Errorf("in pages of %d: %v, want %v", n, got, mutual)
			}
		}
	})
}

// No query per item: a page of twenty costs no more statements than a page of two, whatever is asked of its items.
func TestNoQueryPerItem(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s := apptest.Start(t, database)
		ada := s.As(t, "ada")
		hub := s.As(t, "hub")
		apptest.Connect(ada, hub)
		for i := range 20 {
			friend, sender, recipient := s.As(t, fmt.Sprint("friend", i)), s.As(t, fmt.Sprint("sender", i)), s.As(t, fmt.Sprint("recipient", i))
			apptest.Connect(friend, ada)
			apptest.Connect(friend, hub)
			apptest.Connect(sender, hub)
			sender.Invite(ada.ID, "")
			ada.Invite(recipient.ID, "")
		}
		var (
			mu         sync.Mutex
			statements []string
		)
		s.Stop(t)
		s = apptest.Start(t, database, func(c *app.Config) {
			c.BrokerSweep = time.Hour
			c.NoTasks = true
			c.BatchWait = 50 * time.Millisecond // on a busy machine a short one would split a batch
			c.Observe = func(query string, _ []any) {
				mu.Lock()
				defer mu.Unlock()
				statements = append(statements, query)
			}
		})
		ada = ada.On(s)
		const member = ` { id name relationship { status degree invitation { id } } mutualConnections(first: 3) { totalCount nodes { id name relationship { status } } } } `
		for _, list := range []string{
			`connections(first: $n) { totalCount nodes ` + member + ` }`,
			`receivedInvitations(first: $n) { totalCount nodes { id sender ` + member + ` recipient { id } } }`,
			`sentInvitations(first: $n) { totalCount nodes { id sender { id } recipient ` + member + ` } }`,
			`notifications(first: $n) { totalCount nodes { id actor ` + member + ` ... on InvitationReceivedNotification { invitation { id sender ` + member + ` } } ... on InvitationAcceptedNotification { invitation { id recipient ` + member + ` } } } }`,
		} {
			count := func(n int) []string {
				mu.Lock()
				statements = nil
				mu.Unlock()
				var ignored struct{}
				ada.Get(&ignored, `query($n: Int) { viewer { `+list+` } }`, apptest.Vars{"n": n})
				mu.Lock()
				defer mu.Unlock()
				return slices.Clone(statements)
			}
			few, many := count(2), count(20)
			if len(many) > len(few) {
				t.Errorf("%s\ncosts %d statements for 2 and %d for 20", list, len(few), len(many))
				for _, q := range many {
					t.Log(q)
				}
			}
			t.Logf("%d statements for 2, %d for 20", len(few), len(many))
		}
	})
}
