package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/graph/generated"
	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// sample writes a value that fits a type.
func sample(schema *ast.Schema, t *ast.Type) string {
	if t.Elem != nil {
		return "[" + sample(schema, t.Elem) + "]"
	}
	switch definition := schema.Types[t.NamedType]; {
	case definition.Kind == ast.Enum:
		return definition.EnumValues[0].Name
	case definition.Kind == ast.InputObject:
		var fields []string
		for _, f := range definition.Fields {
			if f.Type.NonNull {
				fields = append(fields, f.Name+": "+sample(schema, f.Type))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case t.NamedType == "Boolean":
		return "true"
	case t.NamedType == "Int":
		return "1"
	default:
		return `"x"`
	}
}

// Every root field there is, also one that is added tomorrow, is a member's or the host application's and never both's;
// and nobody's without a token.
func TestWhoMayRunWhat(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t))
	ada, service, nobody := s.As(t, "ada"), s.Service(t), s.WithToken(t, "")
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	forHost := []string{"upsertMember", "suspendMember", "deleteMember", "publishNotification"}
	for operation, root := range map[string]*ast.Definition{"query": schema.Query, "mutation": schema.Mutation, "subscription": schema.Subscription} {
		for _, field := range root.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			var arguments []string
			for _, a := range field.Arguments {
				if a.Type.NonNull {
					arguments = append(arguments, a.Name+": "+sample(schema, a.Type))
				}
			}
			query := operation + " { " + field.Name
			if len(arguments) > 0 {
				query += "(" + strings.Join(arguments, ", ") + ")"
			}
			query += " { __typename } }"
			refused := service
			if slices.Contains(forHost, field.Name) {
				refused = ada
			}
			if operation == "subscription" {
				if m := refused.Connect().Subscribe(query, nil).Message(); !strings.Contains(string(m.Payload), `"FORBIDDEN"`) || !strings.Contains(string(m.Payload), `"data":null`) {
					t.Errorf("%s gave %s %s", query, m.Type, m.Payload)
				}
				continue
			}
			if r := refused.Do(query, nil); r.Code() != "FORBIDDEN" || string(r.Data) != "null" {
				t.Errorf("%s gave %s", query, r.Raw)
			}
			if r := nobody.Do(query, nil); r.Code() != "UNAUTHENTICATED" || string(r.Data) != "null" {
				t.Errorf("without a token, %s gave %s", query, r.Raw)
			}
		}
	}
	for _, c := range []*apptest.Client{service, ada} {
		if r := c.Do(`{ __typename __schema { queryType { name } } }`, nil); r.Code() != "" {
			t.Errorf("introspection gave %s", r.Raw)
		}
	}
	// Together with what is allowed it is refused, too, and nothing is done.
	r := service.Do(`mutation { upsertMember(input: {subject: "eve"}) { created } updateMember(input: {name: "x"}) { member { id } } }`, nil)
	if r.Code() != "FORBIDDEN" {
		t.Errorf("mixed fields gave %s", r.Raw)
	}
	if got := service.Suspend("eve", true); got.Code() != "MEMBER_NOT_FOUND" {
		t.Error("a refused mutation was done in part")
	}
	// Over a socket as well.
	socket := service.Connect()
	for query, want := range map[string]string{
		`subscription { notificationReceived { cursor } }`:               "FORBIDDEN",
		`mutation { upsertMember(input: {subject: "fay"}) { created } }`: `"created":true`,
	} {
		if m := socket.Subscribe(query, nil).Message(); !strings.Contains(string(m.Payload), want) {
			t.Errorf("over a socket %s gave %s %s", query, m.Type, m.Payload)
		}
	}
}

// The host application's tokens make no member, and are under no member's rate.
func TestServiceIsNoMember(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t), func(c *app.Config) {
		c.Limits.Rates.Request, c.Limits.Rates.RequestBurst = 1, 5
	})
	service := s.Service(t)
	for range 20 {
		if r := service.Do(`{ __typename }`, nil); r.Code() != "" {
			t.Fatalf("got %s", r.Raw)
		}
	}
	if got := service.Suspend("the host", true); got.Code() != "MEMBER_NOT_FOUND" {
		t.Errorf("the host has a member: %+v", got)
	}
}

