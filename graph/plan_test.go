package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/graph/generated"
	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/batch"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
)

// twoWays executes a subscription, and keeps the plan that it has.
type twoWays struct {
	*Resolver
	generated.SubscriptionResolver

	edges chan *model.NotificationEdge
	plan  *eventPlan
}

func (w *twoWays) Subscription() generated.SubscriptionResolver { return w }

func (w *twoWays) NotificationReceived(ctx context.Context, _ *string, _ []model.NotificationCategory) (<-chan *model.NotificationEdge, error) {
	w.plan = w.eventPlanOf(ctx)
	return w.edges, nil
}

// people are the members that there are.
var people = map[id.Member]member.Member{
	{1}: {ID: id.Member{1}, Handle: "ada", Name: "Ada \"the first\" Lovelace\n\x01\u2028é😀<&>"},
	{3}: {ID: id.Member{3}, Handle: "gone", Name: "Gone", Erased: true},
	{5}: {ID: id.Member{5}, Handle: "hid", Name: "Hidden by a block", InBlock: true},
	{6}: {ID: id.Member{6}, Handle: "dan", Name: "In a block with somebody else", InBlock: true},
	{2}: {ID: id.Member{2}, Handle: "ben", Name: "Ben", Headline: "a\\b", Location: "\t", Industry: "Work", Company: "C", PhotoURL: "https://example.com/?a=1&b=2"},
}

func newTwoWays() (*twoWays, *executor.Executor) {
	w := &twoWays{Resolver: &Resolver{}, edges: make(chan *model.NotificationEdge, 1)}
	schema := generated.NewExecutableSchema(generated.Config{Resolvers: w})
	w.start(schema.Schema())
	const unbounded = 1 << 20 // what is drawn may be large
	w.eventPlans.document, w.eventPlans.members = unbounded, unbounded
	w.inboxPlans.document, w.inboxPlans.members = unbounded, unbounded
	w.Network = network.NewService(stock{}, nil, network.Policy{}, nil, nil)
	w.publicMembers = batch.New(func(_ context.Context, ids []id.Member) (map[id.Member]*model.Member, error) {
		out := make(map[id.Member]*model.Member)
		for _, key := range ids {
			if m, ok := people[key]; ok {
				out[key] = model.NewMember(m)
			}
		}
		return out, nil
	})
	return w, executor.New(schema)
}

// subscribe starts a subscription, and gives what executes its next event.
func (w *twoWays) subscribe(t interface{ Fatal(args ...any) }, e *executor.Executor, query string, variables map[string]any) func(notification.Notification) string {
	ctx := graphql.StartOperationTrace(context.Background())
	op, errs := e.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: variables})
	if errs != nil {
		t.Fatal(query, errs)
	}
	responses, ctx := e.DispatchOperation(ctx, op)
	return func(n notification.Notification) string {
		edge, err := notificationEdge(n)
		if err != nil {
			t.Fatal(query, err)
		}
		w.edges <- edge
		response := responses(withLoaders(ctx, &loaders{resolver: w.Resolver, viewer: id.Member{9}, wait: time.Microsecond}))
		if len(response.Errors) > 0 {
			t.Fatal(query, response.Errors)
		}
		return string(response.Data)
	}
}

// planned gives what the plan writes for an event.
func (w *twoWays) planned(n notification.Notification) (out string, err error) {
	err = w.sendPlanned(context.Background(), id.Member{9}, func(n int, data func([]byte, int) []byte) {
		for i := range n {
			out += string(data(nil, i))
		}
	}, w.plan, []notification.Notification{n})
	return out, err
}

// stock is what there is beside members and notifications.
type stock struct {
	network.Store

	invitations map[id.Invitation]network.Invitation
}

func (stock) Hidden(_ context.Context, _ id.Member, others []id.Member) (map[id.Member]bool, error) {
	return map[id.Member]bool{{5}: slices.Contains(others, id.Member{5})}, nil
}

func (s stock) InvitationsByID(_ context.Context, ids []id.Invitation) ([]network.Invitation, error) {
	var out []network.Invitation
	for _, key := range ids {
		if i, ok := s.invitations[key]; ok {
			out = append(out, i)
		}
	}
	return out, nil
}

