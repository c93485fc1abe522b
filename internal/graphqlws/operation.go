package graphqlws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// operation is one subscribe that has not completed.
type operation struct {
	id           string
	subscription bool // it counts against the limit of them
	pumped       bool // its source calls for its responses
	cancel       context.CancelFunc
	stopped      atomic.Bool
}

// stop stops an operation and gives back what it counted against; it may be called again.
func (c *connection) stop(op *operation) {
	op.cancel()
	if op.subscription && !op.stopped.Swap(true) {
		c.transport.give(c.session.Key, ofSubscriptions)
	}
}

// subscribe starts an operation. When it returns, a subscription has started: its resolver has run.
func (c *connection) subscribe(m message) {
	ctx, cancel := context.WithCancel(c.session.Context)
	op := &operation{id: m.id, cancel: cancel}

	c.mu.Lock()
	if c.leaving {
		c.mu.Unlock()
		c.stop(op)
		return
	}
	duplicate := c.operation(m.id) != nil
	full := len(c.operations) >= c.transport.options.MaxOperations
	if !duplicate && !full {
		c.operations = append(c.operations, op)
	}
	c.mu.Unlock()
	switch {
	case duplicate:
		c.stop(op)
		c.close(closeDuplicate, "Subscriber for "+m.id+" already exists")
		return
	case full:
		c.transport.options.Limited(LimitOperations)
		c.refuse(op, "Too many operations on this connection.")
		return
	}

	if allow := c.transport.options.Allow; allow != nil {
		if wait := allow(c.session.Key); wait > 0 {
			c.refuse(op, fmt.Sprintf("Too many requests; try again in %v.", wait.Round(time.Millisecond)))
			return
		}
	}
	traced := graphql.StartOperationTrace(ctx)
	prepared, errs := c.exec.CreateOperationContext(traced, m.request)
	if errs != nil {
		c.finish(op, c.exec.DispatchError(graphql.WithOperationContext(traced, prepared), errs))
		return
	}
	if prepared.Operation.Operation != ast.Subscription {
		traced, stop := context.WithTimeout(traced, c.transport.options.OperationTimeout)
		op.cancel = func() { stop(); cancel() }
		responses, traced := c.exec.DispatchOperation(traced, prepared)
		c.goRun(traced, op, responses)
		return
	}
	if !c.transport.take(c.session.Key, c.transport.options.MaxSubscriptions, ofSubscriptions) {
		c.transport.options.Limited(LimitSubscriptions)
		c.refuse(op, "Too many subscriptions.")
		return
	}
	c.mu.Lock()
	op.subscription = true
	c.left()
	c.mu.Unlock()
	c.dispatch(ctx, op, prepared)
}

// dispatch starts a subscription. One whose source calls for its responses itself has no goroutine here.
func (c *connection) dispatch(ctx context.Context, op *operation, prepared *graphql.OperationContext) {
	used := func() bool { return false }
	var responses graphql.ResponseHandler
	started := make(chan struct{})
	if pump := c.transport.options.Pump; pump != nil {
		op.pumped = true
		ctx, used = pump(ctx, func() error {
			if !c.begin() {
				return nil
			}
			defer c.running.Done()
			defer c.survive()
			<-started             // the source may be quicker than we are
			if responses == nil { // it did not start after all
				return nil
			}
			_, err := c.step(ctx, op, responses)
			return err
		}, func(n int, data func([]byte, int) []byte) { c.sendAll(op, n, data) })
	}
	// A subscription that cannot start must not hold up the socket.
	tooLong := time.AfterFunc(c.transport.options.OperationTimeout, func() { c.stop(op) })
	inTime := false
	func() {
		defer close(started)
		defer func() { inTime = tooLong.Stop() }()
		responses, ctx = c.exec.DispatchOperation(graphql.StartOperationTrace(ctx), prepared)
	}()
	if used() {
		if !inTime { // it was stopped as it started: nothing will come
			c.finish(op, &graphql.Response{Errors: gqlerror.List{{
				Message: "The subscription did not start in time; try again.", Extensions: map[string]any{"code": "UNAVAILABLE"},
			}}})
		}
		return
	}
	op.pumped = false // it failed to start, or is of another kind
	c.goRun(ctx, op, responses)
}

