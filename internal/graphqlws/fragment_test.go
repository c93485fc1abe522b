package graphqlws_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/internal/graphqlws"
)

const (
	continued  = 0    // the kind of a fragment that is not the first
	finalFrame = 0x80 // marks the last one
)

// fragment is a frame as a client may make it, masked with zeros.
func fragment(kind byte, text string) []byte {
	const masked, length16 = 0x80, 126
	b := []byte{kind}
	if len(text) < length16 {
		b = append(b, masked|byte(len(text)))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, masked|length16), uint16(len(text)))
	}
	return append(append(b, 0, 0, 0, 0), text...)
}

// A message whose fragments never end closes with 4429, however little there is in them: it is one message to the rate.
func TestEndlessFragments(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{"empty": "", "of one byte": " "} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := start(t, graphqlws.Options{})
			c := s.enter("ann")
			begun := append(fragment(websocket.TextMessage, `{"type":`), fragment(finalFrame|websocket.PingMessage, "one, which is nothing to it")...)
			if _, err := c.NetConn().Write(begun); err != nil {
				t.Fatal(err)
			}
			// More than one message may take; and less than the longest may have in it.
			many := []byte(strings.Repeat(string(fragment(continued, text)), 1000))
			if _, err := c.NetConn().Write(many); err != nil {
				t.Fatal(err)
			}
			c.expectClose(4429)
			c.Close()
			wait(t, s.gone, "the end of the connection")
		})
	}
}

// A message that is not finished in time ends its connection, whatever signs of life come meanwhile.
func TestUnfinishedMessage(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{PingInterval: 20 * time.Millisecond, WriteTimeout: 100 * time.Millisecond})
	c := s.enter("ann")
	go func() { // what comes back, and pongs for the server's pings
		for {
			if _, _, err := c.ReadMessage(); err != nil {
				return
			}
		}
	}()
	if _, err := c.NetConn().Write(fragment(websocket.TextMessage, `{"type":`)); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(patience); ; {
		if _, err := c.NetConn().Write(fragment(finalFrame|websocket.PongMessage, "")); err != nil {
			break
		}
		if time.Now().After(until) {
			t.Fatal("the connection stays")
		}
	}
	wait(t, s.gone, "the end of the connection")
}

// A long message in small pieces, with pings between them, is a message like any other; and so are many of them.
func TestFragments(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	const piece = 120
	message := `{"type":"ping","payload":{"a":"` + strings.Repeat("x", 60_000) + `"}}`
	var frames []byte
	for at := 0; at < len(message); at += piece {
		kind := byte(continued)
		if at == 0 {
			kind = websocket.TextMessage
		}
		if at+piece >= len(message) {
			kind |= finalFrame
		}
		frames = append(frames, fragment(kind, message[at:min(at+piece, len(message))])...)
		frames = append(frames, fragment(finalFrame|websocket.PongMessage, "")...)
	}
	for range 20 {
		if _, err := c.NetConn().Write(frames); err != nil {
			t.Fatal(err)
		}
		c.expect(`{"type":"pong"}`)
	}
	c.expectQuiet()
}
