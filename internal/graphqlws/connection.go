package graphqlws

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"
)

// connection is one websocket.
type connection struct {
	transport *Transport
	ws        *websocket.Conn
	wire      *wire // what it is on
	exec      graphql.GraphExecutor
	ctx       context.Context //nolint:containedctx // ends with the connection
	cancel    context.CancelFunc

	key       atomic.Pointer[string] // of the session; nil before it
	forbidden atomic.Bool            // its session has ended before its time

	// Of whoever handles a message; one is handled at a time. The session is set under mu.
	acknowledged bool
	messages     *rate.Limiter // nil for no limit
	session      Session

	handling sync.WaitGroup // a message
	running  sync.WaitGroup // operations, and steps of those that are pumped

	mu         sync.Mutex   // guards what follows, and every write of a message
	operations []*operation // few: a map would take more room, and not be quicker
	leaving    bool         // closes with 1001 as soon as no query or mutation runs
	closed     bool         // our close frame is sent, or the peer is gone
	told       bool         // how it ends
	writeBy    time.Time    // the deadline of writes
	timer      *time.Timer  // of the next ping, or the end if that is sooner
	pingAt     time.Time
	end        ending
}

// ending is when a connection will be closed, and how: when nobody signs in soon enough, or when the token ends.
type ending struct {
	at     time.Time
	code   int
	reason string
}

// serve reads messages until the connection ends, and leaves nothing behind.
func (c *connection) serve() {
	defer c.leave()
	c.start()
	for {
		kind, raw, err := c.read()
		if errors.Is(err, errFragments) {
			c.transport.options.Limited(LimitFragments)
			c.close(closeTooManyRequests, "Too many fragments")
			_, _ = io.Copy(io.Discard, c.wire) // until the peer has read why, or had its time
		}
		if err != nil {
			c.ended(err)
			return
		}
		if !c.alive() {
			continue // the peer has not answered our closing yet
		}
		// On a goroutine of its own, for which this one waits: what a message takes, a subscription above all, makes a
		// stack grow, and that of this goroutine stays for as long as the connection does.
		c.handling.Go(func() { c.receive(kind, raw) })
		c.handling.Wait()
	}
}

// read reads a message. It may come in fragments, with a peer's pings between them. Neither may make it last without end,
// as that would be a way around every other limit: what fragments cost beside the text is bounded, and pings meanwhile are
// no sign of life.
func (c *connection) read() (kind int, raw []byte, err error) {
	kind, text, err := c.ws.NextReader()
	if err != nil {
		return kind, nil, err
	}
	c.wire.begin(c.transport.options.MaxMessage)
	defer c.wire.end()
	raw, err = io.ReadAll(whole{text, c.wire})
	return kind, raw, err
}

// ended tells how the connection ended, unless that was by us.
func (c *connection) ended(err error) {
	c.mu.Lock()
	told := c.told
	c.told = true
	c.mu.Unlock()
	options := &c.transport.options
	closed, byPeer := errors.AsType[*websocket.CloseError](err)
	switch {
	case told:
	case errors.Is(err, websocket.ErrReadLimit): // gorilla has closed it
		options.Limited(LimitMessageSize)
		options.Closing(false, websocket.CloseMessageTooBig)
	case byPeer:
		options.Closing(true, closed.Code)
	default:
		options.Closing(true, websocket.CloseAbnormalClosure)
	}
}

// start sets the limits and timers of a new connection.
func (c *connection) start() {
	options := &c.transport.options
	c.ws.SetReadLimit(options.MaxMessage)
	c.alive()
	c.ws.SetPongHandler(func(payload string) error { c.control(len(payload), nil); return nil })
	c.ws.SetPingHandler(func(payload string) error {
		c.control(len(payload), frame(websocket.PongMessage, payload))
		return nil
	})
	now := time.Now()
	c.mu.Lock()
	c.pingAt = now.Add(options.PingInterval)
	c.end = ending{now.Add(options.InitTimeout), closeInitTimeout, "Connection initialisation timeout"}
	c.timer = time.AfterFunc(c.untilDue(now), c.due)
	c.mu.Unlock()
	if c.ws.Subprotocol() != subprotocol {
		c.close(closeNoSubprotocol, "Subprotocol not acceptable")
	}
}

