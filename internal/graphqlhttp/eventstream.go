package graphqlhttp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const typeEventStream = "text/event-stream"

// EventStream runs operations, subscriptions included, as server-sent events: the distinct connections mode of
// graphql-sse (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md), for clients that cannot open a socket.
type EventStream struct {
	MaxBody   int64         // bytes; more is 413
	Timeout   time.Duration // of an operation that is no subscription, and of the start of one that is
	KeepAlive time.Duration // between the comments that keep a quiet stream open
	// Begin is called before an operation runs, with its kind. It may refuse it with a message, or give the context to
	// run it in, what to do at its end, and where the id of each event comes from; "" is none.
	Begin func(ctx context.Context, kind ast.Operation) (Stream, string)
	Log   *slog.Logger // slog's default when nil
}

// refusedFor is how many seconds a client waits that was refused for now: nobody knows when something will be free.
const refusedFor = "5"

// Stream is what one operation runs with.
type Stream struct {
	Context context.Context //nolint:containedctx // handed over once
	End     func()
	EventID func() string
}

// Supports takes requests that want a stream of events.
func (EventStream) Supports(r *http.Request) bool {
	return !WantsWebSocket(r) && WantsEventStream(r)
}

func (t EventStream) logger() *slog.Logger {
	if t.Log == nil {
		return slog.Default()
	}
	return t.Log
}

// WantsEventStream reports whether a request prefers a stream of events, named as such, to one answer.
func WantsEventStream(r *http.Request) bool {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	events := bestRange(accept, typeEventStream)
	if events.specificity != exactly || events.quality == 0 {
		return false
	}
	for _, other := range []mediaRange{bestRange(accept, typeJSON), bestRange(accept, typeResponse)} {
		if other.quality > events.quality || other.quality == events.quality && other.specificity == exactly && other.place < events.place {
			return false
		}
	}
	return true
}

// takesEventStream reports whether a request accepts a stream of events at all: clients of several transports name it
// behind JSON, for the subscriptions among their operations.
func takesEventStream(r *http.Request) bool {
	events := bestRange(strings.Join(r.Header.Values("Accept"), ","), typeEventStream)
	return events.specificity == exactly && events.quality > 0
}

// Do runs one operation.
func (t EventStream) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	w.Header().Add("Vary", "Accept")
	params, bad := read(w, r, t.MaxBody)
	if bad != nil {
		WriteProblem(w, typeJSON, bad.Status, "BAD_USER_INPUT", bad.Message)
		return
	}
	ctx := graphql.StartOperationTrace(r.Context())
	op, errs := exec.CreateOperationContext(ctx, params)
	if errs != nil {
		// As an event, because a browser's EventSource shows nothing of a failed request.
		e := t.open(w)
		e.next("", AppendResponse(nil, exec.DispatchError(graphql.WithOperationContext(ctx, op), errs)))
		e.complete()
		return
	}
	t.serve(ctx, w, r, exec, op)
}

// serve runs one operation that was read and found good.
func (t EventStream) serve(ctx context.Context, w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, op *graphql.OperationContext) {
	kind := op.Operation.Operation
	if r.Method != http.MethodPost && kind == ast.Mutation {
		w.Header().Set("Allow", "POST")
		WriteProblem(w, typeJSON, http.StatusMethodNotAllowed, "BAD_USER_INPUT", "Mutations need POST.")
		return
	}
	stream, refused := t.Begin(ctx, kind)
	if refused != "" {
		w.Header().Set("Retry-After", refusedFor)
		WriteProblem(w, typeJSON, http.StatusTooManyRequests, "RATE_LIMITED", refused)
		return
	}
	defer stream.End()
	ctx, cancel := context.WithCancel(stream.Context)
	defer cancel()
	if kind != ast.Subscription {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, t.Timeout)
		defer stop()
	}
	t.run(ctx, cancel, w, exec, op, stream.EventID) //nolint:contextcheck // of the request, by way of Begin
}

// run writes what an operation gives until it ends, or the client does.
func (t EventStream) run(ctx context.Context, cancel context.CancelFunc, w http.ResponseWriter, exec graphql.GraphExecutor,
	op *graphql.OperationContext, eventID func() string,
) {
	tooLong := time.AfterFunc(t.Timeout, cancel)
	responses, ctx := exec.DispatchOperation(ctx, op)
	if !tooLong.Stop() && op.Operation.Operation == ast.Subscription { // it has not started, and will not
		w.Header().Set("Retry-After", refusedFor)
		write(w, typeJSON, http.StatusServiceUnavailable, tookTooLong)
		return
	}
	e := t.open(w)
	if op.Operation.Operation != ast.Subscription {
		response := responses(ctx)
		if response == nil { // the time was over before anything ran
			response = tookTooLong
		}
		e.next(eventID(), AppendResponse(nil, response))
		e.complete()
		return
	}

	results := make(chan []byte)
	go t.produce(ctx, cancel, responses, results)
	defer func() { // it must not outlive the request
		cancel()
		for range results {
		}
	}()
	defer e.endWith(ctx)()
	quiet := time.NewTicker(t.KeepAlive)
	defer quiet.Stop()
	for e.err == nil {
		select {
		case response, more := <-results:
			if more {
				e.next(eventID(), response)
				continue
			}
			if ctx.Err() == nil { // else it was cut short, and the client may resume
				e.complete()
			}
			return
		case <-quiet.C:
			e.comment()
		}
	}
}

