package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/graph/generated"
	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/message"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/refusal"
)

// drawn is an inbox of which every page is the same one, and keeps which was asked for.
type drawn struct {
	notification.Store

	list          notification.Listing
	total, unread int
	asked         []notification.Page
	fail          func(what string) error // when something is read
}

func (d *drawn) Notifications(_ context.Context, _ id.Member, page notification.Page) (notification.Listing, error) {
	list := d.list
	if page.Actors {
		list.Actors = make(map[id.Member]member.Public)
		for _, n := range list.Notifications {
			if m, ok := people[n.Actor]; ok {
				list.Actors[n.Actor] = member.Public{
					ID: m.ID, Handle: m.Handle, Name: m.Name, Headline: m.Headline, Location: m.Location, Industry: m.Industry,
					Company: m.Company, PhotoURL: m.PhotoURL, InBlock: m.InBlock, Erased: m.Erased,
				}
			}
		}
	}
	page.Actors = false // how they come is for the one who asks
	d.asked = append(d.asked, page)
	return list, d.failure("page")
}

func (d *drawn) CountNotifications(context.Context, id.Member) (int, error) {
	return d.total, d.failure("total")
}

func (d *drawn) CountUnread(context.Context, id.Member) (int, error) {
	return d.unread, d.failure("unread")
}

func (d *drawn) failure(of string) error {
	if d.fail == nil {
		return nil
	}
	return d.fail(of)
}

// asked is a query that is answered in both ways.
type asked struct {
	*twoWays

	executor *executor.Executor
	face     *face
	inbox    *drawn
}

// published gives any publication but one.
type published struct{ host.Store }

func (published) PublicationsByID(_ context.Context, ids []id.Publication) ([]host.Publication, error) {
	var out []host.Publication
	for _, key := range ids {
		switch key {
		case id.Publication{}:
		case id.Publication{1}:
			out = append(out, host.Publication{ID: key, Title: "Ada <liked> \"it\"\n"})
		default:
			out = append(out, host.Publication{ID: key, Title: "Title", Body: "a\\b", URL: "https://example.com/?a=1&b=2"})
		}
	}
	return out, nil
}

// written gives any message but those that a block hides.
type written struct{ message.Store }

func (written) MessagesByID(_ context.Context, _ id.Member, ids []id.Message) ([]message.Message, error) {
	var out []message.Message
	for _, key := range ids {
		if key[0] > 1 {
			out = append(out, message.Message{ID: key, Body: "\tHello\n<you> é", SentAt: time.UnixMilli(int64(key[0]))})
		}
	}
	return out, nil
}

// drawInvitations draws invitations of the viewer's, in either direction, in any state. One is between others.
func drawInvitations(t *rapid.T) map[id.Invitation]network.Invitation {
	out := make(map[id.Invitation]network.Invitation)
	for key := byte(1); key <= 4; key++ {
		other := id.Member{byte(rapid.IntRange(1, 6).Draw(t, "other"))}
		i := network.Invitation{
			ID: id.Invitation{key}, Sender: id.Member{9}, Recipient: other, Acquaintance: network.Acquaintance(rapid.SampledFrom([]string{"unspecified", "colleague"}).Draw(t, "acquaintance")),
			State:  rapid.SampledFrom([]network.State{network.Pending, network.Ignored, network.Accepted}).Draw(t, "state"),
			SentAt: time.UnixMilli(int64(key) * 1001).In(time.FixedZone("", -3600)),
		}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			i.Sender, i.Recipient = other, id.Member{9}
			i.Note, i.Reminders, i.RemindedAt, i.ListedAt = "Hi <there>", 1, time.UnixMilli(5000), time.UnixMilli(5000)
		case 1:
			i.AcceptedAt, i.Reminders, i.RemindedAt = time.UnixMilli(9999), 1, time.UnixMilli(4000)
		case 2:
			i.Sender = id.Member{8}
		}
		out[i.ID] = i
	}
	return out
}

