package graph

import (
	"context"
	"encoding/base64"
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
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/notification"
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
					Company: m.Company, PhotoURL: m.PhotoURL, Erased: m.Erased,
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

func newAsked() *asked {
	w, _ := newTwoWays()
	a := &asked{twoWays: w, inbox: &drawn{}}
	w.Notifications = notification.NewService(a.inbox, nil, time.Now, nil)
	a.face = &face{resolver: w.Resolver, wait: time.Microsecond, log: slog.New(slog.DiscardHandler)}
	a.executor = executor.New(generated.NewExecutableSchema(generated.Config{Resolvers: w}))
	a.executor.SetQueryCache(newDocuments())
	return a
}

// both gives what execution answers, and what the plan does; without one, nil.
func (a *asked) both(t interface{ Fatal(args ...any) }, query string, variables map[string]any) (executed, planned *graphql.Response) {
	ctx := auth.WithViewer(graphql.StartOperationTrace(context.Background()), &auth.Viewer{Member: id.Member{9}})
	op, errs := a.executor.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: variables})
	if errs != nil {
		t.Fatal(query, errs)
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
		a.inbox.list = notification.Listing{More: rapid.Bool().Draw(t, "more")}
		for range rapid.IntRange(0, 5).Draw(t, "notifications") {
			a.inbox.list.Notifications = append(a.inbox.list.Notifications, drawNotification(t))
		}
		if rapid.IntRange(0, 9).Draw(t, "unknown") == 0 { // of a version to come, which has no type yet
			a.inbox.list.Notifications = append(a.inbox.list.Notifications, notification.Notification{Category: "parade", Sequence: 1})
		}
		a.inbox.total, a.inbox.unread = rapid.IntRange(0, 1000).Draw(t, "total"), rapid.IntRange(0, 1000).Draw(t, "unread")
		s := &selections{t: t}
		// Every variable is used, and a page is always asked for.
		query := "query Q($yes: Boolean = true, $no: Boolean!, $given: Boolean!, $first: Int, $after: String, $last: Int, $before: String) { " +
			rapid.SampledFrom([]string{"", "__typename ", "t: __typename "}).Draw(t, "type") +
			rapid.SampledFrom([]string{"", "v: "}).Draw(t, "root") + "viewer { " +
			"... @skip(if: $yes) @include(if: $no) { u: id } w: id @include(if: $given) " +
			below["viewer"][0][0] + s.set("list", 3) + " ..." + s.set("viewer", 3) + " } } " + strings.Join(s.fragments, " ")
		a.inbox.asked = nil
		executed, planned := a.both(t, query, drawVariables(t))
		if len(executed.Errors) > 0 { // as of a page that is too large: execution tells
			if planned != nil {
				t.Fatalf("%s\nplanned  %s\nexecuted %v", query, planned.Data, executed.Errors)
			}
			return
		}
		if planned == nil {
			t.Fatalf("no plan for %s", query)
		}
		if string(planned.Data) != string(executed.Data) {
			t.Fatalf("%s\nplanned  %s\nexecuted %s", query, planned.Data, executed.Data)
		}
		if len(a.inbox.asked) != 2 || a.inbox.asked[0] != a.inbox.asked[1] {
			t.Fatalf("%s\nother pages: %+v", query, a.inbox.asked)
		}
	})
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
				out[name] = draw([]any{0, 1, 20, 100}, []any{101, -1})
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
		`{ viewer { notifications { nodes { id ... @defer { category } } } } }`:                                           false,
		`{ viewer { unreadNotificationCount } }`:                                                                          false,
		`{ viewer { a: notifications(first: 1) { nodes { id } } b: notifications(first: 2) { nodes { id } } } }`:          false,
		`{ viewer { notifications { nodes { id } } } __schema { queryType { name } } }`:                                   false,
		`{ viewer { notifications { nodes { actor { relationship { status } } } } } }`:                                    false,
		`{ viewer { notifications { edges { node { ... on InvitationReceivedNotification { invitation { id } } } } } } }`: false,
		`mutation { markNotificationsRead(input: {}) { userErrors { code } } }`:                                           false,
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