// produce gives the responses of a subscription, encoded, until it ends: gqlgen uses the bytes of a response again for
// the next one.
func (t EventStream) produce(ctx context.Context, cancel context.CancelFunc, responses graphql.ResponseHandler, results chan<- []byte) {
	defer close(results)
	// It is nobody's but ours to catch what panics here: outside of a resolver, gqlgen does not.
	defer func() {
		if cause := recover(); cause != nil {
			t.logger().ErrorContext(ctx, "panic in a stream of events", "panic", cause, "stack", string(debug.Stack()))
			cancel()
		}
	}()
	for {
		response := responses(ctx)
		if response == nil {
			return
		}
		select {
		case results <- AppendResponse(nil, response):
		case <-ctx.Done():
			return
		}
		if response.Data == nil { // nothing was executed, or nothing will be any more
			return
		}
	}
}

// tookTooLong is what an operation gets that ran out of time.
var tookTooLong = &graphql.Response{Errors: gqlerror.List{{
	Message: "The request took too long; try again.", Extensions: map[string]any{"code": "UNAVAILABLE"},
}}}

// events writes server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
type events struct {
	w       http.ResponseWriter
	control *http.ResponseController
	err     error // of the first write that failed: the client is gone

	mu    sync.Mutex // guards the deadline of writes, and what follows
	ended bool       // nothing new is written
}

// errEnded is what writing gives after the end.
var errEnded = errors.New("the stream was ended")

// How long a client may take to receive an event, and what is left of one when the stream has been ended.
const (
	eventTimeout = 10 * time.Second
	lastTimeout  = time.Second
)

// How long clients wait before they connect again.
const (
	retryLeast = time.Second
	retryMost  = 4 * time.Second
)

// open begins a stream of events.
func (t EventStream) open(w http.ResponseWriter) *events {
	h := w.Header()
	h.Set("Content-Type", typeEventStream+"; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no") // proxies such as nginx would hold events back
	// A server that limits how long it reads a request would take a stream that lasts for one that never ends.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	w.WriteHeader(http.StatusOK)
	e := &events{w: w, control: http.NewResponseController(w)}
	// Clients that lose a stream wait so long before they come again: not all at once when a server goes. The comment
	// tells that the operation has started.
	wait := retryLeast + rand.N(retryMost-retryLeast) //nolint:gosec // any number will do
	e.write(fmt.Appendf(nil, "retry: %d\n:\n\n", wait.Milliseconds()))
	return e
}

func (e *events) next(id string, response []byte) {
	var b []byte
	if id != "" {
		b = append(append(append(b, "id: "...), id...), '\n')
	}
	b = append(b, "event: next\ndata: "...)
	b = append(b, response...) // JSON has no raw newlines
	e.write(append(b, "\n\n"...))
}

func (e *events) complete() { e.write([]byte("event: complete\ndata:\n\n")) }
func (e *events) comment()  { e.write([]byte(":\n\n")) }

func (e *events) write(b []byte) {
	if e.err != nil {
		return
	}
	if e.err = e.begin(); e.err != nil {
		return
	}
	if _, e.err = e.w.Write(b); e.err == nil { //nolint:gosec // JSON in a stream of events, no page
		e.err = e.control.Flush()
	}
}

// begin gives the client time for what is written next.
func (e *events) begin() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return errEnded
	}
	_ = e.control.SetWriteDeadline(time.Now().Add(eventTimeout)) // not every writer can; then there is none
	return nil
}

// endWith lets the stream end with a context, as that of a token: a client that reads slowly does not keep it by what it
// has yet to take. The function it gives is to be called when nothing is written any more, as the connection may go on to
// other requests.
func (e *events) endWith(ctx context.Context) (over func()) {
	stop := context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if !e.ended {
			e.ended = true
			_ = e.control.SetWriteDeadline(time.Now().Add(lastTimeout))
		}
	})
	return func() {
		stop()
		e.mu.Lock()
		defer e.mu.Unlock()
		e.ended = true
	}
}