func newAsked() *asked {
	w, _ := newTwoWays()
	a := &asked{twoWays: w, inbox: &drawn{}}
	w.Host = host.NewService(published{}, nil, nil, time.Now, nil)
	w.Messages = message.NewService(written{}, nil, time.Now, nil)
	w.Notifications = notification.NewService(a.inbox, nil, time.Now, nil)
	a.face = &face{resolver: w.Resolver, wait: 50 * time.Microsecond, log: slog.New(slog.DiscardHandler)}
	a.executor = executor.New(generated.NewExecutableSchema(generated.Config{Resolvers: w}))
	a.executor.SetQueryCache(newDocuments())
	return a
}

// both gives what execution answers, and what the plan does; without one, nil.
func (a *asked) both(t interface{ Fatal(args ...any) }, query string, variables map[string]any) (executed, planned *graphql.Response) {
	ctx := auth.WithViewer(graphql.StartOperationTrace(context.Background()), &auth.Viewer{Member: id.Member{9}})
	op, errs := a.executor.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: variables})
	if errs != nil && op.Doc == nil {
		t.Fatal(query, errs)
	}
	if errs != nil { // a variable is not of its type
		return &graphql.Response{Errors: errs}, nil
	}
	responses, inner := a.executor.DispatchOperation(ctx, op)
	executed = responses(a.face.freshLoaders(inner))
	fallen := false
	handler := a.face.planned(graphql.WithOperationContext(ctx, op), func(context.Context) graphql.ResponseHandler {
		fallen = true
		return graphql.OneShot(&graphql.Response{})
	})
	planned = handler(context.Background())
	if fallen {
		return executed, nil
	}
	if again := handler(context.Background()); again != nil {
		t.Fatal("a second answer", again)
	}
	return executed, planned
}

// A page of notifications is written by a plan, byte for byte, as it is executed, and the same page is asked for.
func TestInboxPlanGivesWhatExecutionGives(t *testing.T) {
	t.Parallel()
	a := newAsked()
	rapid.Check(t, func(t *rapid.T) {
		s := &selections{t: t}
		var types strings.Builder // what only some types have
		for _, of := range []string{"Received", "Accepted", "Message", "Host"} {
			if rapid.Bool().Draw(t, of) {
				types.WriteString(" ... on " + typeNames[of] + s.set(of, 2))
			}
		}
		page := below["viewer"][0][0]
		// Every variable is used, and a page is always asked for.
		query := "query Q($yes: Boolean = true, $no: Boolean!, $given: Boolean!, $first: Int, $after: String, $last: Int, $before: String) { " +
			rapid.SampledFrom([]string{"", "__typename ", "t: __typename "}).Draw(t, "type") +
			rapid.SampledFrom([]string{"", "v: "}).Draw(t, "root") + "viewer { " +
			"... @skip(if: $yes) @include(if: $no) { u: id } w: id @include(if: $given) " +
			page + s.set("list", 3) + page + " { nodes { __typename" + types.String() + " } } ..." + s.set("viewer", 3) +
			" } } " + strings.Join(s.fragments, " ")
		for range rapid.IntRange(1, 5).Draw(t, "pages") {
			a.inbox.draw(t)
			a.Network = network.NewService(stock{invitations: drawInvitations(t)}, nil, network.Policy{}, nil, nil)
			a.compare(t, query, drawVariables(t))
		}
	})
}

// The same for every field that a plan knows, of invitations in every state and in either direction, messages and
// publications, there and not.
func TestEveryLeafOfAnInbox(t *testing.T) {
	t.Parallel()
	all := func(of string, more ...string) string {
		return " { " + strings.Join(append(more, leaves[of]...), " ") + " } "
	}
	node := all("Notification", "actor"+all("Member"),
		"... on InvitationReceivedNotification { reminder invitation"+all("Invitation")+"}",
		"... on InvitationAcceptedNotification { invitation"+all("Invitation")+"}",
		"... on MessageNotification { message"+all("Written")+"} ... on HostNotification { title body url }")
	query := "{ viewer " + all("viewer", "notifications"+all("list", "nodes"+node, "edges"+all("edge", "node"+node), "pageInfo"+all("page"))) + "}"
	rapid.Check(t, func(t *rapid.T) {
		a := newAsked()
		a.inbox.draw(t)
		a.Network = network.NewService(stock{invitations: drawInvitations(t)}, nil, network.Policy{}, nil, nil)
		a.compare(t, query, nil)
	})
}

