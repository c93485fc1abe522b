package graphqlws_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/internal/graphqlws"
)

func expiringAfter(d time.Duration) func(context.Context, map[string]any) (graphqlws.Session, error) {
	return func(ctx context.Context, payload map[string]any) (graphqlws.Session, error) {
		session, err := everybody(ctx, payload)
		session.Expires = time.Now().Add(d)
		return session, err
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{Init: expiringAfter(200 * time.Millisecond)})
	c := s.enter("ann")
	c.subscribe("1", subscribeEvents)
	events := wait(t, s.streams, "the subscription")
	give(t, events.events, data("a"))
	c.expectEvent("1", "a")
	c.expectClose(4403)
	wait(t, events.ctx.Done(), "the end of the subscription")
	wait(t, s.gone, "the end of the connection")
}

func TestExpiredAlready(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{Init: expiringAfter(-time.Minute)})
	c := s.dial()
	c.init("ann")
	if message, err := c.receive(); err == nil { // the acknowledgement may come or not
		if !sameJSON(message, `{"type":"connection_ack"}`) {
			t.Fatal(message)
		}
		c.expectClose(4403)
	} else if !websocket.IsCloseError(err, 4403) {
		t.Fatal(err)
	}
}

// A time that no timer can count to does not end a connection.
func TestExpiryFarAway(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{Init: func(ctx context.Context, payload map[string]any) (graphqlws.Session, error) {
		session, err := everybody(ctx, payload)
		session.Expires = time.Unix(1<<40, 0)
		return session, err
	}})
	c := s.enter("ann")
	c.subscribe("1", subscribeEvents)
	give(t, wait(t, s.streams, "the subscription").events, data("a"))
	c.expectEvent("1", "a")
	c.expectQuiet()
}

// The shutdown closes connections with 1001, each when what it was asked is answered; subscriptions just end.
func TestShutdown(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	waiting, busy := s.dial(), s.enter("ann")
	busy.subscribe("1", subscribeEvents)
	busy.subscribe("2", `{ hold }`)
	events, held := wait(t, s.streams, "the subscription"), wait(t, s.held, "the query")
	waiting.send(`{"type":"ping"}`)
	waiting.expect(`{"type":"pong"}`) // so that it is known to be there

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		s.transport.Shutdown(ctx)
	}()
	waiting.expectClose(1001)
	select {
	case <-returned:
		t.Error("the shutdown did not wait for the query")
	case <-held.ctx.Done():
		t.Error("the query was broken off")
	default:
	}
	give(t, held.events, data("in flight"))
	busy.expectEvent("2", "in flight")
	busy.expectComplete("2")
	busy.expectClose(1001)
	wait(t, returned, "the shutdown to return")
	wait(t, events.ctx.Done(), "the end of the subscription")
	wait(t, held.ctx.Done(), "the end of the query")
	if n := s.transport.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}

	// Whoever comes later is sent away likewise, which a client takes for a reason to try elsewhere.
	for range 5 {
		late := s.dial()
		late.init("ann")
		late.expectClose(1001)
	}
	s.transport.Shutdown(ctx) // again, which does nothing
}

func TestShutdownOfNothing(t *testing.T) {
	t.Parallel()
	transport := graphqlws.New(graphqlws.Options{Init: everybody})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	transport.Shutdown(ctx)
	if ctx.Err() != nil {
		t.Error("it waited for nobody")
	}
}

// A client that does not answer the closing delays the shutdown as long as the caller says, and not longer.
func TestShutdownDoesNotWaitForever(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	deaf := s.enter("ann")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		s.transport.Shutdown(ctx)
	}()
	wait(t, returned, "the shutdown to return")
	wait(t, s.gone, "the end of the connection")
	_ = deaf.Close()
}

// Shutdown while connections come and go leaves none.
func TestShutdownInTheMiddleOfConnecting(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	const clients = 20
	done, connected := make(chan struct{}, clients), make(chan struct{}, clients)
	for range clients {
		go func() {
			defer func() { done <- struct{}{} }()
			dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: patience}
			conn, response, err := dialer.Dial(s.url, nil)
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
			defer conn.Close()
			connected <- struct{}{}
			_ = conn.SetReadDeadline(time.Now().Add(patience))
			if _, message, err := conn.ReadMessage(); !websocket.IsCloseError(err, 1001) {
				t.Errorf("got %s, %v", message, err)
			}
		}()
	}
	wait(t, connected, "the first client")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s.transport.Shutdown(ctx)
	for range clients {
		wait(t, done, "a client")
		wait(t, s.gone, "the end of a connection")
	}
}

