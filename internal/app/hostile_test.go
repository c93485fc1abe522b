package app_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/internal/app/apptest"
)

// hostile is a client that does what no client should, at random. It holds some connections open to the end.
type hostile struct {
	t       *testing.T
	address string // host:port
	tokens  []string
	message int // bytes of the longest message that is allowed

	mu   sync.Mutex
	held []net.Conn
}

// mischief is one thing to do with a server. What fails of it is the server's defence, and no failure of the test.
type mischief struct {
	name string
	do   func(h *hostile, r *rand.Rand)
}

// heldMost bounds the connections that are held at once; beyond it some are closed.
const heldMost = 80

// hold keeps a connection open for some time, at most to the end.
func (h *hostile) hold(conn net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held = append(h.held, conn)
	if len(h.held) > heldMost {
		h.held[0].Close()
		h.held = h.held[1:]
	}
}

// leaveAll closes all that is held.
func (h *hostile) leaveAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, conn := range h.held {
		conn.Close()
	}
	h.held = nil
}

// leave ends a connection in one of the ways in which connections end.
func (h *hostile) leave(r *rand.Rand, conn net.Conn) {
	switch r.IntN(3) {
	case 0:
		_ = conn.(*net.TCPConn).SetLinger(0) // a reset
		conn.Close()
	case 1:
		conn.Close()
	case 2:
		h.hold(conn)
	}
}

func (h *hostile) connect() net.Conn {
	conn, err := net.DialTimeout("tcp", h.address, apptest.Patience)
	if err != nil {
		h.t.Errorf("the server takes no connection: %v", err)
		return nil
	}
	_ = conn.SetDeadline(time.Now().Add(2 * apptest.Patience))
	return conn
}

// upgrade opens a websocket, and signs in when who is not negative.
func (h *hostile) upgrade(who int) *websocket.Conn {
	conn := h.connect()
	if conn == nil {
		return nil
	}
	dialer := websocket.Dialer{
		Subprotocols: []string{"graphql-transport-ws"},
		NetDial:      func(string, string) (net.Conn, error) { return conn, nil },
	}
	ws, _, err := dialer.Dial("ws://"+h.address+"/graphql", nil)
	if err != nil {
		h.t.Errorf("the server upgrades nothing: %v", err)
		conn.Close()
		return nil
	}
	if who >= 0 {
		h.say(ws, map[string]any{"type": "connection_init", "payload": map[string]string{"Authorization": "Bearer " + h.tokens[who]}})
	}
	return ws
}

func (h *hostile) say(ws *websocket.Conn, message any) bool {
	encoded, err := json.Marshal(message)
	return err == nil && ws.WriteMessage(websocket.TextMessage, encoded) == nil
}

func (h *hostile) subscribe(ws *websocket.Conn, id, query string) bool {
	return h.say(ws, map[string]any{"type": "subscribe", "id": id, "payload": map[string]any{"query": query}})
}

// withSocket does something with a socket that is signed in, and leaves.
func withSocket(do func(h *hostile, r *rand.Rand, ws *websocket.Conn)) func(*hostile, *rand.Rand) {
	return func(h *hostile, r *rand.Rand) {
		if ws := h.upgrade(r.IntN(len(h.tokens))); ws != nil {
			do(h, r, ws)
			h.leave(r, ws.NetConn())
		}
	}
}

// withBytes sends raw bytes on a new connection, and leaves.
func withBytes(text func(h *hostile, r *rand.Rand) string) func(*hostile, *rand.Rand) {
	return func(h *hostile, r *rand.Rand) {
		if conn := h.connect(); conn != nil {
			_, _ = io.WriteString(conn, text(h, r))
			h.leave(r, conn)
		}
	}
}

const upgradeRequest = "GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"

