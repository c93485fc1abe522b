package apptest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// Socket is a client's websocket, with its messages sorted by operation.
type Socket struct {
	t       testing.TB
	ws      *websocket.Conn
	next    int
	reading sync.Once
	queues  map[string]chan Message
	pongs   chan struct{}
	done    chan struct{} // closed when the socket is; then err says why
	err     error
}

// Message is a message about an operation.
type Message struct {
	Type    string          `json:"type"`
	ID      string          `json:"id"`
	Payload json.RawMessage `json:"payload"`
}

// Stream is one operation of a socket.
type Stream struct {
	socket   *Socket
	id       string
	messages chan Message
}

// queued is how many messages of one operation a test may leave unread.
const queued = 10_000

// Connect opens a socket and signs in.
func (c *Client) Connect() *Socket {
	c.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: Patience}
	ws, answer, err := dialer.Dial("ws"+strings.TrimPrefix(c.url, "http")+"/graphql", http.Header{})
	if err != nil {
		c.t.Fatal(err)
	}
	answer.Body.Close()
	s := &Socket{
		t: c.t, ws: ws, queues: make(map[string]chan Message),
		pongs: make(chan struct{}, queued), done: make(chan struct{}),
	}
	for i := range maxStreams {
		s.queues[strconv.Itoa(i+1)] = make(chan Message, queued)
	}
	c.t.Cleanup(func() { s.Close() })
	s.send(map[string]any{"type": "connection_init", "payload": map[string]string{"Authorization": "Bearer " + c.token}})
	var ack Message
	if err := ws.ReadJSON(&ack); err != nil || ack.Type != "connection_ack" {
		c.t.Fatalf("no acknowledgement: %v %v", ack, err)
	}
	return s
}

func (s *Socket) send(message any) {
	s.t.Helper()
	if err := s.ws.WriteJSON(message); err != nil {
		s.t.Fatal(err)
	}
}

// read sorts messages until the socket closes.
func (s *Socket) read() {
	defer close(s.done)
	for {
		var m Message
		if s.err = s.ws.ReadJSON(&m); s.err != nil {
			return
		}
		switch {
		case m.Type == "pong":
			s.pongs <- struct{}{}
		case s.queues[m.ID] != nil:
			s.queues[m.ID] <- m
		}
	}
}

// maxStreams is how many operations a socket of the tests may have; their queues are made before it is read.
const maxStreams = 8

// Subscribe starts an operation and waits until it has started, by a ping that is answered after it.
func (s *Socket) Subscribe(query string, vars Vars) *Stream {
	s.t.Helper()
	stream := s.subscribe(query, vars)
	s.StartReading()
	s.Ping()
	return stream
}

// SubscribeWithoutReading starts an operation on a new socket that is not read until StartReading, and returns when it
// has started.
func (s *Socket) SubscribeWithoutReading(query string, vars Vars) *Stream {
	s.t.Helper()
	stream := s.subscribe(query, vars)
	s.send(map[string]any{"type": "ping"})
	var pong Message
	if err := s.ws.ReadJSON(&pong); err != nil || pong.Type != "pong" {
		s.t.Fatalf("no pong: %v %v", pong, err)
	}
	return stream
}

// StartReading reads and sorts messages from now on.
func (s *Socket) StartReading() {
	s.reading.Do(func() { go s.read() })
}

func (s *Socket) subscribe(query string, vars Vars) *Stream {
	s.t.Helper()
	s.next++
	id := strconv.Itoa(s.next)
	s.send(map[string]any{"type": "subscribe", "id": id, "payload": map[string]any{"query": query, "variables": vars}})
	return &Stream{socket: s, id: id, messages: s.queues[id]}
}

// Ping sends a ping and waits for its answer: everything sent before has been handled then.
func (s *Socket) Ping() {
	s.t.Helper()
	s.send(map[string]any{"type": "ping"})
	select {
	case <-s.pongs:
	case <-s.done:
		s.t.Fatalf("closed before a pong: %v", s.err)
	case <-time.After(Patience):
		s.t.Fatal("no pong")
	}
}

// Close ends the socket as a lost connection would: without a word.
func (s *Socket) Close() { _ = s.ws.Close() }

// CloseCode waits for the server to close the socket, and gives the code.
func (s *Socket) CloseCode() int {
	s.t.Helper()
	s.StartReading()
	select {
	case <-s.done:
	case <-time.After(Patience):
		s.t.Fatal("not closed")
	}
	closed, ok := s.err.(*websocket.CloseError) //nolint:errorlint // gorilla gives it bare
	if !ok {
		s.t.Fatalf("closed without a code: %v", s.err)
	}
	return closed.Code
}

// Next waits for the next message and decodes the data of its payload. Any other than next fails the test.
func (s *Stream) Next(into any) {
	s.socket.t.Helper()
	m := s.Message()
	var payload struct {
		Data   json.RawMessage
		Errors json.RawMessage
	}
	if m.Type != "next" || json.Unmarshal(m.Payload, &payload) != nil || payload.Errors != nil {
		s.socket.t.Fatalf("got %s %s", m.Type, m.Payload)
	}
	if err := json.Unmarshal(payload.Data, into); err != nil {
		s.socket.t.Fatal(err)
	}
}

// Message waits for the next message.
func (s *Stream) Message() Message {
	s.socket.t.Helper()
	select {
	case m := <-s.messages:
		return m
	case <-s.socket.done:
		select {
		case m := <-s.messages:
			return m
		default:
			s.socket.t.Fatalf("closed: %v", s.socket.err)
		}
	case <-time.After(Patience):
		s.socket.t.Fatal("nothing came")
	}
	panic("unreachable")
}

// Drain gives what has come so far, in order, without waiting.
func (s *Stream) Drain() []Message {
	var out []Message
	for {
		select {
		case m := <-s.messages:
			out = append(out, m)
		default:
			return out
		}
	}
}
