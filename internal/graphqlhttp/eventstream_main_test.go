package graphqlhttp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/internal/graphqlhttp"
)

const typeEvents = "text/event-stream"

// patience is how long a test waits for what must happen; only a failing test waits that long.
const patience = 15 * time.Second

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

// driven is the schema, with a subscription that the test drives.
type driven struct {
	executable

	streams chan *driving
}

// slowStart is in the context of a subscription that does not start before that ends.
type slowStart struct{}

// driving is a subscription that runs.
type driving struct {
	ctx       context.Context //nolint:containedctx // what the resolver was given
	responses chan *graphql.Response
}

func (d driven) Exec(ctx context.Context) graphql.ResponseHandler {
	if graphql.GetOperationContext(ctx).Operation.Operation != ast.Subscription {
		return d.executable.Exec(ctx)
	}
	if ctx.Value(slowStart{}) != nil {
		<-ctx.Done()
		return graphql.OneShot(graphql.ErrorResponse(ctx, "too late"))
	}
	s := &driving{ctx: ctx, responses: make(chan *graphql.Response)}
	d.streams <- s
	return func(ctx context.Context) *graphql.Response {
		select {
		case r := <-s.responses:
			return r
		case <-ctx.Done():
			return nil
		}
	}
}

// give sends an event to the client.
func (s *driving) give(t *testing.T, r *graphql.Response) {
	t.Helper()
	select {
	case s.responses <- r:
	case <-time.After(patience):
		t.Fatal("nobody took it")
	}
}

func event(text string) *graphql.Response {
	return &graphql.Response{Data: []byte(`{"events":"` + text + `"}`)}
}

// streaming is a server of the transport for streams of events and the one for everything else.
type streaming struct {
	t       *testing.T
	url     string
	streams chan *driving
	ended   chan struct{} // a value for each operation that was let in and has ended
	begun   *atomic.Int64 // operations that asked to begin
}

// startStreaming starts a server; Begin lets everything in if it is nil. change may alter the server.
func startStreaming(t *testing.T, transport graphqlhttp.EventStream, change ...func(*http.Server)) *streaming {
	t.Helper()
	s := &streaming{t: t, streams: make(chan *driving, 1000), ended: make(chan struct{}, 1000), begun: &atomic.Int64{}}
	if transport.MaxBody == 0 {
		transport.MaxBody = maxBody
	}
	if transport.Timeout == 0 {
		transport.Timeout = time.Minute
	}
	if transport.KeepAlive == 0 {
		transport.KeepAlive = time.Minute
	}
	begin := transport.Begin
	if begin == nil {
		begin = func(ctx context.Context, _ ast.Operation) (graphqlhttp.Stream, string) {
			return graphqlhttp.Stream{Context: ctx, EventID: func() string { return "" }}, ""
		}
	}
	transport.Begin = func(ctx context.Context, kind ast.Operation) (graphqlhttp.Stream, string) {
		s.begun.Add(1)
		stream, refused := begin(ctx, kind)
		stream.End = func() { s.ended <- struct{}{} }
		return stream, refused
	}
	graphQL := handler.New(driven{streams: s.streams})
	graphQL.SetRecoverFunc(func(context.Context, any) error { return errors.New("a panic") })
	graphQL.AddTransport(transport)
	graphQL.AddTransport(graphqlhttp.Transport{MaxBody: maxBody, Timeout: time.Minute})
	server := httptest.NewUnstartedServer(graphQL)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	for _, c := range change {
		c(server.Config)
	}
	server.Start()
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// listening is a client that reads a stream of events.
type listening struct {
	t      *testing.T
	header http.Header
	lines  *bufio.Reader
	retry  int // milliseconds, as the server has said
	leave  context.CancelFunc
}

// listen sends a request, and wants a stream of events for it. It returns when the stream has begun.
func (s *streaming) listen(method, address, body string) *listening {
	s.t.Helper()
	ctx, leave := context.WithTimeout(context.Background(), patience)
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Accept", typeEvents)
	request.Header.Set("Content-Type", typeJSON)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { leave(); response.Body.Close() })
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != typeEvents+"; charset=utf-8" {
		read, _ := io.ReadAll(response.Body)
		s.t.Fatalf("status %d, %s: %s", response.StatusCode, response.Header.Get("Content-Type"), read)
	}
	return &listening{t: s.t, header: response.Header, lines: bufio.NewReader(response.Body), leave: leave}
}

// block reads up to the next empty line; "" is the end of the stream.
func (l *listening) block() string {
	l.t.Helper()
	var b strings.Builder
	for {
		line, err := l.lines.ReadString('\n')
		if err != nil {
			if b.Len() > 0 || line != "" {
				l.t.Fatalf("the stream ends within %q: %v", b.String()+line, err)
			}
			if !errors.Is(err, io.EOF) {
				l.t.Fatal(err)
			}
			return ""
		}
		if line == "\n" {
			return b.String()
		}
		if n, err := fmt.Sscanf(line, "retry: %d\n", &l.retry); n == 1 && err == nil {
			continue
		}
		b.WriteString(line)
	}
}

const aComment = ":\n"

// expect reads exactly these blocks.
func (l *listening) expect(blocks ...string) {
	l.t.Helper()
	for _, want := range blocks {
		if got := l.block(); got != want {
			l.t.Fatalf("got %q, want %q", got, want)
		}
	}
}

// next is the block of an event with a result.
func next(result string) string { return "event: next\ndata: " + result + "\n" }

const (
	completed = "event: complete\ndata:\n"
	endOfAll  = ""
)