// leaves are the fields that a plan knows, by what they are selected of.
var leaves = map[string][]string{
	"viewer":       {"id", "unreadNotificationCount", "__typename"},
	"list":         {"totalCount", "__typename"},
	"page":         {"endCursor", "hasNextPage", "hasPreviousPage", "startCursor", "__typename"},
	"edge":         {"cursor", "__typename"},
	"Notification": {"id", "sequence", "category", "createdAt", "readAt", "__typename"},
	"Node":         {"id", "__typename"},
	"Received":     {"id", "sequence", "category", "createdAt", "readAt", "reminder", "__typename"},
	"Host":         {"id", "sequence", "category", "createdAt", "readAt", "__typename"},
	"Message":      {"id", "sequence", "category", "createdAt", "readAt", "__typename"},
	"Accepted":     {"id", "sequence", "category", "createdAt", "readAt", "__typename"},
	"Invitation":   {"id", "note", "acquaintance", "state", "sentAt", "acceptedAt", "lastRemindedAt", "__typename"},
	"Written":      {"id", "body", "sentAt", "__typename"},
	"Member":       {"id", "handle", "name", "headline", "location", "industry", "company", "photoUrl", "__typename"},
}

// below are the fields that have fields of their own, which are of the type that is named behind.
var below = map[string][][2]string{
	"viewer":       {{"notifications(first: $first, after: $after, last: $last, before: $before)", "list"}},
	"list":         {{"nodes", "Notification"}, {"edges", "edge"}, {"pageInfo", "page"}},
	"edge":         {{"node", "Notification"}},
	"Notification": {{"actor", "Member"}},
	"Received":     {{"actor", "Member"}, {"invitation", "Invitation"}},
	"Accepted":     {{"actor", "Member"}, {"invitation", "Invitation"}},
	"Message":      {{"actor", "Member"}, {"message", "Written"}},
	"Host":         {{"actor", "Member"}},
}

var typeNames = map[string]string{
	"Invitation": "Invitation", "Written": "Message", "viewer": "Viewer", "list": "NotificationConnection", "page": "PageInfo",
	"edge": "NotificationEdge", "Notification": "Notification", "Node": "Node", "Received": "InvitationReceivedNotification",
	"Accepted": "InvitationAcceptedNotification", "Message": "MessageNotification", "Host": "HostNotification", "Member": "Member",
}

// selections draws what can be selected, with aliases, fragments and conditions of all kinds.
type selections struct {
	t         *rapid.T
	fragments []string
	event     bool // of one notification, without what its plan does not know
}

func (s *selections) set(of string, depth int) string {
	// One that is always there, so that nothing selects nothing.
	parts := []string{s.alias(leaves[of][0], of)}
	for range rapid.IntRange(0, 6).Draw(s.t, "more") {
		parts = append(parts, s.one(of, depth))
	}
	return "{ " + strings.Join(parts, " ") + " }"
}

// alias gives a field an alias that no other field has: others would be in conflict.
func (s *selections) alias(field, of string) string {
	if rapid.Bool().Draw(s.t, "aliased") {
		return "a_" + of + "_" + strings.Trim(field, "_") + ": " + field
	}
	return field
}

func (s *selections) condition() string {
	return rapid.SampledFrom([]string{
		"", "", "", "@skip(if: true)", "@skip(if: false)", "@include(if: true)", "@include(if: false)",
		"@skip(if: $yes)", "@include(if: $no)", "@include(if: $yes) @skip(if: $no)", "@include(if: $given)",
	}).Draw(s.t, "condition")
}

func (s *selections) one(of string, depth int) string {
	kind := rapid.IntRange(0, 9).Draw(s.t, "kind")
	switch {
	case kind < 2 && depth > 0: // an inline fragment
		inner := rapid.SampledFrom(s.inner(of)).Draw(s.t, "type")
		on := "on " + typeNames[inner]
		if inner == of && rapid.Bool().Draw(s.t, "untyped") {
			on = ""
		}
		return fmt.Sprintf("... %s %s %s", on, s.condition(), s.set(inner, depth-1))
	case kind < 4 && depth > 0: // a named one
		inner := rapid.SampledFrom(s.inner(of)).Draw(s.t, "type")
		set := s.set(inner, depth-1)
		name := fmt.Sprint("F", len(s.fragments))
		s.fragments = append(s.fragments, fmt.Sprintf("fragment %s on %s %s", name, typeNames[inner], set))
		return fmt.Sprintf("...%s %s", name, s.condition())
	case kind < 6 && len(below[of]) > 0:
		fields := below[of]
		if s.event {
			fields = fields[:1]
		}
		field := rapid.SampledFrom(fields).Draw(s.t, "below")
		return field[0] + " " + s.condition() + s.set(field[1], depth)
	}
	fields := leaves[of]
	if of == "Host" && !s.event {
		fields = append([]string{"title", "body", "url"}, fields...)
	}
	field := s.alias(rapid.SampledFrom(fields).Draw(s.t, "field"), of)
	return field + " " + s.condition()
}