var mischiefs = []mischief{
	{"half a handshake", withBytes(func(_ *hostile, r *rand.Rand) string { return upgradeRequest[:r.IntN(len(upgradeRequest))] })},
	{"a handshake, and silence", withBytes(func(*hostile, *rand.Rand) string { return upgradeRequest })},
	{"a handshake, and noise", withBytes(func(_ *hostile, r *rand.Rand) string {
		noise := make([]byte, r.IntN(500))
		for i := range noise {
			noise[i] = byte(r.IntN(256))
		}
		return upgradeRequest + string(noise)
	})},
	{"half a request", withBytes(func(*hostile, *rand.Rand) string {
		return "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"query\":"
	})},
	{"signed in, and silence", withSocket(func(*hostile, *rand.Rand, *websocket.Conn) {})},
	{"a bad token", func(h *hostile, r *rand.Rand) {
		if ws := h.upgrade(-1); ws != nil {
			h.say(ws, map[string]any{"type": "connection_init", "payload": map[string]string{"Authorization": "Bearer x"}})
			h.leave(r, ws.NetConn())
		}
	}},
	{"invalid frames", withSocket(func(_ *hostile, r *rand.Rand, ws *websocket.Conn) {
		frames := []string{"\x81\x05hello" /* not masked */, "\xf1\x80\x00\x00\x00\x00", "\x83\x80\x00\x00\x00\x00", "\x09\x80\x00\x00\x00\x00", "\x80\x80\x00\x00\x00\x00"}
		_, _ = io.WriteString(ws.NetConn(), frames[r.IntN(len(frames))])
	})},
	{"a frame of exabytes", withSocket(func(_ *hostile, _ *rand.Rand, ws *websocket.Conn) {
		frame := binary.BigEndian.AppendUint64([]byte{0x81, 0xff}, 1<<62)
		_, _ = ws.NetConn().Write(append(frame, bytes.Repeat([]byte("x"), 1000)...))
	})},
	{"an oversized message", withSocket(func(h *hostile, _ *rand.Rand, ws *websocket.Conn) {
		h.subscribe(ws, "1", strings.Repeat("x", h.message))
	})},
	{"messages of no protocol", withSocket(func(_ *hostile, r *rand.Rand, ws *websocket.Conn) {
		texts := []string{"", "null", "[]", `{"type":"x"}`, `{"type":"subscribe"}`, `{"type":"subscribe","id":"1"}`, `{"type":"connection_init"}`, "\x00"}
		_ = ws.WriteMessage(1+r.IntN(2), []byte(texts[r.IntN(len(texts))]))
	})},
	{"an id twice", withSocket(func(h *hostile, _ *rand.Rand, ws *websocket.Conn) {
		h.subscribe(ws, "1", subscribeNotifications)
		h.subscribe(ws, "1", subscribeNotifications)
	})},
	{"a flood of subscriptions", withSocket(func(h *hostile, r *rand.Rand, ws *websocket.Conn) {
		for i := range 50 + r.IntN(100) {
			if !h.subscribe(ws, fmt.Sprint(i), subscribeNotifications) {
				return
			}
		}
	})},
	{"a flood of completes", withSocket(func(h *hostile, r *rand.Rand, ws *websocket.Conn) {
		for range 200 {
			id := fmt.Sprint(r.IntN(5))
			if r.IntN(3) == 0 && !h.subscribe(ws, id+fmt.Sprint(r.IntN(5)), subscribeNotifications) || !h.say(ws, map[string]any{"type": "complete", "id": id}) {
				return
			}
		}
	})},
	{"questions, and no ear for the answers", withSocket(func(h *hostile, r *rand.Rand, ws *websocket.Conn) {
		_ = ws.NetConn().(*net.TCPConn).SetReadBuffer(1)
		for i := range 30 + r.IntN(30) {
			if !h.subscribe(ws, fmt.Sprint(i), `{ __schema { types { name description fields { name description args { name description } } } } }`) {
				return
			}
		}
	})},
	{"a stream of events", withBytes(func(h *hostile, r *rand.Rand) string {
		return "GET /graphql?query=" + url.QueryEscape(`subscription { edge: notificationReceived(after: "") { cursor } }`) +
			" HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer " + h.tokens[r.IntN(len(h.tokens))] + "\r\n\r\n"
	})},
}
