package graphqlws_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/internal/graphqlws"
)

const subscribeEvents = `subscription { events }`

func TestMaxOperations(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{MaxOperations: 2})
	c := s.enter("ann")
	c.subscribe("1", subscribeEvents)
	c.subscribe("2", `{ hold }`)
	held := wait(t, s.held, "the query")
	c.subscribe("3", `{ hello }`)
	if code := c.expectError("3"); code != "RATE_LIMITED" {
		t.Errorf("code %v", code)
	}
	c.expectQuiet()

	// One past the limit takes nothing from the others, and its id is free.
	c.complete("1")
	c.subscribe("3", `{ hello }`)
	c.expect(`{"id":"3","type":"next","payload":{"data":{"hello":"world"}}}`)
	c.expectComplete("3")

	// The limit is of one connection.
	c.subscribe("1", subscribeEvents)
	other := s.enter("ann")
	other.subscribe("1", `{ hello }`)
	other.expect(`{"id":"1","type":"next","payload":{"data":{"hello":"world"}}}`)
	give(t, held.events, data("x"))
	c.expectEvent("2", "x")
	c.expectComplete("2")
}

// An id in use closes with 4409, and past the limit no less.
func TestDuplicateIDPastMaxOperations(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{MaxOperations: 1})
	c := s.enter("ann")
	c.subscribe("1", subscribeEvents)
	c.subscribe("1", subscribeEvents)
	c.expectClose(4409)
}

func TestMaxSubscriptions(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{MaxSubscriptions: 2})
	first, second, other := s.enter("ann"), s.enter("ann"), s.enter("ben")
	first.subscribe("1", subscribeEvents)
	first.expectQuiet()
	second.subscribe("1", subscribeEvents)
	second.expectQuiet()

	// It is of all connections of a key together, and of subscriptions alone.
	for _, c := range []*client{first, second} {
		c.subscribe("2", subscribeEvents)
		if code := c.expectError("2"); code != "RATE_LIMITED" {
			t.Errorf("code %v", code)
		}
		c.subscribe("2", `{ hello }`)
		c.expect(`{"id":"2","type":"next","payload":{"data":{"hello":"world"}}}`)
		c.expectComplete("2")
	}
	other.subscribe("1", subscribeEvents)
	other.expectQuiet()

	// What its client completes is free for the very next message.
	first.complete("1")
	first.subscribe("2", subscribeEvents)
	first.expectQuiet()
	second.subscribe("3", subscribeEvents)
	second.expectError("3")

	// A closed connection gives back what it had.
	first.Close()
	wait(t, s.gone, "the end of the connection")
	second.subscribe("3", subscribeEvents)
	second.expectQuiet()
}

// Subscriptions that came to nothing take no place.
func TestMaxSubscriptionsAfterErrors(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{MaxSubscriptions: 1})
	c := s.enter("ann")
	for range 3 {
		c.subscribe("1", `subscription { nonsense }`)
		c.expectError("1")
		c.subscribe("1", `{ hello }`)
		c.next()
		c.expectComplete("1")
	}
	c.subscribe("1", subscribeEvents)
	c.expectQuiet()
}

// When a client reads that a subscription is complete, its place is free. It is not when the place is given back only
// after the message: a resolver with much to cancel makes that gap wide here, else it is narrow.
func TestCompletedByServerFreesItsPlaceAtOnce(t *testing.T) {
	t.Parallel()
	for what, end := range map[string]string{"complete": "", "error": "broken"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := start(t, graphqlws.Options{MaxSubscriptions: 1})
			c := s.enter("ann")
			for i := range 3 {
				id := fmt.Sprint(i)
				c.subscribe(id, subscribeEvents)
				c.expectQuiet() // and not refused
				stream := wait(t, s.streams, "the subscription")
				for range 100_000 {
					_, cancel := context.WithCancel(stream.ctx)
					defer cancel()
				}
				if end == "" {
					give(t, stream.events, nil)
					c.expectComplete(id)
				} else {
					give(t, stream.events, graphql.ErrorResponse(stream.ctx, "no more"))
					c.expectError(id)
				}
			}
		})
	}
}

func TestMaxConnections(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{MaxConnections: 2})
	first, second := s.enter("ann"), s.enter("ann")
	third := s.dial()
	third.init("ann")
	third.expectClose(4429)
	wait(t, s.gone, "the end of the third")

	// Those that were there stay, others may come, and one that closes makes room: even one that was never let in again.
	first.expectQuiet()
	second.expectQuiet()
	s.enter("ben").expectQuiet()
	_ = first.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	first.expectClose(websocket.CloseNormalClosure)
	wait(t, s.gone, "the end of the first")
	s.enter("ann").expectQuiet()

	fourth := s.dial()
	fourth.init("ann")
	fourth.expectClose(4429)
}

// A zero limit is none.
func TestNoLimits(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	for range 12 {
		c := s.enter("ann")
		for i := range 3 {
			c.subscribe(fmt.Sprint(i), subscribeEvents)
		}
		c.expectQuiet()
	}
	if n := s.transport.Connections(); n != 12 {
		t.Errorf("%d connections", n)
	}
}

// Connections come and go all at once, and the counts are right at the end.
func TestLimitsUnderConcurrency(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{MaxConnections: 5, MaxSubscriptions: 5})
	const clients = 30
	done := make(chan struct{}, clients)
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
			_ = conn.SetReadDeadline(time.Now().Add(patience))
			for _, message := range []string{
				`{"type":"connection_init","payload":{"who":"ann"}}`,
				`{"id":"1","type":"subscribe","payload":{"query":"subscription { events }"}}`,
				`{"id":"2","type":"subscribe","payload":{"query":"subscription { events }"}}`,
				`{"type":"ping"}`,
			} {
				_ = conn.WriteMessage(websocket.TextMessage, []byte(message))
			}
			for {
				_, message, err := conn.ReadMessage()
				if err != nil {
					if !websocket.IsCloseError(err, 4429) {
						t.Error(err)
					}
					return
				}
				if string(message) == `{"type":"pong"}` {
					return
				}
			}
		}()
	}
	for range clients {
		wait(t, done, "a client")
	}
	for range clients {
		wait(t, s.gone, "the end of a connection")
	}
	for range 5 {
		c := s.enter("ann")
		c.subscribe("1", subscribeEvents)
		c.expectQuiet()
	}
	c := s.dial()
	c.init("ann")
	c.expectClose(4429)
}