// inner are the types that a fragment may be on.
func (*selections) inner(of string) []string {
	switch of {
	case "Notification", "Node":
		return []string{"Notification", "Received", "Accepted", "Message", "Host", "Node"}
	case "Received", "Accepted", "Message", "Host":
		return []string{of, "Notification", "Node"}
	}
	return []string{of}
}

// A plan writes, byte for byte, what execution gives, whatever of what it knows is selected and whatever the event.
func TestPlanGivesWhatExecutionGives(t *testing.T) {
	t.Parallel()
	w, e := newTwoWays()
	rapid.Check(t, func(t *rapid.T) {
		s := &selections{t: t, event: true}
		root := rapid.SampledFrom([]string{"notificationReceived", "n: notificationReceived"}).Draw(t, "root")
		// Every variable is used, as in a document it must be.
		query := "subscription S($yes: Boolean = true, $no: Boolean!, $given: Boolean!) { " + root +
			" { ... @skip(if: $yes) @include(if: $no) { u: cursor } v: cursor @include(if: $given) ..." + s.set("edge", 3) + " } } " +
			strings.Join(s.fragments, " ")
		w.plan = nil
		given := rapid.Bool().Draw(t, "given")
		execute := w.subscribe(t, e, query, map[string]any{"no": false, "given": given})
		if w.plan == nil {
			t.Fatalf("no plan for %s", query)
		}
		for range rapid.IntRange(1, 3).Draw(t, "events") {
			n := drawNotification(t)
			want := execute(n)
			if got, err := w.planned(n); err != nil || got != want {
				t.Fatalf("%s\nplanned  %s (%v)\nexecuted %s", query, got, err, want)
			}
		}
	})
}

// The same for every field that a plan knows, and members of all kinds.
func TestEveryLeaf(t *testing.T) {
	t.Parallel()
	w, e := newTwoWays()
	actor := " actor { " + strings.Join(leaves["Member"], " ") + " } "
	execute := w.subscribe(t, e, "subscription { notificationReceived { "+strings.Join(leaves["edge"], " ")+" node { "+
		strings.Join(leaves["Notification"], " ")+" ... on InvitationReceivedNotification { reminder } "+actor+" } } }", nil)
	for _, category := range []notification.Category{notification.InvitationReceived, notification.InvitationAccepted, notification.Message, notification.Like} {
		for actor := range 5 {
			n := notification.Notification{
				ID: id.Notification{7}, Sequence: 5, Category: category, Actor: id.Member{byte(actor)},
				CreatedAt: time.UnixMilli(1), ReadAt: time.UnixMilli(int64(actor)),
			}
			want := execute(n)
			if got, err := w.planned(n); err != nil || got != want {
				t.Errorf("planned  %s (%v)\nexecuted %s", got, err, want)
			}
		}
	}
	for _, c := range notification.Categories() { // else a plan would pass its events over
		if shown := model.NewNotification(notification.Notification{Category: c}) != nil; shown != (model.NotificationLeaves[model.TypeOf(c)] != nil) {
			t.Errorf("%s is shown: %v, and its type is %q", c, shown, model.TypeOf(c))
		}
	}
	if len(model.InvitationLeaves) != len(leaves["Invitation"])-1 || len(model.MessageLeaves) != len(leaves["Written"])-1 || len(model.PublicationLeaves) != 3 {
		t.Error("there are leaves that no test selects")
	}
	if len(model.MemberLeaves) != len(leaves["Member"])-1 || len(model.PageInfoLeaves) != len(leaves["page"])-1 || len(model.ViewerLeaves) != 1 {
		t.Error("there are leaves that no test selects")
	}
	for name, known := range model.NotificationLeaves {
		if selected := len(leaves["Notification"]) - 1; len(known) != selected && len(known) != selected+1 {
			t.Errorf("%s has leaves that no test selects", name)
		}
	}
}

