package graphqlws

import (
	"bytes"
	"errors"
	"net"
	"testing"

	"github.com/gorilla/websocket"
)

type recorder struct {
	net.Conn

	got bytes.Buffer
}

func (r *recorder) Write(b []byte) (int, error) { return r.got.Write(b) }

// After a close frame nothing is sent, whoever has sent it: gorilla does by itself when a peer breaks the protocol of
// websockets. What is sent before, the answer to the handshake too, does not look like one.
func TestNothingAfterACloseFrame(t *testing.T) {
	t.Parallel()
	under := &recorder{}
	w := &wire{Conn: under}
	before := [][]byte{[]byte("HTTP/1.1 101 Switching Protocols"), ping, pong, frame(websocket.TextMessage, "\x88")}
	last := frame(websocket.CloseMessage, string(websocket.FormatCloseMessage(closeGoingAway, "bye")))
	for _, b := range append(before, last) {
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	want := under.got.Len()
	for _, b := range [][]byte{pong, last} {
		if _, err := w.Write(b); !errors.Is(err, websocket.ErrCloseSent) {
			t.Errorf("writing after it gave %v", err)
		}
	}
	if under.got.Len() != want {
		t.Error("something was sent after the close frame")
	}
}
