package graphqlws_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/internal/graphqlws"
)

// What is not of the protocol closes with 4400, whether the client has been let in or not.
func TestNotOfTheProtocol(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	for _, c := range []struct {
		what, message string
	}{
		{"nothing", ``},
		{"no JSON", `ping`},
		{"half of a message", `{"type":"ping"`},
		{"trailing garbage", `{"type":"ping"} {}`},
		{"null", `null`},
		{"an array", `[{"type":"ping"}]`},
		{"a string", `"ping"`},
		{"invalid UTF-8", "{\"type\":\"ping\",\"payload\":{\"a\":\"\xff\"}}"},
		{"no type", `{"id":"1"}`},
		{"type null", `{"type":null}`},
		{"type a number", `{"type":1}`},
		{"type empty", `{"type":""}`},
		{"unknown type", `{"type":"start","id":"1","payload":{"query":"{ hello }"}}`},
		{"a message of servers", `{"type":"connection_ack"}`},
		{"another message of servers", `{"type":"next","id":"1","payload":{}}`},
		{"ping with a payload that is no object", `{"type":"ping","payload":[1]}`},
		{"pong with a payload that is no object", `{"type":"pong","payload":"x"}`},
		{"subscribe without id", `{"type":"subscribe","payload":{"query":"{ hello }"}}`},
		{"subscribe with empty id", `{"type":"subscribe","id":"","payload":{"query":"{ hello }"}}`},
		{"subscribe with id null", `{"type":"subscribe","id":null,"payload":{"query":"{ hello }"}}`},
		{"subscribe with a number as id", `{"type":"subscribe","id":1,"payload":{"query":"{ hello }"}}`},
		{"subscribe with an endless id", `{"type":"subscribe","id":"` + strings.Repeat("x", 10_000) + `","payload":{"query":"{ hello }"}}`},
		{"subscribe without payload", `{"type":"subscribe","id":"1"}`},
		{"subscribe with payload null", `{"type":"subscribe","id":"1","payload":null}`},
		{"subscribe with payload array", `{"type":"subscribe","id":"1","payload":[]}`},
		{"subscribe without query", `{"type":"subscribe","id":"1","payload":{"variables":{}}}`},
		{"query null", `{"type":"subscribe","id":"1","payload":{"query":null}}`},
		{"query an object", `{"type":"subscribe","id":"1","payload":{"query":{}}}`},
		{"operationName a number", `{"type":"subscribe","id":"1","payload":{"query":"{ hello }","operationName":1}}`},
		{"variables an array", `{"type":"subscribe","id":"1","payload":{"query":"{ hello }","variables":[]}}`},
		{"variables a string", `{"type":"subscribe","id":"1","payload":{"query":"{ hello }","variables":"{}"}}`},
		{"variables a number", `{"type":"subscribe","id":"1","payload":{"query":"{ hello }","variables":0}}`},
		{"extensions an array", `{"type":"subscribe","id":"1","payload":{"query":"{ hello }","extensions":[]}}`},
		{"complete without id", `{"type":"complete"}`},
		{"complete with empty id", `{"type":"complete","id":""}`},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			s := *s
			s.t = t
			before := s.dial()
			before.send(c.message)
			before.expectClose(4400)

			after := s.enter("ann")
			after.send(c.message)
			after.expectClose(4400)
		})
	}
}

func TestBinaryFrame(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	if err := c.WriteMessage(websocket.BinaryMessage, []byte(`{"type":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	c.expectClose(4400)
	wait(t, s.gone, "the end of the connection")
}

// After our close frame nothing more is answered, and what was running is stopped.
func TestNothingAfterTheClosing(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	c.subscribe("1", `subscription { events }`)
	events := wait(t, s.streams, "the subscription")
	c.send(`{"type":"nonsense"}`)
	c.send(`{"type":"ping"}`)
	c.subscribe("2", `{ hello }`)
	c.expectClose(4400)
	wait(t, events.ctx.Done(), "the end of the subscription")
	wait(t, s.gone, "the end of the connection")
}

func TestPing(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.dial()
	for _, ping := range []string{`{"type":"ping"}`, `{"type":"ping","payload":{"a":1}}`, `{"type":"ping","payload":null}`} {
		c.send(ping)
		c.expect(`{"type":"pong"}`)
	}
	c.init("ann")
	c.expect(`{"type":"connection_ack"}`)
	c.send(`{"type":"ping"}`)
	c.expect(`{"type":"pong"}`)
}

func TestPongIsIgnored(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.dial()
	c.send(`{"type":"pong"}`)
	c.expectQuiet()
	c.init("ann")
	c.expect(`{"type":"connection_ack"}`)
	c.send(`{"type":"pong","payload":{"a":1}}`)
	c.expectQuiet()
}

// A client may complete what the server has completed at the same moment.
func TestCompleteOfNothingIsIgnored(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.dial()
	c.complete("1")
	c.expectQuiet()
	c.init("ann")
	c.expect(`{"type":"connection_ack"}`)
	c.complete("1")
	c.complete("1")
	c.expectQuiet()
}

func TestDuplicateID(t *testing.T) {
	t.Parallel()
	for what, id := range map[string]string{
		"short": "1",
		// The reason of a close frame has 123 bytes at most, and is UTF-8; an id may be longer.
		"long":             strings.Repeat("a", 200),
		"long, many-byted": strings.Repeat("é", 120),
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := start(t, graphqlws.Options{})
			c := s.enter("ann")
			c.subscribe(id, `subscription { events }`)
			events := wait(t, s.streams, "the subscription")
			c.subscribe(id, `{ hello }`)
			c.expectClose(4409)
			wait(t, events.ctx.Done(), "the end of the subscription")
			wait(t, s.gone, "the end of the connection")
		})
	}
}

// The client must learn why: 1009 must reach it, although it has sent what nobody will read.
func TestTooLargeMessage(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{MaxMessage: 1000})
	for _, size := range []int{1001, 20_000, 3_000_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			s := *s
			s.t = t
			c := s.enter("ann")
			const frame = `{"type":"ping","payload":{"a":"%s"}}`
			c.send(fmt.Sprintf(frame, strings.Repeat("x", 1000-len(frame)+len("%s"))))
			c.expect(`{"type":"pong"}`)
			// The server may have closed before all is written, which the sending sees first.
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				_ = c.WriteMessage(websocket.TextMessage, []byte(fmt.Sprintf(frame, strings.Repeat("x", size-len(frame)+len("%s")))))
			}()
			c.expectClose(1009)
			c.Close()
			<-sent
		})
	}
}

// What is no websocket frame ends the connection, and nothing else.
func TestNoWebsocketFrame(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	frame := binary.BigEndian.AppendUint16([]byte{0x81, 126}, 5) // neither masked nor short enough for this length
	if _, err := c.NetConn().Write(append(frame, "hello"...)); err != nil {
		t.Fatal(err)
	}
	c.expectClose(websocket.CloseProtocolError)
	wait(t, s.gone, "the end of the connection")
	s.enter("ann").expectQuiet()
}
