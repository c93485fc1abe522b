package graphqlws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// client is the other end of a websocket.
type client struct {
	*websocket.Conn

	t *testing.T
}

func (s *server) dial() *client {
	s.t.Helper()
	return s.dialWith(websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}, nil)
}

func (s *server) dialWith(dialer websocket.Dialer, header http.Header) *client {
	s.t.Helper()
	dialer.HandshakeTimeout = patience
	conn, response, err := dialer.Dial(s.url, header)
	if err != nil {
		s.t.Fatal(err)
	}
	response.Body.Close()
	s.t.Cleanup(func() { conn.Close() })
	return &client{conn, s.t}
}

// enter dials and is let in, under a key.
func (s *server) enter(key string) *client {
	s.t.Helper()
	c := s.dial()
	c.init(key)
	c.expect(`{"type":"connection_ack"}`)
	return c
}

func (c *client) init(key string) {
	c.t.Helper()
	c.send(fmt.Sprintf(`{"type":"connection_init","payload":{"who":%q}}`, key))
}

func (c *client) send(message string) {
	c.t.Helper()
	_ = c.SetWriteDeadline(time.Now().Add(patience))
	if err := c.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		c.t.Fatalf("cannot send %.80s: %v", message, err)
	}
}

func (c *client) subscribe(id, query string) {
	c.t.Helper()
	message, err := json.Marshal(map[string]any{"id": id, "type": "subscribe", "payload": map[string]any{"query": query}})
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(string(message))
}

func (c *client) complete(id string) {
	c.t.Helper()
	c.send(fmt.Sprintf(`{"id":%q,"type":"complete"}`, id))
}

func (c *client) receive() (string, error) {
	_ = c.SetReadDeadline(time.Now().Add(patience))
	kind, message, err := c.ReadMessage()
	if err == nil && kind != websocket.TextMessage {
		err = fmt.Errorf("a frame of kind %d", kind)
	}
	return string(message), err
}

// next gives the next message, whatever it is.
func (c *client) next() string {
	c.t.Helper()
	message, err := c.receive()
	if err != nil {
		c.t.Fatalf("waiting for a message: %v", err)
	}
	return message
}

// expect takes the next message, which must be this one.
func (c *client) expect(want string) {
	c.t.Helper()
	if got := c.next(); !sameJSON(got, want) {
		c.t.Fatalf("got  %.300s\nwant %.300s", got, want)
	}
}

func (c *client) expectEvent(id, text string) {
	c.t.Helper()
	c.expect(fmt.Sprintf(`{"id":%q,"type":"next","payload":{"data":{"events":%q}}}`, id, text))
}

func (c *client) expectComplete(id string) {
	c.t.Helper()
	c.expect(fmt.Sprintf(`{"id":%q,"type":"complete"}`, id))
}

// expectQuiet checks that everything sent so far was handled and that nothing more came of it.
func (c *client) expectQuiet() {
	c.t.Helper()
	c.send(`{"type":"ping"}`)
	c.expect(`{"type":"pong"}`)
}

// expectClose takes the close frame, which must come next.
func (c *client) expectClose(code int) {
	c.t.Helper()
	message, err := c.receive()
	var closed *websocket.CloseError
	switch {
	case err == nil:
		c.t.Fatalf("got %.300s, want close code %d", message, code)
	case !errors.As(err, &closed):
		c.t.Fatalf("got error %v, want close code %d", err, code)
	case closed.Code != code:
		c.t.Fatalf("got close code %d %q, want %d", closed.Code, closed.Text, code)
	}
}

// expectError takes an error message of an operation, and gives the first error's code.
func (c *client) expectError(id string) any {
	c.t.Helper()
	got := c.next()
	var message struct {
		ID, Type string
		Payload  []struct {
			Message    string
			Extensions map[string]any
		}
	}
	err := json.Unmarshal([]byte(got), &message)
	if err != nil || message.Type != "error" || message.ID != id || len(message.Payload) == 0 || message.Payload[0].Message == "" {
		c.t.Fatalf("got %.300s, want an error for %s (%v)", got, id, err)
	}
	return message.Payload[0].Extensions["code"]
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
