package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/internal/server"
)

const askViewer = "{ viewer { member { id } } }"

// rated are the default limits, but for the rates.
func rated(rates server.Rates) server.Options {
	limits := server.DefaultLimits()
	limits.Rates = rates
	return server.Options{Limits: limits}
}

// slow lets nobody have another request while a test runs.
const slow = 1e-4

func bearer(t *testing.T, subject string) []string {
	t.Helper()
	return []string{"Authorization", "Bearer " + token(t, subject)}
}

// refusedForNow checks the answer to a request that came too soon.
func refusedForNow(t *testing.T, a answer) {
	t.Helper()
	if a.status != http.StatusTooManyRequests || a.code != "RATE_LIMITED" || a.data != "" {
		t.Errorf("status %d: %s", a.status, a.body)
	}
	if seconds, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || seconds < 1 {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
}

// A member may send a burst; what is more is refused, whichever token or method it comes with, and others are not.
func TestRateOfMember(t *testing.T) {
	t.Parallel()
	r := start(t, rated(server.Rates{Request: slow, RequestBurst: 3}))
	ann := bearer(t, "ann")
	for i := range 3 {
		if a := r.query(askViewer, ann...); a.status != http.StatusOK || a.code != "" {
			t.Fatalf("request %d: status %d: %s", i+1, a.status, a.body)
		}
	}
	refusedForNow(t, r.query(askViewer, ann...))
	for what, accept := range map[string]string{
		"older": "application/json", "newer": mediaResponse, "events": "text/event-stream",
	} {
		a := call(t, http.MethodGet, r.url+"/graphql?query=%7B__typename%7D", "", append([]string{"Accept", accept}, bearer(t, "ann")...)...)
		refusedForNow(t, a)
		want := "application/json"
		if what == "newer" {
			want = mediaResponse
		}
		if !strings.HasPrefix(a.header.Get("Content-Type"), want) {
			t.Errorf("%s: Content-Type %q", what, a.header.Get("Content-Type"))
		}
	}
	for _, other := range [][]string{bearer(t, "ben"), nil} {
		if a := r.query("{ __typename }", other...); a.status != http.StatusOK || a.code != "" {
			t.Errorf("another: status %d: %s", a.status, a.body)
		}
	}
	// A page of another site that may call must be able to read when to try again.
	a := r.query(askViewer, append(bearer(t, "ann"), "Origin", r.url)...)
	if !strings.Contains(a.header.Get("Access-Control-Expose-Headers"), "Retry-After") {
		t.Errorf("a page may read %q", a.header.Get("Access-Control-Expose-Headers"))
	}
	if a := call(t, http.MethodGet, r.url+"/readyz", "", ann...); a.status != http.StatusOK {
		t.Errorf("readyz: status %d", a.status)
	}
}

func TestWithoutRates(t *testing.T) {
	t.Parallel()
	r := start(t, rated(server.Rates{}))
	payload := fmt.Sprintf(`{"Authorization":"Bearer %s"}`, token(t, "ann"))
	conn := r.socket(payload)
	acknowledged(t, conn)
	for i := range 700 { // more than any burst by default
		op := ask(t, conn, strconv.Itoa(i), "{ __typename }")
		if op.kind != "next" {
			t.Fatalf("operation %d: %+v", i, op)
		}
		if op = receive(t, conn); op.kind != "complete" {
			t.Fatalf("operation %d: %+v", i, op)
		}
	}
}

// message is a message of the server about an operation.
type message struct{ kind, id, code, raw string }

func receive(t *testing.T, conn *websocket.Conn) message {
	t.Helper()
	_, raw, err := conn.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Type, ID string
		Payload  json.RawMessage
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	var errs []struct{ Extensions struct{ Code string } }
	if m.Type == "error" && json.Unmarshal(m.Payload, &errs) == nil && len(errs) == 1 {
		return message{m.Type, m.ID, errs[0].Extensions.Code, string(raw)}
	}
	return message{m.Type, m.ID, "", string(raw)}
}

func ask(t *testing.T, conn *websocket.Conn, id, query string) message {
	t.Helper()
	m := map[string]any{"type": "subscribe", "id": id, "payload": map[string]string{"query": query}}
	if err := conn.WriteJSON(m); err != nil {
		t.Fatal(err)
	}
	return receive(t, conn)
}

// Over a socket one operation too many has an error of its own; the socket and what runs on it stay.
func TestRateOfMemberOverSocket(t *testing.T) {
	t.Parallel()
	r := start(t, rated(server.Rates{Request: slow, RequestBurst: 8}))
	payload := fmt.Sprintf(`{"Authorization":"Bearer %s"}`, token(t, "ann"))
	conn := r.socket(payload)
	acknowledged(t, conn)
	for range 5 { // over HTTP it counts alike
		if a := r.query(askViewer, bearer(t, "ann")...); a.code != "" {
			t.Fatal(a.body)
		}
	}
	for i := range 3 {
		if m := ask(t, conn, strconv.Itoa(i), askViewer); m.kind != "next" {
			t.Fatalf("operation %d: %+v", i, m)
		}
		if m := receive(t, conn); m.kind != "complete" {
			t.Fatalf("operation %d: %+v", i, m)
		}
	}
	for range 2 {
		if m := ask(t, conn, "late", askViewer); m.kind != "error" || m.id != "late" || m.code != "RATE_LIMITED" {
			t.Errorf("one past the burst: %+v", m)
		}
	}
	if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, conn); m.kind != "pong" {
		t.Errorf("after that: %+v", m)
	}
	refusedForNow(t, r.query(askViewer, bearer(t, "ann")...))
	second := r.socket(payload) // another socket is no way around it
	acknowledged(t, second)
	if m := ask(t, second, "1", askViewer); m.code != "RATE_LIMITED" {
		t.Errorf("on another socket: %+v", m)
	}
	ben := r.socket(fmt.Sprintf(`{"Authorization":"Bearer %s"}`, token(t, "ben")))
	acknowledged(t, ben)
	if m := ask(t, ben, "1", askViewer); m.kind != "next" {
		t.Errorf("another member: %+v", m)
	}
}

