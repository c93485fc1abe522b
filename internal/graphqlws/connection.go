package graphqlws

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"golang.org/x/time/rate"
)

// connection is one websocket.
type connection struct {
	transport *Transport
	ws        *websocket.Conn
	exec      graphql.GraphExecutor
	ctx       context.Context //nolint:containedctx // ends with the connection
	cancel    context.CancelFunc

	// Of the reading goroutine alone.
	acknowledged bool
	messages     *rate.Limiter // nil for no limit
	session      Session

	running sync.WaitGroup // operations

	mu         sync.Mutex // guards what follows, and every write of a message
	operations map[string]*operation
	closed     bool // our close frame is sent, or the peer is gone
	timers     []*time.Timer
	initTimer  *time.Timer
}

// operation is one subscribe that has not completed.
type operation struct {
	id           string
	subscription bool
	pumped       bool // its source calls for its responses
	// end stops it and gives back what it counted against; it may be called again.
	end func()
}

// serve reads messages until the connection ends, and leaves nothing behind.
func (c *connection) serve() {
	defer c.leave()
	c.start()
	for {
		kind, raw, err := c.ws.ReadMessage()
		if err != nil {
			return
		}
		if c.alive() {
			c.receive(kind, raw)
		} // else the peer has not answered our closing yet
	}
}

// start sets the limits and timers of a new connection.
func (c *connection) start() {
	options := &c.transport.options
	c.ws.SetReadLimit(options.MaxMessage)
	c.alive()
	c.ws.SetPongHandler(func(string) error { c.alive(); return nil })
	c.mu.Lock()
	c.initTimer = c.after(options.InitTimeout, func() { c.close(closeInitTimeout, "Connection initialisation timeout") })
	c.mu.Unlock()
	c.keepAlive()
	if c.ws.Subprotocol() != subprotocol {
		c.close(closeNoSubprotocol, "Subprotocol not acceptable")
	}
}

// leave ends everything that the connection had, and waits for it.
func (c *connection) leave() {
	c.cancel()
	c.mu.Lock()
	c.closed = true
	for _, t := range c.timers {
		t.Stop()
	}
	left := c.operations
	c.operations = make(map[string]*operation)
	c.mu.Unlock()
	_ = c.ws.Close()
	for _, op := range left {
		op.end()
	}
	c.running.Wait()
	if c.acknowledged {
		c.transport.give(c.session.Key, ofConnections)
	}
}

// survive ends the connection, and not the program, when what it does panics.
func (c *connection) survive() {
	if cause := recover(); cause != nil {
		c.transport.options.Log.ErrorContext(c.ctx, "panic on a connection", "panic", cause, "stack", string(debug.Stack()))
		c.close(closeTryAgain, "Try again later")
	}
}

// alive gives the peer time until the next sign of life; false when we are closing, which has a deadline of its own.
func (c *connection) alive() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	options := &c.transport.options
	_ = c.ws.SetReadDeadline(time.Now().Add(2*options.PingInterval + options.WriteTimeout))
	return true
}

// after runs f on a timer that ends with the connection. c.mu is held.
func (c *connection) after(d time.Duration, f func()) *time.Timer {
	t := time.AfterFunc(d, f)
	c.timers = append(c.timers, t)
	return t
}

// keepAlive sends a websocket ping every interval; a peer that does not answer runs into the read deadline.
func (c *connection) keepAlive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	var timer *time.Timer
	timer = c.after(c.transport.options.PingInterval, func() {
		if c.isClosed() {
			return
		}
		deadline := time.Now().Add(c.transport.options.WriteTimeout)
		if c.ws.WriteControl(websocket.PingMessage, nil, deadline) != nil {
			c.cancel() // the reader may be busy with a message, and not notice
			_ = c.ws.Close()
			return
		}
		timer.Reset(c.transport.options.PingInterval)
	})
}

func (c *connection) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// receive handles one message.
func (c *connection) receive(kind int, raw []byte) {
	defer c.survive()
	if c.messages != nil && !c.messages.Allow() {
		c.close(closeTooManyRequests, "Too many messages")
		return
	}
	if kind != websocket.TextMessage {
		c.close(closeBadRequest, "Text messages only")
		return
	}
	m, err := parse(raw)
	if err != nil {
		c.close(closeBadRequest, "Invalid message")
		return
	}
	switch m.kind {
	case typePing:
		c.send(pong)
	case typePong:
	case typeInit:
		c.initialise(m.init)
	case typeSubscribe:
		if !c.acknowledged {
			c.close(closeUnauthorized, "Unauthorized")
			return
		}
		c.subscribe(m)
	case typeComplete:
		c.mu.Lock()
		op := c.operations[m.id]
		delete(c.operations, m.id)
		c.mu.Unlock()
		if op != nil {
			op.end()
		}
	}
}

func (c *connection) initialise(payload map[string]any) {
	if c.acknowledged {
		c.close(closeTooManyRequests, "Too many initialisation requests")
		return
	}
	session, err := c.transport.options.Init(c.ctx, payload)
	switch {
	case errors.Is(err, ErrForbidden):
		c.close(closeForbidden, "Forbidden")
		return
	case err != nil:
		c.transport.options.Log.ErrorContext(c.ctx, "cannot let a client in", "error", err)
		c.close(closeTryAgain, "Try again later")
		return
	}
	if !c.transport.take(session.Key, c.transport.options.MaxConnections, ofConnections) {
		c.close(closeTooManyRequests, "Too many connections")
		return
	}
	c.mu.Lock()
	c.session, c.acknowledged = session, true
	c.initTimer.Stop()
	c.after(time.Until(session.Expires), func() { c.close(closeForbidden, "Forbidden") })
	c.mu.Unlock()
	c.send(ack)
}

