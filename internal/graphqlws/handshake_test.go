package graphqlws_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/internal/graphqlws"
)

func TestSubprotocol(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what    string
		offered []string
		good    bool
	}{
		{"none", nil, false},
		{"the old one alone", []string{"graphql-ws"}, false},
		{"ours", []string{"graphql-transport-ws"}, true},
		{"ours among others", []string{"graphql-ws", "graphql-transport-ws"}, true},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			s := start(t, graphqlws.Options{})
			conn := s.dialWith(websocket.Dialer{Subprotocols: c.offered}, nil)
			if !c.good {
				conn.expectClose(4406)
				wait(t, s.gone, "the end of the connection")
				return
			}
			if conn.Subprotocol() != "graphql-transport-ws" {
				t.Fatalf("chose %q", conn.Subprotocol())
			}
			conn.init("ann")
			conn.expect(`{"type":"connection_ack"}`)
		})
	}
}

// A client that sends its first message at once must still learn why it is refused.
func TestSubprotocolUnknownToAnEagerClient(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.dialWith(websocket.Dialer{}, nil)
	c.init("ann")
	c.expectClose(4406)
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{CheckOrigin: func(r *http.Request) bool { return r.Header.Get("Origin") == "https://good.example" }})
	for _, c := range []struct {
		origin string
		good   bool
	}{
		{"https://good.example", true},
		{"https://bad.example", false},
		{"null", false},
	} {
		t.Run(c.origin, func(t *testing.T) {
			t.Parallel()
			dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: patience}
			conn, response, err := dialer.Dial(s.url, http.Header{"Origin": {c.origin}})
			if err == nil {
				conn.Close()
			}
			response.Body.Close()
			if c.good != (err == nil) || !c.good && response.StatusCode != http.StatusForbidden {
				t.Fatalf("status %d, error %v", response.StatusCode, err)
			}
		})
	}
}

func TestSupports(t *testing.T) {
	t.Parallel()
	transport := graphqlws.New(graphqlws.Options{Init: everybody})
	for upgrade, want := range map[string]bool{"websocket": true, "WebSocket": true, "": false, "h2c": false} {
		if got := transport.Supports(&http.Request{Header: http.Header{"Upgrade": {upgrade}}}); got != want {
			t.Errorf("an upgrade to %q: %v", upgrade, got)
		}
	}
}

func TestInit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what string
		err  error
		code int
	}{
		{"forbidden", graphqlws.ErrForbidden, 4403},
		{"forbidden for a reason", fmt.Errorf("the token is bad: %w", graphqlws.ErrForbidden), 4403},
		{"the database is away", errors.New("dial tcp: secret detail"), 1013},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			s := start(t, graphqlws.Options{Init: func(context.Context, map[string]any) (graphqlws.Session, error) {
				return graphqlws.Session{}, c.err
			}})
			conn := s.dial()
			conn.init("ann")
			_, err := conn.receive()
			var closed *websocket.CloseError
			if !errors.As(err, &closed) || closed.Code != c.code {
				t.Fatalf("got %v, want close code %d", err, c.code)
			}
			if strings.Contains(closed.Text, "secret") || strings.Contains(closed.Text, "token") {
				t.Errorf("the close reason %q says too much", closed.Text)
			}
			wait(t, s.gone, "the end of the connection")
		})
	}
}

func TestInitPayload(t *testing.T) {
	t.Parallel()
	got := make(chan map[string]any, 1)
	s := start(t, graphqlws.Options{Init: func(ctx context.Context, payload map[string]any) (graphqlws.Session, error) {
		got <- payload
		return everybody(ctx, payload)
	}})
	for _, c := range []struct {
		message string
		keys    int
	}{
		{`{"type":"connection_init"}`, 0},
		{`{"type":"connection_init","payload":null}`, 0},
		{`{"type":"connection_init","payload":{}}`, 0},
		{`{"type":"connection_init","payload":{"Authorization":"Bearer x","who":"ann"}}`, 2},
	} {
		conn := s.dial()
		conn.send(c.message)
		conn.expect(`{"type":"connection_ack"}`)
		if payload := wait(t, got, "Init"); len(payload) != c.keys {
			t.Errorf("%s gave %v", c.message, payload)
		}
	}
}

func TestInitTooLate(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{InitTimeout: 30 * time.Millisecond})
	s.dial().expectClose(4408)
	wait(t, s.gone, "the end of the connection")

	// Pings are no initialisation.
	c := s.dial()
	c.send(`{"type":"ping"}`)
	for {
		if message, err := c.receive(); err != nil {
			if !websocket.IsCloseError(err, 4408) {
				t.Fatal(err)
			}
			return
		} else if !sameJSON(message, `{"type":"pong"}`) {
			t.Fatal(message)
		}
	}
}

// Init that takes longer than the client had is too late too, and does not count against its key.
func TestInitSlow(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{
		InitTimeout: 30 * time.Millisecond, MaxConnections: 1,
		Init: func(ctx context.Context, payload map[string]any) (graphqlws.Session, error) {
			if payload["who"] == "slow" {
				<-ctx.Done()
				payload["who"] = "ann"
			}
			return everybody(ctx, payload)
		},
	})
	c := s.dial()
	c.init("slow")
	c.expectClose(4408)
	wait(t, s.gone, "the end of the connection")
	s.enter("ann").expectQuiet()
}

// Whoever was in time stays.
func TestInitTimeoutEndsWithInit(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{InitTimeout: time.Second, PingInterval: 100 * time.Millisecond})
	c := s.enter("ann")
	pings := make(chan struct{}, 100)
	c.SetPingHandler(func(string) error {
		pings <- struct{}{}
		return c.WriteControl(websocket.PongMessage, nil, time.Now().Add(patience))
	})
	messages := make(chan error, 1)
	go func() {
		_, err := c.receive()
		messages <- err
	}()
	for range 13 { // past the timeout, as the server's clock has it
		wait(t, pings, "a ping")
	}
	c.send(`{"type":"ping"}`)
	if err := wait(t, messages, "the pong"); err != nil {
		t.Fatal(err)
	}
}

func TestSecondInit(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	c.init("ann")
	c.expectClose(4429)
	wait(t, s.gone, "the end of the connection")
}

// Both at once: the first is let in, and the second closes.
func TestSecondInitWithoutWaiting(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.dial()
	c.init("ann")
	c.init("ann")
	c.expect(`{"type":"connection_ack"}`)
	c.expectClose(4429)
}

func TestSubscribeBeforeInit(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.dial()
	c.subscribe("1", "{ hello }")
	c.expectClose(4401)
	wait(t, s.gone, "the end of the connection")
}
