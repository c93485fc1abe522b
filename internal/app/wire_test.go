package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/internal/app/apptest"
)

// wire is a websocket of which a test sees and sends every message itself.
type wire struct {
	t  *testing.T
	ws *websocket.Conn
}

// dial opens a websocket.
func dial(t *testing.T, s *apptest.Server, header http.Header) *wire {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: apptest.Patience}
	ws, response, err := dialer.Dial("ws"+strings.TrimPrefix(s.URL, "http")+"/graphql", header)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	t.Cleanup(func() { ws.Close() })
	_ = ws.SetReadDeadline(time.Now().Add(2 * apptest.Patience))
	return &wire{t, ws}
}

// init signs in.
func (w *wire) init(token string) {
	w.t.Helper()
	w.write(map[string]any{"type": "connection_init", "payload": map[string]string{"Authorization": "Bearer " + token}})
	if m := w.read(); m.Type != "connection_ack" {
		w.t.Fatalf("got %+v", m)
	}
}

func (w *wire) write(message any) {
	w.t.Helper()
	if err := w.ws.WriteJSON(message); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) read() apptest.Message {
	w.t.Helper()
	var m apptest.Message
	if err := w.ws.ReadJSON(&m); err != nil {
		w.t.Fatal(err)
	}
	return m
}

// ask runs one operation with this payload, and gives its data or the code of its first error.
func (w *wire) ask(id string, payload map[string]any) (data, code string) {
	w.t.Helper()
	w.write(map[string]any{"type": "subscribe", "id": id, "payload": payload})
	m := w.read()
	var result struct {
		Data   json.RawMessage
		Errors []struct{ Extensions struct{ Code string } }
	}
	var err error
	switch {
	case m.ID != id:
		w.t.Fatalf("got %+v", m)
	case m.Type == "error":
		err = json.Unmarshal(m.Payload, &result.Errors)
	case m.Type == "next":
		err = json.Unmarshal(m.Payload, &result)
		if end := w.read(); end.Type != "complete" || end.ID != id {
			w.t.Fatalf("got %+v", end)
		}
	default:
		err = fmt.Errorf("a message %s", m.Type)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if len(result.Errors) > 0 {
		code = result.Errors[0].Extensions.Code
	}
	return string(result.Data), code
}
