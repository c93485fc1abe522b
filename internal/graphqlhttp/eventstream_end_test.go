package graphqlhttp_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/internal/graphqlhttp"
)

const subscribe = `{"query":"subscription { events }"}`

// A quiet stream is kept open by comments.
func TestEventStreamKeepAlive(t *testing.T) {
	t.Parallel()
	s := startStreaming(t, graphqlhttp.EventStream{KeepAlive: 5 * time.Millisecond})
	l := s.listen(http.MethodPost, s.url, subscribe)
	stream := wait(t, s.streams, "the subscription")
	l.expect(aComment, aComment, aComment, aComment)
	stream.give(t, event("a"))
	got := l.block()
	for got == aComment {
		got = l.block()
	}
	if got != next(`{"data":{"events":"a"}}`) {
		t.Errorf("got %q", got)
	}
	l.expect(aComment, aComment)
}

// A server that limits how long it reads, and writes, keeps a long stream open.
func TestEventStreamOutlivesTheServersTimeouts(t *testing.T) {
	t.Parallel()
	const limit = 100 * time.Millisecond
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			s := startStreaming(t, graphqlhttp.EventStream{KeepAlive: limit / 10}, func(server *http.Server) {
				server.ReadTimeout, server.ReadHeaderTimeout, server.WriteTimeout = limit, limit, limit
			})
			l := s.listen(method, s.url+"?query=subscription%7Bevents%7D", subscribe)
			began := time.Now()
			stream := wait(t, s.streams, "the subscription")
			for time.Since(began) < 4*limit {
				l.expect(aComment)
			}
			if stream.ctx.Err() != nil {
				t.Fatal("the operation has ended")
			}
			stream.give(t, event("a"))
			got := l.block()
			for got == aComment {
				got = l.block()
			}
			if got != next(`{"data":{"events":"a"}}`) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A client that goes away ends its operation, at rest or in the middle of an event.
func TestEventStreamClientGone(t *testing.T) {
	t.Parallel()
	for what, busy := range map[string]bool{"at rest": false, "while events come": true} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := startStreaming(t, graphqlhttp.EventStream{})
			l := s.listen(http.MethodPost, s.url, subscribe)
			l.expect(aComment)
			stream := wait(t, s.streams, "the subscription")
			if busy {
				stream.give(t, event("a"))
			}
			l.leave()
			for busy {
				select {
				case stream.responses <- event("b"):
				case <-stream.ctx.Done():
					busy = false
				case <-time.After(patience):
					t.Fatal("the operation goes on")
				}
			}
			wait(t, stream.ctx.Done(), "the end of the resolver's context")
			wait(t, s.ended, "the end of the operation")
		})
	}
}