// deafClient connects with a small window and reads nothing after it was let in.
func deafClient(s *server) *client {
	s.t.Helper()
	c := s.dialWith(websocket.Dialer{
		Subprotocols: []string{"graphql-transport-ws"},
		NetDial: func(network, address string) (net.Conn, error) {
			conn, err := net.Dial(network, address)
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetReadBuffer(4096)
			}
			return conn, err
		},
	}, nil)
	c.init("ann")
	c.expect(`{"type":"connection_ack"}`)
	return c
}

// A client that stops reading is gone when a message has waited for it for the write timeout, and so is all that it had.
func TestClientThatStopsReading(t *testing.T) {
	t.Parallel()
	for what, operations := range map[string]int{"one operation": 1, "many operations": 5} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := start(t, graphqlws.Options{WriteTimeout: 100 * time.Millisecond, MaxConnections: 1, MaxSubscriptions: operations + 1})
			c := deafClient(s)
			c.subscribe("quiet", subscribeEvents)
			quiet := wait(t, s.streams, "the quiet subscription")
			for i := range operations {
				c.subscribe(fmt.Sprint(i), `subscription { flood(bytes: 1000000) }`)
			}
			wait(t, quiet.ctx.Done(), "the end of the quiet subscription")
			wait(t, s.gone, "the end of the connection")

			// Its places are free.
			again := s.enter("ann")
			for i := range operations + 1 {
				again.subscribe(fmt.Sprint(i), subscribeEvents)
			}
			again.expectQuiet()
		})
	}
}

// Nor can a client hold the shutdown up by not reading.
func TestShutdownWithClientThatStopsReading(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{WriteTimeout: 300 * time.Millisecond})
	c := deafClient(s)
	c.subscribe("1", `subscription { flood(bytes: 1000000) }`)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s.transport.Shutdown(ctx)
	if ctx.Err() != nil {
		t.Error("the shutdown waited for the client")
	}
	wait(t, s.gone, "the end of the connection")
}

// A client that has nothing to say but answers pings stays, for much longer than a dead one would.
func TestQuietClientStays(t *testing.T) {
	t.Parallel()
	const interval, writeTimeout = 40 * time.Millisecond, 500 * time.Millisecond
	s := start(t, graphqlws.Options{PingInterval: interval, WriteTimeout: writeTimeout})
	c := s.enter("ann")
	pings := make(chan struct{}, 1000)
	c.SetPingHandler(func(payload string) error {
		pings <- struct{}{}
		return c.WriteControl(websocket.PongMessage, []byte(payload), time.Now().Add(patience))
	})
	c.subscribe("1", subscribeEvents)
	events := wait(t, s.streams, "the subscription")
	received := make(chan string, 1)
	go func() {
		message, _ := c.receive()
		received <- message
	}()
	for begun := time.Now(); time.Since(begun) < 2*(2*interval+writeTimeout); {
		wait(t, pings, "a ping")
	}
	give(t, events.events, data("still there"))
	if got := wait(t, received, "the event"); !strings.Contains(got, "still there") {
		t.Fatalf("got %q", got)
	}
}

// A client that is no longer there, and has not said so, is found out: it answers no ping.
func TestDeadClientGoes(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{PingInterval: 30 * time.Millisecond, WriteTimeout: 30 * time.Millisecond})
	c := s.enter("ann")
	c.subscribe("1", subscribeEvents)
	events := wait(t, s.streams, "the subscription")
	// It reads nothing any more, so that it answers nothing, and does not close.
	wait(t, events.ctx.Done(), "the end of the subscription")
	wait(t, s.gone, "the end of the connection")
}

// One that breaks off without closing takes its operations with it at once.
func TestClientBreaksOff(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	c.subscribe("1", subscribeEvents)
	c.subscribe("2", `{ hold }`)
	events, held := wait(t, s.streams, "the subscription"), wait(t, s.held, "the query")
	_ = c.NetConn().Close()
	wait(t, events.ctx.Done(), "the end of the subscription")
	wait(t, held.ctx.Done(), "the end of the query")
	wait(t, s.gone, "the end of the connection")
}

// What the handshake's request was about, operations may still see: its context ends with the connection, not before.
func TestContextOfTheRequest(t *testing.T) {
	t.Parallel()
	type key struct{}
	s := start(t, graphqlws.Options{Init: func(ctx context.Context, payload map[string]any) (graphqlws.Session, error) {
		return everybody(context.WithValue(ctx, key{}, payload["who"]), payload)
	}, CheckOrigin: func(*http.Request) bool { return true }})
	c := s.enter("ann")
	c.subscribe("1", subscribeEvents)
	events := wait(t, s.streams, "the subscription")
	if who := events.ctx.Value(key{}); who != "ann" {
		t.Errorf("the resolver sees %v", who)
	}
	if events.ctx.Err() != nil {
		t.Error("its context has ended")
	}
}