// A socket on which messages rain closes with 4429, whatever they are; the member's other sockets stay.
func TestRateOfMessages(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		"pings": `{"type":"ping"}`, "pongs": `{"type":"pong"}`, "completes": `{"type":"complete","id":"x"}`,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := start(t, rated(server.Rates{Request: slow, RequestBurst: 20}))
			payload := fmt.Sprintf(`{"Authorization":"Bearer %s"}`, token(t, "ann"))
			conn, other := r.socket(payload), r.socket(payload)
			acknowledged(t, conn)
			acknowledged(t, other)
			// 50 in all are allowed at once, two for each operation of the burst and ten beside them, and then one a second.
			for range 1000 {
				if conn.WriteMessage(websocket.TextMessage, []byte(text)) != nil {
					break
				}
			}
			for {
				_, _, err := conn.ReadMessage()
				if err == nil {
					continue
				}
				if !websocket.IsCloseError(err, 4429) {
					t.Errorf("ended with %v", err)
				}
				break
			}
			if m := ask(t, other, "1", "{ __typename }"); m.kind != "next" {
				t.Errorf("the other socket: %+v", m)
			}
		})
	}
}

// A client is not closed for the messages that its burst of operations takes: each is two of them, beside
// connection_init; and one past the burst is told so.
func TestRateOfMessagesLeavesRoomForTheBurst(t *testing.T) {
	t.Parallel()
	for _, burst := range []int{0, 1, 2, 5} {
		t.Run(fmt.Sprint(burst), func(t *testing.T) {
			t.Parallel()
			r := start(t, rated(server.Rates{Request: slow, RequestBurst: burst}))
			conn := r.socket(fmt.Sprintf(`{"Authorization":"Bearer %s"}`, token(t, "ann")))
			acknowledged(t, conn)
			for i := range max(burst, 1) {
				id := strconv.Itoa(i)
				if m := ask(t, conn, id, "{ __typename }"); m.kind != "next" {
					t.Fatalf("operation %d: %+v", i, m)
				}
				if m := receive(t, conn); m.kind != "complete" {
					t.Fatalf("operation %d: %+v", i, m)
				}
				if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"complete","id":"`+id+`"}`)); err != nil {
					t.Fatal(err)
				}
			}
			if m := ask(t, conn, "last", "{ __typename }"); m.code != "RATE_LIMITED" {
				t.Errorf("past the burst: %+v", m)
			}
		})
	}
}

// Addresses are counted before anybody is signed in; behind a proxy they are what it says.
func TestRateOfAddress(t *testing.T) {
	t.Parallel()
	proxies, err := server.ParseProxies([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	direct := start(t, rated(server.Rates{Address: slow}))
	if a := direct.query("{ __typename }"); a.status != http.StatusOK {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	for _, header := range [][]string{nil, bearer(t, "ann"), {"Authorization", "Bearer bad"}, {"X-Forwarded-For", "198.51.100.7"}} {
		refusedForNow(t, direct.query("{ __typename }", header...))
	}
	_, response, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(direct.url, "http")+"/graphql", nil)
	if err == nil || response == nil || response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a socket: %v, %v", response, err)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if a := call(t, http.MethodGet, direct.url+path, ""); a.status != http.StatusOK {
			t.Errorf("%s: status %d", path, a.status)
		}
	}

	behind := start(t, rated(server.Rates{Address: slow, TrustedProxies: proxies}))
	for _, client := range []string{"198.51.100.7", "198.51.100.8", "2001:db8::7"} {
		if a := behind.query("{ __typename }", "X-Forwarded-For", client); a.status != http.StatusOK {
			t.Errorf("%s: status %d: %s", client, a.status, a.body)
		}
		refusedForNow(t, behind.query("{ __typename }", "X-Forwarded-For", "203.0.113.1, "+client))
	}
}
