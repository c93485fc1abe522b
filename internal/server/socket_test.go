package server_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/server"
)

// socket opens a websocket and sends connection_init with this payload.
func (r *running) socket(payload string) *websocket.Conn {
	r.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: patience}
	conn, response, err := dialer.DialContext(r.t.Context(), "ws"+strings.TrimPrefix(r.url, "http")+"/graphql", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	response.Body.Close()
	r.t.Cleanup(func() { conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	message := fmt.Sprintf(`{"type":"connection_init","payload":%s}`, payload)
	if err := conn.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		r.t.Fatal(err)
	}
	return conn
}

func acknowledged(t *testing.T, conn *websocket.Conn) {
	t.Helper()
	if _, message, err := conn.ReadMessage(); err != nil || string(message) != `{"type":"connection_ack"}` {
		t.Fatalf("got %s, %v", message, err)
	}
}

func closedWith(t *testing.T, conn *websocket.Conn, code int) {
	t.Helper()
	if _, message, err := conn.ReadMessage(); !websocket.IsCloseError(err, code) {
		t.Fatalf("got %s, %v, and not %d", message, err, code)
	}
}

func TestSocketToken(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{})
	good := token(t, "ann")
	expired, err := auth.Sign(secret, member.Claims{Subject: "ann"}, "", "", time.Now().Add(-2*time.Hour), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, payload string
		code          int // 0: let in
	}{
		{"good", fmt.Sprintf(`{"Authorization":"Bearer %s"}`, good), 0},
		{"key in small letters", fmt.Sprintf(`{"authorization":"bearer %s"}`, good), 0},
		{"key in capitals, among others", fmt.Sprintf(`{"x":1,"AUTHORIZATION":"Bearer %s"}`, good), 0},
		{"no payload", `null`, 4403},
		{"no token", `{}`, 4403},
		{"empty", `{"Authorization":""}`, 4403},
		{"no string", `{"Authorization":["Bearer x"]}`, 4403},
		{"bad", `{"Authorization":"Bearer x"}`, 4403},
		{"expired", fmt.Sprintf(`{"Authorization":"Bearer %s"}`, expired), 4403},
		{"without scheme", fmt.Sprintf(`{"Authorization":"%s"}`, good), 4403},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			r := *r
			r.t = t
			conn := r.socket(c.payload)
			if c.code != 0 {
				closedWith(t, conn, c.code)
				return
			}
			acknowledged(t, conn)
			query := `{"id":"1","type":"subscribe","payload":{"query":"{ viewer { member { id } } }"}}`
			if err := conn.WriteMessage(websocket.TextMessage, []byte(query)); err != nil {
				t.Fatal(err)
			}
			if _, message, err := conn.ReadMessage(); err != nil || !strings.Contains(string(message), `"mbr_`) {
				t.Errorf("got %s, %v", message, err)
			}
		})
	}
}

// The token of a socket is that of its connection_init; one in the header of the upgrade counts for nothing.
func TestSocketTakesNoTokenFromTheHeader(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{})
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: patience}
	header := http.Header{"Authorization": {"Bearer " + token(t, "ann")}}
	conn, response, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(r.url, "http")+"/graphql", header)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	response.Body.Close()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"connection_init"}`)); err != nil {
		t.Fatal(err)
	}
	closedWith(t, conn, 4403)
}

// An Upgrade header of another kind is no way around the check of the token.
func TestOtherUpgrade(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{})
	for _, upgrade := range []string{"h2c", "x", "websocket"} {
		a := r.query("{ __typename }", "Authorization", "Bearer bad", "Upgrade", upgrade, "Connection", "Upgrade")
		if a.status/100 != 4 || a.data != "" && a.data != "null" {
			t.Errorf("%s: status %d: %s", upgrade, a.status, a.body)
		}
	}
	// One that is offered and not known is passed over: many clients offer h2c with every request.
	if a := r.query("{ __typename }", "Upgrade", "h2c", "Connection", "Upgrade"); a.status != 200 || a.data != `{"__typename":"Query"}` {
		t.Errorf("h2c offered: status %d: %s", a.status, a.body)
	}
}

func TestSocketsOfOneMember(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{})
	payload := fmt.Sprintf(`{"Authorization":"Bearer %s"}`, token(t, "ann"))
	for range 10 {
		acknowledged(t, r.socket(payload))
	}
	closedWith(t, r.socket(payload), 4429)
	acknowledged(t, r.socket(fmt.Sprintf(`{"Authorization":"Bearer %s"}`, token(t, "ben"))))
}

// The shutdown closes sockets with 1001, takes no new connection, and lets a request in flight finish.
func TestShutdown(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}), make(chan struct{})
	let := sync.OnceFunc(func() { close(answer) })
	t.Cleanup(let)
	r := start(t, server.Options{Ready: func(context.Context) error {
		close(asked)
		<-answer
		return nil
	}})
	conn := r.socket(fmt.Sprintf(`{"Authorization":"Bearer %s"}`, token(t, "ann")))
	acknowledged(t, conn)
	if n := r.Sockets(); n != 1 {
		t.Errorf("%d sockets", n)
	}

	// A request in flight.
	address := strings.TrimPrefix(r.url, "http://")
	inFlight, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer inFlight.Close()
	fmt.Fprint(inFlight, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	wait(t, asked, "the request in flight")

	returned := make(chan error, 1)
	go func() { returned <- r.Shutdown(context.Background()) }()
	closedWith(t, conn, websocket.CloseGoingAway)
	for { // until nobody listens any more
		late, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		late.Close()
	}
	select {
	case err := <-returned:
		t.Errorf("the shutdown (%v) did not wait for the request in flight", err)
	default:
	}
	let()
	if status := statusOf(t, inFlight); status != http.StatusOK {
		t.Errorf("the request in flight got %d", status)
	}
	if err := wait(t, returned, "the shutdown to return"); err != nil {
		t.Error(err)
	}
	if n := r.Sockets(); n != 0 {
		t.Errorf("%d sockets are left", n)
	}
}

func statusOf(t *testing.T, conn net.Conn) int {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}