// A client that sends a request, and breaks off before anything was written, ends its operation.
func TestEventStreamClientResets(t *testing.T) {
	t.Parallel()
	s := startStreaming(t, graphqlhttp.EventStream{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(conn, "GET /?query=subscription%7Bevents%7D HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	stream := wait(t, s.streams, "the subscription")
	_ = conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
	wait(t, stream.ctx.Done(), "the end of the resolver's context")
	wait(t, s.ended, "the end of the operation")
}

// A client of HEAD has no body to get events in, and so no operation goes on for it.
func TestEventStreamOfHead(t *testing.T) {
	t.Parallel()
	s := startStreaming(t, graphqlhttp.EventStream{KeepAlive: 5 * time.Millisecond})
	a := call(t, http.MethodHead, s.url+"?query=subscription%7Bevents%7D", nil, "Accept", typeEvents)
	if a.status != http.StatusOK && a.status != http.StatusMethodNotAllowed {
		t.Errorf("status %d", a.status)
	}
	select {
	case <-s.streams:
		wait(t, s.ended, "the end of the operation")
	default: // it was not even begun
	}
}

// A context that ends on the server's side, as with a token, ends the stream without a complete: a client tries again.
func TestEventStreamEndedByTheServer(t *testing.T) {
	t.Parallel()
	ctx, end := context.WithCancel(context.Background())
	s := startStreaming(t, graphqlhttp.EventStream{Begin: func(request context.Context, _ ast.Operation) (graphqlhttp.Stream, string) {
		both, cancel := context.WithCancel(request)
		context.AfterFunc(ctx, cancel)
		return graphqlhttp.Stream{Context: both, EventID: func() string { return "" }}, ""
	}})
	l := s.listen(http.MethodPost, s.url, subscribe)
	l.expect(aComment)
	stream := wait(t, s.streams, "the subscription")
	stream.give(t, event("a"))
	l.expect(next(`{"data":{"events":"a"}}`))
	end()
	l.expect(endOfAll)
	wait(t, s.ended, "the end of the operation")
}

// A client that reads slowly, or not at all, does not stay past the end of its token by what it has yet to take.
func TestEventStreamSlowReaderDoesNotOutliveItsToken(t *testing.T) {
	t.Parallel()
	token, end := context.WithCancel(context.Background())
	writing := make(chan struct{}, 1)
	s := startStreaming(t, graphqlhttp.EventStream{Begin: func(request context.Context, _ ast.Operation) (graphqlhttp.Stream, string) {
		both, cancel := context.WithCancel(request)
		context.AfterFunc(token, cancel)
		return graphqlhttp.Stream{Context: both, EventID: func() string { writing <- struct{}{}; return "" }}, ""
	}})
	l := s.listen(http.MethodPost, s.url, subscribe)
	l.expect(aComment)
	wait(t, s.streams, "the subscription").give(t, event(strings.Repeat("x", 60_000_000))) // past all buffers of TCP
	wait(t, writing, "the event to be written")
	end()
	select {
	case <-s.ended:
	case <-time.After(6 * time.Second): // a write may take ten
		t.Error("the stream goes on")
	}
}

func TestEventStreamRefused(t *testing.T) {
	t.Parallel()
	s := startStreaming(t, graphqlhttp.EventStream{Begin: func(context.Context, ast.Operation) (graphqlhttp.Stream, string) {
		return graphqlhttp.Stream{}, "Too many of them."
	}})
	a := post(t, s.url, subscribe, "Accept", typeEvents)
	if seconds, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || seconds < 1 {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	if a.status != http.StatusTooManyRequests || a.mediaType != typeJSON || a.code != "RATE_LIMITED" || a.errors[0] != "Too many of them." || a.data != "" {
		t.Errorf("status %d, %s: %s", a.status, a.mediaType, a.body)
	}
	select {
	case <-s.streams:
		t.Error("it ran all the same")
	case <-s.ended:
		t.Error("what was refused has ended")
	default:
	}
}

// A subscription that does not start in time is given up, and its client told to try again.
func TestEventStreamThatDoesNotStart(t *testing.T) {
	t.Parallel()
	given := make(chan context.Context, 1)
	s := startStreaming(t, graphqlhttp.EventStream{Timeout: 20 * time.Millisecond, Begin: func(ctx context.Context, _ ast.Operation) (graphqlhttp.Stream, string) {
		ctx = context.WithValue(ctx, slowStart{}, given)
		return graphqlhttp.Stream{Context: ctx, EventID: func() string { return "" }}, ""
	}})
	a := post(t, s.url, subscribe, "Accept", typeEvents)
	if a.status != http.StatusServiceUnavailable || a.mediaType != typeJSON || a.code != "UNAVAILABLE" || a.data != "" || a.header.Get("Retry-After") == "" {
		t.Errorf("status %d, %s: %s", a.status, a.mediaType, a.body)
	}
	wait(t, s.ended, "the end of the operation")
	// One that has started goes on for as long as it likes.
	quick := startStreaming(t, graphqlhttp.EventStream{Timeout: 20 * time.Millisecond})
	l := quick.listen(http.MethodPost, quick.url, subscribe)
	l.expect(aComment)
	stream := wait(t, quick.streams, "the subscription")
	select {
	case <-stream.ctx.Done():
		t.Error("it was ended")
	case <-time.After(60 * time.Millisecond):
	}
	stream.give(t, event("a"))
	l.expect(next(`{"data":{"events":"a"}}`))
}

// Clients are told how long to wait before they connect again, and not all the same.
func TestEventStreamRetry(t *testing.T) {
	t.Parallel()
	s := startStreaming(t, graphqlhttp.EventStream{})
	seen := make(map[int]bool)
	for range 10 {
		l := s.listen(http.MethodPost, s.url, subscribe)
		l.expect(aComment)
		if l.retry < 1000 || l.retry > 4000 {
			t.Errorf("retry: %d", l.retry)
		}
		seen[l.retry] = true
	}
	if len(seen) == 1 {
		t.Error("all come again at once")
	}
}

// A panic while a response is made, outside of any resolver, ends its stream and not the program.
func TestEventStreamSurvivesPanic(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 1)
	graphQL := handler.New(driven{streams: make(chan *driving, 10)})
	graphQL.SetRecoverFunc(func(context.Context, any) error { return nil })
	graphQL.AroundResponses(func(context.Context, graphql.ResponseHandler) *graphql.Response { panic("on purpose") })
	graphQL.AddTransport(graphqlhttp.EventStream{
		MaxBody: maxBody, Timeout: time.Minute, KeepAlive: time.Minute,
		Begin: func(ctx context.Context, _ ast.Operation) (graphqlhttp.Stream, string) {
			return graphqlhttp.Stream{Context: ctx, End: func() { ended <- struct{}{} }, EventID: func() string { return "" }}, ""
		},
	})
	s := startStreaming(t, graphqlhttp.EventStream{}, func(server *http.Server) { server.Handler = graphQL })
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, strings.NewReader(subscribe))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", typeEvents)
	request.Header.Set("Content-Type", typeJSON)
	if response, err := client.Do(request); err == nil {
		read, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if strings.Contains(string(read), "on purpose") {
			t.Errorf("the client reads of the panic: %s", read)
		}
	}
	wait(t, ended, "the end of the operation")
}