// begin counts something that runs on a goroutine that is not the connection's, so that the connection does not end
// before it; false when the connection is ending.
func (c *connection) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.running.Add(1)
	return true
}

func (c *connection) goRun(ctx context.Context, op *operation, responses graphql.ResponseHandler) {
	c.running.Add(1)
	go c.run(ctx, op, responses)
}

// run sends what an operation gives until it ends.
func (c *connection) run(ctx context.Context, op *operation, responses graphql.ResponseHandler) {
	defer c.running.Done()
	defer c.stop(op)
	defer c.survive()
	for more := true; more; {
		// Without a pump there is nobody to try an event again: it is sent with its errors.
		more, _ = c.step(ctx, op, responses)
	}
}

// errUnavailable is what a step gives instead of an event in which something was not to be had just now.
var errUnavailable = errors.New("something of the event is not available just now")

// step waits for the next response of an operation and sends it; more is false when that was the last. It fails, with
// nothing sent, when a pumped event should be tried again.
func (c *connection) step(ctx context.Context, op *operation, responses graphql.ResponseHandler) (more bool, err error) {
	response := responses(ctx)
	if response == nil {
		c.finish(op, nil)
		return false, nil
	}
	if response.Data == nil { // nothing was executed, or nothing will be any more
		c.finish(op, response)
		return false, nil
	}
	if op.pumped && ctx.Err() == nil && slices.ContainsFunc(response.Errors, unavailable) {
		return true, errUnavailable
	}
	c.sendFor(op, typeNext, appendResponse(response), false)
	if !op.subscription {
		c.finish(op, nil)
		return false, nil
	}
	return true, nil
}

func unavailable(err *gqlerror.Error) bool { return err.Extensions["code"] == "UNAVAILABLE" }

// finish ends an operation: with an error message for a response in which nothing was executed, else with complete.
func (c *connection) finish(op *operation, failed *graphql.Response) {
	c.stop(op) // first: the client may start another as soon as it reads of the end
	if failed == nil {
		c.sendFor(op, typeComplete, nil, true)
	} else {
		c.sendFor(op, typeError, appendErrors(failed.Errors), true)
	}
}

func (c *connection) refuse(op *operation, reason string) {
	failed := &graphql.Response{Errors: gqlerror.List{{Message: reason, Extensions: map[string]any{"code": "RATE_LIMITED"}}}}
	c.mu.Lock()
	if c.operation(op.id) == nil {
		c.operations = append(c.operations, op)
	}
	c.mu.Unlock()
	c.finish(op, failed)
}

// sendFor sends a message of an operation, unless it has ended: then nothing of it may be sent, and its id may be
// another's by now.
func (c *connection) sendFor(op *operation, kind string, payload func([]byte) []byte, last bool) {
	withBuffer(func(b []byte) []byte {
		b = appendFrame(b, websocket.TextMessage, func(b []byte) []byte { return appendMessage(b, kind, op.id, payload) })
		c.mu.Lock()
		defer c.mu.Unlock()
		if !slices.Contains(c.operations, op) {
			return b
		}
		if last {
			c.forget(op)
		}
		c.write(b)
		return b
	})
}

// sendAll sends n events of an operation, whose data is appended by number: together, as each write costs more than an
// event does.
func (c *connection) sendAll(op *operation, n int, data func(b []byte, i int) []byte) {
	defer c.survive()
	withBuffer(func(b []byte) []byte {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i := range n {
			if c.closed || !slices.Contains(c.operations, op) {
				return b
			}
			b = appendFrame(b, websocket.TextMessage, func(b []byte) []byte {
				return appendMessage(b, typeNext, op.id, func(b []byte) []byte {
					b = append(b, `{"data":`...)
					return append(data(b, i), '}')
				})
			})
			if len(b) >= flushAt || i == n-1 {
				c.write(b)
				b = b[:0]
				// A slow peer must not keep the connection open past its end by what it has yet to take.
				if i < n-1 && (c.forbidden.Load() || !time.Now().Before(c.end.at)) {
					return b
				}
			}
		}
		return b
	})
}