// leave ends everything that the connection had, and waits for it.
func (c *connection) leave() {
	c.cancel()
	c.mu.Lock()
	c.closed = true // nothing begins from now on
	c.timer.Stop()
	left := c.operations
	c.operations = nil
	c.mu.Unlock()
	_ = c.ws.Close()
	for _, op := range left {
		c.stop(op)
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

// untilDue is how long the timer has to wait; c.mu is held.
func (c *connection) untilDue(now time.Time) time.Duration {
	return min(c.end.at.Sub(now), c.pingAt.Sub(now))
}

// due is called when it is time to end, or to send a websocket ping; a peer that does not answer runs into the read
// deadline. One timer does for both: each would cost every socket its memory.
func (c *connection) due() {
	c.mu.Lock()
	now, end := time.Now(), c.end
	if !now.Before(end.at) {
		c.mu.Unlock()
		c.close(end.code, end.reason)
		return
	}
	defer c.mu.Unlock()
	if !now.Before(c.pingAt) {
		c.pingAt = now.Add(c.transport.options.PingInterval)
		c.write(ping)
	}
	if !c.closed {
		c.timer.Reset(c.untilDue(time.Now()))
	}
}

// admit counts one more message, or closes the connection for too many.
func (c *connection) admit() bool {
	if c.messages == nil || c.messages.Allow() {
		return true
	}
	c.transport.options.Limited(LimitMessageRate)
	c.close(closeTooManyRequests, "Too many messages")
	return false
}

// control handles a websocket's own ping or pong: a sign of life, unless a message is unfinished, and a message as any
// other to the limit. It is called where messages are read, while none is handled.
func (c *connection) control(size int, answer []byte) {
	if c.wire.unfinished {
		c.wire.spare += int32(headerShort + maskSize + size) //nolint:gosec // of a control frame
	} else if !c.alive() {
		return
	}
	if c.admit() && answer != nil {
		c.send(answer)
	}
}

// receive handles one message.
func (c *connection) receive(kind int, raw []byte) {
	defer c.survive()
	if !c.admit() {
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
		op := c.operation(m.id)
		c.forget(op)
		c.mu.Unlock()
		if op != nil {
			c.stop(op)
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
		c.transport.options.Limited(LimitConnections)
		c.close(closeTooManyRequests, "Too many connections")
		return
	}
	c.mu.Lock()
	c.session, c.acknowledged = session, true
	c.key.Store(&c.session.Key)
	c.end = ending{session.Expires, closeForbidden, "Forbidden"}
	c.writeBy = time.Time{}
	if !c.closed {
		c.timer.Reset(c.untilDue(time.Now()))
	}
	c.mu.Unlock()
	c.send(ack)
}

// operation gives the one with an id, or nil; c.mu is held.
func (c *connection) operation(id string) *operation {
	i := slices.IndexFunc(c.operations, func(op *operation) bool { return op.id == id })
	if i < 0 {
		return nil
	}
	return c.operations[i]
}

// forget takes an operation off the list; c.mu is held.
func (c *connection) forget(op *operation) {
	c.operations = slices.DeleteFunc(c.operations, func(other *operation) bool { return other == op })
	c.left()
}

// depart closes the connection with 1001 when the queries and mutations that it runs are answered. It begins nothing
// more: its client asks again on its next connection.
func (c *connection) depart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving = true
	c.left()
}

// left looks whether a connection that is leaving may go; c.mu is held.
func (c *connection) left() {
	if c.leaving && !c.closed && !slices.ContainsFunc(c.operations, func(op *operation) bool { return !op.subscription }) {
		go c.close(closeGoingAway, "Shutting down")
	}
}

func (c *connection) send(frames []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write(frames)
}

// write writes frames; c.mu is held. A peer that does not take them in time is gone.
func (c *connection) write(frames []byte) {
	if c.closed {
		return
	}
	timeout, now := c.transport.options.WriteTimeout, time.Now()
	if c.writeBy.Sub(now) < timeout-timeout/4 { // setting it takes as long as making an event; a little less will do
		if left := max(c.end.at.Sub(now), 0); left < timeout {
			timeout = min(timeout, left+lastWrite)
		}
		c.writeBy = now.Add(timeout)
		_ = c.wire.SetWriteDeadline(c.writeBy)
	}
	if _, err := c.wire.Write(frames); err != nil {
		c.closed = true
		c.cancel()
		_ = c.ws.Close()
	}
}

// close sends a close frame, once, and ends all operations. The reader goes on until the peer has answered, or some
// seconds have passed.
func (c *connection) close(code int, reason string) {
	_ = c.wire.SetWriteDeadline(time.Now().Add(lastWrite)) // of what a peer that does not read has yet to take
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	c.told = true
	c.transport.options.Closing(false, code)
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