// subscribe starts an operation. When it returns, a subscription has started: its resolver has run.
func (c *connection) subscribe(m message) {
	ctx, cancel := context.WithCancel(graphql.StartOperationTrace(c.session.Context))
	op := &operation{id: m.id, end: cancel}

	c.mu.Lock()
	_, duplicate := c.operations[m.id]
	full := len(c.operations) >= c.transport.options.MaxOperations
	if !duplicate && !full {
		c.operations[m.id] = op
	}
	c.mu.Unlock()
	switch {
	case duplicate:
		op.end()
		c.close(closeDuplicate, "Subscriber for "+m.id+" already exists")
		return
	case full:
		c.refuse(op, "Too many operations on this connection.")
		return
	}

	if allow := c.transport.options.Allow; allow != nil {
		if wait := allow(c.session.Key); wait > 0 {
			c.refuse(op, fmt.Sprintf("Too many requests; try again in %v.", wait.Round(time.Millisecond)))
			return
		}
	}
	prepared, errs := c.exec.CreateOperationContext(ctx, m.request)
	if errs != nil {
		c.finish(op, c.exec.DispatchError(graphql.WithOperationContext(ctx, prepared), errs))
		return
	}
	if prepared.Operation.Operation == ast.Subscription {
		if !c.transport.take(c.session.Key, c.transport.options.MaxSubscriptions, ofSubscriptions) {
			c.refuse(op, "Too many subscriptions.")
			return
		}
		op.subscription = true
		op.end = sync.OnceFunc(func() {
			cancel()
			c.transport.give(c.session.Key, ofSubscriptions)
		})
	} else {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, c.transport.options.OperationTimeout)
		op.end = func() { stop(); cancel() }
	}
	c.dispatch(ctx, op, prepared)
}

// dispatch starts an operation. A subscription whose source calls for its responses itself has no goroutine here.
func (c *connection) dispatch(ctx context.Context, op *operation, prepared *graphql.OperationContext) {
	used := func() bool { return false }
	var responses graphql.ResponseHandler
	started := make(chan struct{})
	if c.transport.options.Pump != nil && op.subscription {
		op.pumped = true
		ctx, used = c.transport.options.Pump(ctx, func() error {
			defer c.survive()
			<-started             // the source may be quicker than we are
			if responses == nil { // it did not start after all
				return nil
			}
			_, err := c.step(ctx, op, responses)
			return err
		})
	}
	// A subscription that cannot start must not hold up the socket.
	tooLong := time.AfterFunc(c.transport.options.OperationTimeout, op.end)
	func() {
		defer close(started)
		defer tooLong.Stop()
		responses, ctx = c.exec.DispatchOperation(ctx, prepared)
	}()
	if used() {
		return
	}
	op.pumped = false // it failed to start, or is of another kind
	c.running.Add(1)
	go c.run(ctx, op, responses)
}

// run sends what an operation gives until it ends.
func (c *connection) run(ctx context.Context, op *operation, responses graphql.ResponseHandler) {
	defer c.running.Done()
	defer op.end()
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
	c.sendFor(op, encodeMessage(typeNext, op.id, appendResponse(response)), false)
	if !op.subscription {
		c.finish(op, nil)
		return false, nil
	}
	return true, nil
}

func unavailable(err *gqlerror.Error) bool { return err.Extensions["code"] == "UNAVAILABLE" }

// finish ends an operation: with an error message for a response in which nothing was executed, else with complete.
func (c *connection) finish(op *operation, failed *graphql.Response) {
	op.end() // first: the client may start another as soon as it reads of the end
	if failed == nil {
		c.sendFor(op, encodeMessage(typeComplete, op.id, nil), true)
	} else {
		c.sendFor(op, encodeMessage(typeError, op.id, appendErrors(failed.Errors)), true)
	}
}

func (c *connection) refuse(op *operation, reason string) {
	failed := &graphql.Response{Errors: gqlerror.List{{Message: reason, Extensions: map[string]any{"code": "RATE_LIMITED"}}}}
	c.mu.Lock()
	if _, in := c.operations[op.id]; !in {
		c.operations[op.id] = op
	}
	c.mu.Unlock()
	c.finish(op, failed)
}

// sendFor sends a message of an operation, unless it has ended: then nothing of it may be sent, and its id may be
// another's by now.
func (c *connection) sendFor(op *operation, b []byte, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.operations[op.id] != op {
		return
	}
	if last {
		delete(c.operations, op.id)
	}
	c.write(func() error { return c.ws.WriteMessage(websocket.TextMessage, b) })
}

func (c *connection) send(p *websocket.PreparedMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write(func() error { return c.ws.WritePreparedMessage(p) })
}

// write writes a message; c.mu is held. A peer that does not take it in time is gone.
func (c *connection) write(message func() error) {
	if c.closed {
		return
	}
	_ = c.ws.SetWriteDeadline(time.Now().Add(c.transport.options.WriteTimeout))
	if message() != nil {
		c.closed = true
		c.cancel()
		_ = c.ws.Close()
	}
}

// close sends a close frame, once, and ends all operations. The reader goes on until the peer has answered, or some
// seconds have passed.
func (c *connection) close(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	c.cancel()
	const reasonMax = 123 // bytes; RFC 6455, section 5.5
	for len(reason) > reasonMax {
		_, size := utf8.DecodeLastRuneInString(reason)
		reason = reason[:len(reason)-size]
	}
	frame := websocket.FormatCloseMessage(code, reason)
	if c.ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(c.transport.options.WriteTimeout)) != nil {
		_ = c.ws.Close()
		return
	}
	_ = c.ws.SetReadDeadline(time.Now().Add(closeGrace))
}