func (a *asked) compare(t *rapid.T, query string, variables map[string]any) {
	a.inbox.asked = nil
	executed, planned := a.both(t, query, variables)
	switch {
	case len(executed.Errors) > 0: // as of a page that is too large, or what is not there: execution tells
		if planned != nil {
			t.Fatalf("%s\nplanned  %s\nexecuted %v", query, planned.Data, executed.Errors)
		}
	case planned == nil:
		t.Fatalf("no plan for %s", query)
	case string(planned.Data) != string(executed.Data):
		t.Fatalf("%s\nplanned  %s\nexecuted %s", query, planned.Data, executed.Data)
	case len(a.inbox.asked) != 2 || a.inbox.asked[0] != a.inbox.asked[1]:
		t.Fatalf("%s\nother pages: %+v", query, a.inbox.asked)
	}
}

// draw draws what is in an inbox.
func (d *drawn) draw(t *rapid.T) {
	d.list = notification.Listing{More: rapid.Bool().Draw(t, "more")}
	for range rapid.IntRange(0, 5).Draw(t, "notifications") {
		n := drawNotification(t)
		if n.Publication != (id.Publication{}) && rapid.IntRange(0, 9).Draw(t, "missing") == 0 {
			n.Publication = id.Publication{}
		}
		d.list.Notifications = append(d.list.Notifications, n)
	}
	if rapid.IntRange(0, 9).Draw(t, "unknown") == 0 { // of a version to come, which has no type yet
		d.list.Notifications = append(d.list.Notifications, notification.Notification{Category: "parade", Sequence: 1})
	}
	d.total, d.unread = rapid.IntRange(0, 1000).Draw(t, "total"), rapid.IntRange(0, 1000).Draw(t, "unread")
}

// drawVariables draws which page, in all ways that there are to say it: mostly good ones.
func drawVariables(t *rapid.T) map[string]any {
	out := map[string]any{"no": false, "given": rapid.Bool().Draw(t, "given")}
	bad := rapid.IntRange(0, 4).Draw(t, "bad") == 0
	draw := func(good, others []any) any {
		if bad {
			good = append(good, others...)
		}
		return rapid.SampledFrom(good).Draw(t, "value")
	}
	sizes := []any{0, 1, 20, 100, int64(5), json.Number("3")}
	cursors := []any{notificationCursor(7), notificationCursor(1 << 40)}
	malformed := []any{"", base64.RawURLEncoding.EncodeToString([]byte{4})}
	direction := rapid.SampledFrom([][]string{{"first", "after"}, {"last", "before"}, {"first", "before"}, {"last", "after"}}).Draw(t, "direction")
	if bad {
		direction = []string{"first", "last", "after", "before"}
	}
	for _, name := range []string{"first", "last", "after", "before"} {
		switch rapid.IntRange(0, 3).Draw(t, name) {
		case 0:
		case 1:
			out[name] = nil
		default:
			if !slices.Contains(direction, name) {
				continue
			}
			if name == "first" || name == "last" {
				out[name] = draw(slices.Clone(sizes), []any{101, -1, "5", 2.5, json.Number("1e1"), int64(1) << 40})
			} else {
				out[name] = draw(slices.Clone(cursors), malformed)
			}
		}
	}
	return out
}