// upsertMember makes the member of a subject or changes what is given; the subject's tokens are that member's.
func TestUpsertMember(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		service := s.Service(t)
		made := service.Upsert(apptest.Vars{"subject": "u1", "name": " Ada Lovelace ", "headline": "Analyst", "email": "Ada@Example.org"})
		if made.Code() != "" || !made.Created || made.Member.Name != "Ada Lovelace" || made.Member.Handle != "ada-lovelace" || *made.Member.Headline != "Analyst" {
			t.Fatalf("got %+v", made)
		}
		ada := s.As(t, "u1")
		if ada.ID != made.Member.ID {
			t.Errorf("the subject signs in as %s, not %s", ada.ID, made.Member.ID)
		}
		same := service.Upsert(apptest.Vars{"subject": "u1"})
		if same.Created || same.Member.ID != ada.ID || same.Member.Name != "Ada Lovelace" {
			t.Errorf("nothing to change gave %+v", same)
		}
		changed := service.Upsert(apptest.Vars{
			"subject": "u1", "handle": "ADA", "name": "Ada", "headline": nil, "location": "London", "industry": "Computing",
			"company": "Analytical", "photoUrl": "https://example.org/a.png",
		})
		if m := changed.Member; changed.Created || m.ID != ada.ID || m.Handle != "ada" || m.Name != "Ada" || m.Headline != nil ||
			*m.Location != "London" || *m.Industry != "Computing" || *m.Company != "Analytical" || *m.PhotoURL != "https://example.org/a.png" {
			t.Errorf("changing gave %+v", changed)
		}
		if bare := service.Upsert(apptest.Vars{"subject": "u2"}); !bare.Created || bare.Member.Name != bare.Member.Handle {
			t.Errorf("a bare subject became %+v", bare.Member)
		}
		if named := service.Upsert(apptest.Vars{"subject": "u3", "name": "Ada"}); named.Member.Handle == "ada" || !strings.HasPrefix(named.Member.Handle, "ada") {
			t.Errorf("a taken handle was not made unique: %+v", named.Member)
		}
		for _, c := range []struct {
			input       apptest.Vars
			code, field string
		}{
			{apptest.Vars{"subject": ""}, "INVALID", "subject"},
			{apptest.Vars{"subject": "a\u0000b"}, "INVALID", "subject"},
			{apptest.Vars{"subject": strings.Repeat("x", 256)}, "INVALID", "subject"},
			{apptest.Vars{"subject": "new", "handle": "ada"}, "TAKEN", "handle"},
			{apptest.Vars{"subject": "u2", "handle": "ada"}, "TAKEN", "handle"},
			{apptest.Vars{"subject": "new", "handle": "é"}, "INVALID", "handle"},
			{apptest.Vars{"subject": "new", "name": nil}, "BLANK", "name"},
			{apptest.Vars{"subject": "u1", "name": " "}, "BLANK", "name"},
			{apptest.Vars{"subject": "new", "email": "Ada <a@example.org>"}, "INVALID", "email"},
			{apptest.Vars{"subject": "new", "headline": strings.Repeat("x", 221)}, "TOO_LONG", "headline"},
			{apptest.Vars{"subject": "new", "photoUrl": "javascript:alert(1)"}, "INVALID", "photoUrl"},
		} {
			got := service.Upsert(c.input)
			if got.Code() != c.code || got.Member != nil || got.Created || got.UserErrors[0].Field[0] != c.field {
				t.Errorf("%v gave %+v", c.input, got)
			}
		}
		if got := service.Suspend("new", false); got.Code() != "MEMBER_NOT_FOUND" {
			t.Error("a refused upsert made a member")
		}
	})
}