func drawNotification(t *rapid.T) notification.Notification {
	n := notification.Notification{
		ID: id.Notification{byte(rapid.IntRange(0, 255).Draw(t, "id"))}, Sequence: rapid.Int64Range(1, 1<<40).Draw(t, "sequence"),
		Category:  rapid.SampledFrom([]notification.Category{notification.InvitationReceived, notification.InvitationAccepted, notification.Message, notification.Like}).Draw(t, "category"),
		Actor:     id.Member{byte(rapid.IntRange(0, 6).Draw(t, "actor"))}, // nobody, those that are there, one that is erased, one that is hidden, and one that is not
		CreatedAt: time.UnixMilli(rapid.Int64Range(0, 1<<41).Draw(t, "created")).In(time.FixedZone("", 3600)),
	}
	if rapid.Bool().Draw(t, "read") {
		n.ReadAt = time.UnixMilli(rapid.Int64Range(1, 1<<41).Draw(t, "read at"))
	}
	switch key := byte(rapid.IntRange(0, 5).Draw(t, "of")); n.Category {
	case notification.Message:
		n.Message = id.Message{key}
	case notification.InvitationReceived, notification.InvitationAccepted:
		n.Invitation = id.Invitation{key}
	default:
		n.Publication = id.Publication{max(1, key)} // always there
	}
	if n.Category == notification.InvitationReceived {
		n.Reminder = rapid.Bool().Draw(t, "reminder")
	}
	return n
}

// Where something has to be executed there is no plan. Who adds a type of notification adds it to
// model.NotificationLeaves, too: without it no selection has a plan, and this fails.
func TestWhatHasAPlan(t *testing.T) {
	t.Parallel()
	for selection, planned := range map[string]bool{
		`{ cursor node { __typename id sequence category createdAt ... on InvitationReceivedNotification { reminder } } }`: true,
		`{ cursor node { id actor { id name } } }`:                                                        true,
		`{ node { id actor { id relationship { status } } } }`:                                            false,
		`{ node { actor { mutualConnections(first: 1) { nodes { id } } } } }`:                             false,
		`{ node { ... on HostNotification { title } } }`:                                                  false,
		`{ node { ... on MessageNotification { message { id } } } }`:                                      false,
		`{ node { ... on InvitationReceivedNotification { invitation { id } } } }`:                        false,
		`{ node { ... on InvitationReceivedNotification @include(if: false) { invitation { id } } id } }`: true,
	} {
		w, e := newTwoWays()
		w.subscribe(t, e, "subscription { notificationReceived "+selection+" }", nil)
		if (w.plan != nil) != planned {
			t.Errorf("%s has a plan: %v", selection, w.plan != nil)
		}
	}
}

// A plan is made once for all who have the same document and say the same in it.
func TestPlansAreShared(t *testing.T) {
	t.Parallel()
	w, e := newTwoWays()
	e.SetQueryCache(newDocuments())
	const query = `subscription S($no: Boolean!, $after: String) { notificationReceived(after: $after) { cursor node { id sequence @skip(if: $no) } } }`
	plan := func(no bool, after string) *eventPlan {
		w.subscribe(t, e, query, map[string]any{"no": no, "after": after})
		return w.plan
	}
	first := plan(false, "")
	if first == nil || plan(false, "x") != first {
		t.Error("the second of the same selection has a plan of its own")
	}
	if other := plan(true, ""); other == first || plan(true, "y") != other {
		t.Error("what is skipped is not told apart")
	}
}

// Operations of one document share fields by a fragment, and not what else they select of them.
func TestPlansOfOneDocument(t *testing.T) {
	t.Parallel()
	w, e := newTwoWays()
	e.SetQueryCache(newDocuments())
	const document = `subscription A { ...F } subscription B { ...F notificationReceived { node { id sequence } } }
		fragment F on Subscription { notificationReceived { cursor } }`
	for _, name := range []string{"A", "B", "A"} {
		ctx := graphql.StartOperationTrace(t.Context())
		op, errs := e.CreateOperationContext(ctx, &graphql.RawParams{Query: document, OperationName: name})
		if errs != nil {
			t.Fatal(errs)
		}
		responses, ctx := e.DispatchOperation(ctx, op)
		n := notification.Notification{ID: id.Notification{7}, Sequence: 5, Category: notification.Like, CreatedAt: time.UnixMilli(1)}
		edge, err := notificationEdge(n)
		if err != nil {
			t.Fatal(err)
		}
		w.edges <- edge
		want := responses(withLoaders(ctx, &loaders{resolver: w.Resolver, viewer: id.Member{9}, wait: time.Microsecond}))
		if got, err := w.planned(n); err != nil || string(want.Data) != got {
			t.Errorf("%s: planned %s (%v), executed %s", name, got, err, want.Data)
		}
	}
}