// A query that asks for anything else is executed.
func TestWhatHasAnInboxPlan(t *testing.T) {
	t.Parallel()
	for query, planned := range map[string]bool{
		`{ viewer { notifications { nodes { id actor { name } } pageInfo { endCursor } totalCount } unreadNotificationCount } }`:     true,
		`{ viewer { n: notifications(first: 3) { edges { cursor node { ... on InvitationReceivedNotification { reminder } } } } } }`: true,
		`{ a: viewer { notifications { nodes { id } } } b: viewer { id } }`:                                                          true,
		`{ viewer { notifications { nodes { id ... on HostNotification @include(if: false) { title } } } } }`:                        true,
		`{ viewer { id } }`: false, // there is little to save
		`{ viewer { notifications { nodes { id ... @defer { category } } } } }`:                                                        false,
		`{ viewer { unreadNotificationCount } }`:                                                                                       false,
		`{ viewer { a: notifications(first: 1) { nodes { id } } b: notifications(first: 2) { nodes { id } } } }`:                       false,
		`{ viewer { notifications { nodes { id } } } __schema { queryType { name } } }`:                                                false,
		`{ viewer { notifications { nodes { actor { relationship { status } } } } } }`:                                                 false,
		`{ viewer { notifications { edges { node { ... on InvitationReceivedNotification { invitation { id state } } } } } } }`:        true,
		`{ viewer { notifications { edges { node { ... on InvitationReceivedNotification { invitation { sender { id } } } } } } } }`:   false,
		`{ viewer { notifications { nodes { ... on HostNotification { title } ... on MessageNotification { message { body } } } } } }`: true,
		`{ viewer { notifications { nodes { ... on MessageNotification { message { conversation { id } } } } } } }`:                    false,
		`mutation { markNotificationsRead(input: {}) { userErrors { code } } }`:                                                        false,
	} {
		a := newAsked()
		op, errs := a.executor.CreateOperationContext(graphql.StartOperationTrace(t.Context()), &graphql.RawParams{Query: query})
		if errs != nil {
			t.Fatal(query, errs)
		}
		executed := false
		var said strings.Builder
		a.face.log = slog.New(slog.NewTextHandler(&said, nil))
		ctx := auth.WithViewer(graphql.WithOperationContext(t.Context(), op), &auth.Viewer{Member: id.Member{9}})
		a.face.planned(ctx, func(context.Context) graphql.ResponseHandler {
			executed = true
			return graphql.OneShot(&graphql.Response{})
		})(ctx)
		if executed == planned || said.Len() > 0 {
			t.Errorf("%s has a plan: %v %s", query, !executed, said.String())
		}
	}
}

// A document that would have a large plan, or is long, is executed: it costs no more than its fields do then. What asks for
// no notifications leaves nothing behind.
func TestPlansAreBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query         string
		planned, kept bool
	}{
		{pagesOfNone(3), true, true},
		{pagesOfNone(40), false, true}, // that there is none is kept
		{"{ viewer { id } }", false, false},
		{"{ viewer { notifications { nodes { id } } } } # " + strings.Repeat(".", plannedDocument), false, false},
	} {
		a := newAsked()
		a.inboxPlans.document, a.inboxPlans.members = plannedDocument, planMembers
		op, errs := a.executor.CreateOperationContext(graphql.StartOperationTrace(t.Context()), &graphql.RawParams{Query: c.query})
		if errs != nil {
			t.Fatal(errs)
		}
		p := &planner{schema: a.inboxPlans.schema, op: op, left: planMembers}
		p.inbox()
		if plan := a.inboxPlanOf(op); (plan != nil) != c.planned || (a.inboxPlans.kept.Len() == 1) != c.kept || p.left < -100 {
			t.Errorf("%.60s has a plan: %v, %d are kept, %d members are left", c.query, plan != nil, a.inboxPlans.kept.Len(), p.left)
		}
	}
}