// Many upserts and first sign-ins of a subject at once make one member.
func TestRaceUpsert(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		service := s.Service(t)
		for round := range rounds {
			subject := fmt.Sprint("u", round)
			got := make([]apptest.Managed, 4)
			token := apptest.Token(t, member.Claims{Subject: subject}, time.Hour)
			var signedIn apptest.Response
			do := []func(){func() { signedIn = s.WithToken(t, token).Do(`{ viewer { member { id } } }`, nil) }}
			for i := range got {
				do = append(do, func() { got[i] = service.Upsert(apptest.Vars{"subject": subject, "company": fmt.Sprint(i)}) })
			}
			together(do...)
			created := 0
			for _, g := range got {
				if g.Code() != "" || g.Member.ID != got[0].Member.ID {
					t.Fatalf("got %+v and %+v", got[0], g)
				}
				if g.Created {
					created++
				}
			}
			if created > 1 || !strings.Contains(string(signedIn.Raw), got[0].Member.ID) {
				t.Errorf("created %d times; signed in: %s", created, signedIn.Raw)
			}
		}
	})
}

// A suspended member's tokens are refused, on every node, and what is open closes; nothing of theirs is hidden; and it
// can be undone.
func TestSuspendMember(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s, other := apptest.Start(t, database), apptest.Start(t, database)
		service, ada, ben := s.Service(t), s.As(t, "ada"), s.As(t, "ben")
		apptest.Connect(ada, ben)
		here, there := ada.Connect(), ada.On(other).Connect()
		here.Subscribe(subscribeNotifications, nil)
		there.Subscribe(subscribeNotifications, nil)
		events := listen(t, other, tokenOf(t, "ada", time.Hour), subscribeNotifications, nil).started()
		bens := ben.Connect()
		bens.Subscribe(subscribeNotifications, nil)

		if got := service.Suspend("ada", true); got.Code() != "" || got.Member.ID != ada.ID {
			t.Fatalf("got %+v", got)
		}
		if r := ada.Do(`{ __typename }`, nil); r.Code() != "FORBIDDEN" || r.Status != 403 {
			t.Errorf("a suspended member's token gave %s", r.Raw)
		}
		if code := here.CloseCode(); code != 4403 {
			t.Errorf("the socket on this node closed with %d", code)
		}
		if code := there.CloseCode(); code != 4403 {
			t.Errorf("the socket on another node closed with %d", code)
		}
		if e := events.event(); e != nil {
			t.Errorf("the stream of events went on with %+v", e)
		}
		if r := ada.On(other).Do(`{ __typename }`, nil); r.Code() != "FORBIDDEN" {
			t.Errorf("on another node a suspended member's token gave %s", r.Raw)
		}
		w := dial(t, s, nil)
		w.write(map[string]any{"type": "connection_init", "payload": map[string]string{"Authorization": "Bearer " + tokenOf(t, "ada", time.Hour)}})
		if _, _, err := w.ws.ReadMessage(); !websocket.IsCloseError(err, 4403) {
			t.Errorf("a new socket got %v", err)
		}
		bens.Ping()
		if r := ben.RelationshipTo(ada.ID); r.Status != "CONNECTED" {
			t.Errorf("the suspension hides from others: %+v", r)
		}
		if again := service.Suspend("ada", true); again.Code() != "" || again.Member == nil {
			t.Errorf("again: %+v", again)
		}

		if got := service.Suspend("ada", false); got.Code() != "" {
			t.Errorf("got %+v", got)
		}
		for _, node := range []*apptest.Server{s, other} {
			if r := ada.On(node).Do(`{ viewer { member { id } } }`, nil); r.Code() != "" {
				t.Errorf("after the suspension: %s", r.Raw)
			}
		}
		ada.Connect().Subscribe(subscribeNotifications, nil)
		if got := service.Suspend("nobody", true); got.Code() != "MEMBER_NOT_FOUND" || got.UserErrors[0].Field[0] != "subject" {
			t.Errorf("an unknown subject gave %+v", got)
		}
	})
}
