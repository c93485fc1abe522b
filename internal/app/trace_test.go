package app_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

const (
	clientTrace = "0af7651916cd43dd8448eb211c80319c"
	clientSpan  = "b7ad6b7169203331"
)

// ask sends a request with headers, and gives the id that it was given.
func ask(t *testing.T, s *apptest.Server, body string, header ...string) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, s.URL+"/graphql", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.Header.Get("X-Request-Id")
}

// A request is a span below the client's; its operation is one below that, and each statement one below the operation.
func TestTraces(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		collector, log := apptest.NewCollector(t), &records{}
		s := apptest.Start(t, database, collector.Apply, func(c *app.Config) {
			c.Log = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		bearer := "Bearer " + tokenOf(t, "ada", time.Hour)
		socket := ben.Connect()
		live := socket.Subscribe(subscribeNotifications, nil)
		asked := socket.Subscribe(`query onSocket { member(handle: "ada") { id } }`, nil)
		asked.Next(&struct{}{})

		id := ask(t, s, `{"query":"mutation inviteBen($i: InviteMemberInput!) { inviteMember(input: $i) { userErrors { code } } }","variables":{"i":{"memberId":"`+ben.ID+`"}}}`,
			"Authorization", bearer, "traceparent", "00-"+clientTrace+"-"+clientSpan+"-01")
		live.Next(&struct{}{})
		const unsampled = "1af7651916cd43dd8448eb211c80319c"
		ask(t, s, `{"query":"{ viewer { id } }"}`, "Authorization", bearer, "traceparent", "00-"+unsampled+"-"+clientSpan+"-00")
		ada.Do(`query nonsense { nonsense }`, nil)
		s.Stop(t)

		spans := collector.Spans()
		one := func(what string, is func(apptest.Span) bool) apptest.Span {
			t.Helper()
			var found []apptest.Span
			for _, span := range spans {
				if is(span) {
					found = append(found, span)
				}
			}
			if len(found) != 1 {
				t.Fatalf("%d spans are %s: %+v", len(found), what, spans)
			}
			return found[0]
		}
		request := one("the request", func(s apptest.Span) bool { return s.Parent == clientSpan })
		if request.Trace != clientTrace || request.Name != "POST /graphql" || request.Attributes["acquaint.request_id"] != id || request.Failed {
			t.Errorf("the request is %+v", request)
		}
		operation := one("the operation", func(s apptest.Span) bool { return s.Parent == request.ID })
		if a := operation.Attributes; operation.Name != "inviteMember" || a["graphql.operation.type"] != "mutation" ||
			a["graphql.operation.name"] != "inviteBen" || a["acquaint.outcome"] != "ok" || a["acquaint.transport"] != "http" {
			t.Errorf("the operation is %+v", operation)
		}
		for what, is := range map[string]func(text string) bool{
			"BEGIN":  func(text string) bool { return strings.HasPrefix(text, "BEGIN") }, // other statements may go with it
			"COMMIT": func(text string) bool { return text == "COMMIT" },
			"an invitation": func(text string) bool {
				return strings.Contains(text, "INSERT INTO") && strings.Contains(text, "invitations")
			},
		} {
			found := false
			for _, s := range spans {
				found = found || s.Parent == operation.ID && is(strings.ReplaceAll(s.Attributes["db.query.text"], `"`, ""))
			}
			if !found {
				t.Errorf("no %s below the operation: %+v", what, spans)
			}
		}
		onSocket := one("the socket's query", func(s apptest.Span) bool { return s.Attributes["graphql.operation.name"] == "onSocket" })
		if onSocket.Name != "member" || onSocket.Parent != "" || onSocket.Attributes["acquaint.transport"] != "websocket" {
			t.Errorf("the socket's query is %+v", onSocket)
		}
		// The start of a subscription is one span, and its events are none.
		start := one("the subscription", func(s apptest.Span) bool { return s.Name == "notificationReceived" })
		for _, s := range spans {
			if s.Parent == start.ID && strings.Contains(s.Attributes["db.query.text"], "notifications") {
				t.Errorf("an event has a span: %+v", s)
			}
			if s.Trace == unsampled {
				t.Errorf("the client's trace is not sampled, and has %+v", s)
			}
		}
		refused := one("the nonsense", func(s apptest.Span) bool { return s.Attributes["acquaint.outcome"] == "GRAPHQL_VALIDATION_FAILED" })
		if refused.Failed {
			t.Error("a refusal is no failure of the server")
		}

		// The log names the trace beside the request.
		lines := log.of(t, id)
		if len(lines) == 0 || lines[len(lines)-1]["traceId"] != clientTrace || lines[len(lines)-1]["operation"] != "inviteMember" {
			t.Errorf("the log has %v", lines)
		}
	})
}

// A collector that is away, or does not answer, costs the requests nothing, and the end of the server seconds at most. The
// log has it once.
func TestTracesToNobody(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	gone := httptest.NewServer(nil)
	gone.Close()
	for what, url := range map[string]string{"away": gone.URL, "silent": "http://" + silent.Addr().String()} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			log := &records{}
			s := apptest.Start(t, storetest.EmptySQLite(t), func(c *app.Config) {
				c.TracesURL = url + "/v1/traces"
				c.Log = slog.New(slog.NewJSONHandler(log, nil))
			})
			ada := s.As(t, "ada")
			for range 2000 { // more than is kept for a collector
				ada.Do(`{ __typename }`, nil)
			}
			began := time.Now()
			s.Stop(t)
			if took := time.Since(began); took > 8*time.Second {
				t.Errorf("the end took %v", took)
			}
			if n := strings.Count(log.String(), "cannot send spans"); n != 1 {
				t.Errorf("the log has it %d times:\n%s", n, log)
			}
		})
	}
}