// What is no whole number of 32 bits, or no text, is refused as in any other field.
func TestInboxPlanArguments(t *testing.T) {
	t.Parallel()
	a := newAsked()
	for name, kind := range map[string]string{"first": "Int", "last": "Int", "after": "String", "before": "String"} {
		query := "query Q($v: " + kind + ") { viewer { notifications(" + name + ": $v) { nodes { id } } } }"
		for _, value := range []any{
			nil, 3, int64(3), json.Number("3"), json.Number("1e1"), json.Number("3.0"), json.Number("2147483648"), 3.0, "3", true,
			[]any{3}, map[string]any{}, "", notificationCursor(3),
		} {
			executed, planned := a.both(t, query, map[string]any{"v": value})
			if (planned == nil) != (len(executed.Errors) > 0) {
				t.Errorf("%s: %v %T: planned %+v, executed %+v", name, value, value, planned, executed)
			}
		}
	}
}

// Without a database, or without time, a planned query is not asked once more: it tells where that was.
func TestInboxPlanUnavailable(t *testing.T) {
	t.Parallel()
	for what, fail := range map[string]func(context.Context) error{
		"away":    func(context.Context) error { return refusal.ErrUnavailable },
		"no time": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		a := newAsked()
		op, errs := a.executor.CreateOperationContext(graphql.StartOperationTrace(t.Context()), &graphql.RawParams{Query: `{ v: viewer { n: notifications { nodes { id } } } }`})
		if errs != nil {
			t.Fatal(errs)
		}
		ctx, cancel := context.WithTimeout(graphql.WithOperationContext(t.Context(), op), 20*time.Millisecond)
		defer cancel()
		ctx = auth.WithViewer(ctx, &auth.Viewer{Member: id.Member{9}})
		a.inbox.fail = func(string) error { return fail(ctx) }
		never := func(context.Context) graphql.ResponseHandler {
			t.Error("it is executed")
			return graphql.OneShot(nil)
		}
		got := a.face.planned(ctx, never)(ctx)
		if got == nil || string(got.Data) != "null" || len(got.Errors) != 1 || got.Errors[0].Extensions["code"] != CodeUnavailable || got.Errors[0].Path.String() != "v.n" {
			t.Errorf("%s: %+v", what, got)
		}
		<-ctx.Done()
		if got := a.face.planned(ctx, never)(ctx); got != nil {
			t.Errorf("%s, before it began: %+v", what, got)
		}
	}
}

// Whatever fails, or panics, while a plan reads, the operation is executed, in the context that it began in.
func TestInboxPlanFails(t *testing.T) {
	t.Parallel()
	for what, fail := range map[string]func(string) error{
		"fails": func(of string) error { return errors.New(of + " is away") }, "panics": func(of string) error { panic(of) },
	} {
		for _, of := range []string{"page", "total", "unread"} {
			a := newAsked()
			a.inbox.fail = func(read string) error {
				if read != of {
					return nil
				}
				return fail(read)
			}
			op, errs := a.executor.CreateOperationContext(graphql.StartOperationTrace(t.Context()),
				&graphql.RawParams{Query: `{ viewer { notifications { nodes { id } totalCount } unreadNotificationCount } }`})
			if errs != nil {
				t.Fatal(errs)
			}
			type key struct{}
			began := context.WithValue(graphql.WithOperationContext(t.Context(), op), key{}, true)
			began = auth.WithViewer(began, &auth.Viewer{Member: id.Member{9}})
			answers := 0
			handler := a.face.planned(began, func(ctx context.Context) graphql.ResponseHandler {
				return func(responding context.Context) *graphql.Response {
					answers++
					if ctx.Value(key{}) == nil || responding.Value(key{}) == nil {
						t.Error("it is executed in another context")
					}
					if answers > 1 {
						return nil
					}
					return &graphql.Response{Data: []byte("{}")}
				}
			})
			if got := handler(context.Background()); got == nil || string(got.Data) != "{}" || answers != 1 {
				t.Errorf("%s %s: %v, %d answers", of, what, got, answers)
			}
			if handler(context.Background()) != nil || answers != 2 {
				t.Errorf("%s %s: the end is not told", of, what)
			}
		}
	}
}
