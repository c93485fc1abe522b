package graphqlws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"go.uber.org/goleak"

	"github.com/acquaint/acquaint/internal/graphqlws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen; only a failing test waits that long.
const patience = 15 * time.Second

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	type Query {
		hello: String!
		big(bytes: Int!): String!
		partial: String
		none: String!
		hold(name: String): String!
		panics: String!
		mad: String!
	}
	type Mutation { change(to: String!): String! }
	type Subscription {
		events(name: String): String!
		flood(bytes: Int!): String!
		stubborn(name: String): String!
		broken: String!
		mad: String!
	}
`})

// server is the transport under test behind a real socket, and the schema, which the test drives.
type server struct {
	t         *testing.T
	transport *graphqlws.Transport
	url       string
	gone      chan struct{}        // a value for each connection that has ended
	streams   chan *stream         // each subscription once its resolver has run
	held      chan *stream         // each hold query once it runs
	prepared  chan context.Context // what each operation was prepared in, as far as the channel has room
}

// stream is an operation that goes on until the test ends it.
type stream struct {
	name   string
	ctx    context.Context //nolint:containedctx // what the resolver was given
	events chan *graphql.Response
	asked  chan struct{} // a value each time that the transport wants a response; of stubborn ones alone
}

// poison is an event on which a stubborn stream panics.
var poison = &graphql.Response{}

func data(text string) *graphql.Response {
	encoded, err := json.Marshal(map[string]string{"events": text})
	if err != nil {
		panic(err)
	}
	return &graphql.Response{Data: encoded}
}

func give[T any](t *testing.T, to chan<- T, value T) {
	t.Helper()
	select {
	case to <- value:
	case <-time.After(patience):
		t.Fatal("nobody took it")
	}
}

func wait[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// everybody lets everybody in for an hour, under the key that the payload says.
func everybody(ctx context.Context, payload map[string]any) (graphqlws.Session, error) {
	who, _ := payload["who"].(string)
	return graphqlws.Session{Context: ctx, Key: who, Expires: time.Now().Add(time.Hour)}, nil
}

// start starts a server, and checks at the end that no connection is left.
func start(t *testing.T, options graphqlws.Options) *server {
	t.Helper()
	return startOn(t, options, func(l net.Listener) net.Listener { return l })
}

// startOn starts a server on a listener that around makes of its own.
func startOn(t *testing.T, options graphqlws.Options, around func(net.Listener) net.Listener) *server {
	t.Helper()
	if options.Init == nil {
		options.Init = everybody
	}
	if options.CheckOrigin == nil {
		options.CheckOrigin = func(*http.Request) bool { return true }
	}
	gone := make(chan struct{}, 1000)
	options.Closed = func() { gone <- struct{}{} }
	s := &server{
		t: t, transport: graphqlws.New(options), gone: gone,
		streams: make(chan *stream, 1000), held: make(chan *stream, 1000), prepared: make(chan context.Context, 1),
	}
	graphQL := handler.New(s)
	graphQL.AddTransport(s.transport)
	graphQL.Use(s)
	graphQL.SetRecoverFunc(func(context.Context, any) error { return errors.New("a panic") }) // the default prints
	graphQL.AroundOperations(s.aroundOperations)
	listener := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		graphQL.ServeHTTP(w, r)
	}))
	listener.Config.ErrorLog = log.New(io.Discard, "", 0)
	listener.Listener = around(listener.Listener)
	listener.Start()
	s.url = "ws" + strings.TrimPrefix(listener.URL, "http")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		s.transport.Shutdown(ctx)
		listener.Close()
		if n := s.transport.Connections(); n != 0 {
			t.Errorf("%d connections are left after the shutdown", n)
		}
	})
	return s
}

// Schema makes a server an executable schema, with Complexity and Exec.
func (s *server) Schema() *ast.Schema { return schema }

func (s *server) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (s *server) Exec(ctx context.Context) graphql.ResponseHandler {
	field, arguments := fieldOf(ctx)
	switch field {
	case "hello":
		return graphql.OneShot(&graphql.Response{Data: []byte(`{"hello":"world"}`)})
	case "change":
		return graphql.OneShot(&graphql.Response{Data: fmt.Appendf(nil, `{"change":%q}`, arguments["to"])})
	case "partial", "none":
		return func(ctx context.Context) *graphql.Response {
			graphql.AddError(ctx, errors.New("no such thing"))
			if field == "none" {
				return &graphql.Response{Data: []byte(`null`)}
			}
			return &graphql.Response{Data: []byte(`{"partial":null}`)}
		}
	case "big", "flood":
		text := strings.Repeat("x", int(arguments["bytes"].(int64)))
		return func(context.Context) *graphql.Response { return data(text) }
	case "panics":
		return func(context.Context) *graphql.Response { panic("on purpose") }
	case "broken":
		graphql.AddError(ctx, errors.New("cannot subscribe"))
		return nil
	case "hold", "events":
		if arguments["name"] == "late" { // it starts all the same, when it has been given up
			<-ctx.Done()
		}
		st := s.newStream(ctx)
		return func(ctx context.Context) *graphql.Response {
			select {
			case <-ctx.Done():
				if field == "hold" { // a query always has a response
					graphql.AddError(ctx, ctx.Err())
					return &graphql.Response{Data: []byte(`null`)}
				}
				return nil
			case r := <-st.events:
				return r
			}
		}
	}
	panic("no resolver for " + field)
}

// aroundOperations answers some fields in the executor's stead, which looks after contexts and panics.
func (s *server) aroundOperations(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	switch field, _ := fieldOf(ctx); field {
	case "stubborn": // heeds no context
		st := s.newStream(ctx)
		return func(context.Context) *graphql.Response {
			st.asked <- struct{}{}
			r := <-st.events
			if r == poison {
				panic("on purpose")
			}
			return r
		}
	case "mad":
		panic("on purpose, before there is any response")
	default:
		return next(ctx)
	}
}

func fieldOf(ctx context.Context) (string, map[string]any) {
	op := graphql.GetOperationContext(ctx)
	field, _ := op.Operation.SelectionSet[0].(*ast.Field)
	return field.Name, field.ArgumentMap(op.Variables)
}

func (s *server) newStream(ctx context.Context) *stream {
	field, arguments := fieldOf(ctx)
	name, _ := arguments["name"].(string)
	st := &stream{name: name, ctx: ctx, events: make(chan *graphql.Response), asked: make(chan struct{}, 100)}
	if field == "hold" {
		s.held <- st
	} else {
		s.streams <- st
	}
	return st
}

// ExtensionName makes a server an extension, with Validate and MutateOperationContext.
func (s *server) ExtensionName() string { return "Watch" }

func (s *server) Validate(graphql.ExecutableSchema) error { return nil }

func (s *server) MutateOperationContext(ctx context.Context, _ *graphql.OperationContext) *gqlerror.Error {
	select {
	case s.prepared <- ctx:
	default:
	}
	return nil
}
