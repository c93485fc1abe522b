package app_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// What a server does shows in its metrics: operations over each transport and what came of them, what is open, what was
// written and given, and why.
func TestMetricsTellWhatHappens(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		clock := &apptest.Clock{}
		s := apptest.Start(t, database, apptest.WithMetrics, clock.Apply)
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		token := tokenOf(t, "ada", 10*365*24*time.Hour)

		socket := ada.Connect()
		live := socket.Subscribe(subscribeNotifications, nil)
		stream := listen(t, s, token, `subscription { networkChanged { kind } }`, nil).started()
		s.AwaitMetrics(t, map[string]float64{
			`acquaint_websocket_connections`:                                                                    1,
			`acquaint_subscriptions{operation="notificationReceived"}`:                                          1,
			`acquaint_subscriptions{operation="networkChanged"}`:                                                1,
			`acquaint_subscriptions{operation="messageReceived"}`:                                               0,
			`acquaint_http_requests_in_flight`:                                                                  1, // the stream
			`acquaint_http_requests_total{path="/graphql",status="1xx"}`:                                        1,
			`acquaint_operations_total{operation="notificationReceived",outcome="ok",transport="websocket"}`:    1,
			`acquaint_operations_total{operation="networkChanged",outcome="ok",transport="sse"}`:                1,
			`acquaint_operations_total{operation="viewer",outcome="ok",transport="http"}`:                       2,
			`acquaint_operation_duration_seconds_count{operation="viewer",transport="http"}`:                    2,
			`acquaint_operation_duration_seconds_count{operation="notificationReceived",transport="websocket"}`: 1,
		})

		sent := ben.Invite(ada.ID, "hello")
		var e edge
		live.Next(&struct{ Edge *edge }{&e})
		stream.event()
		ben.Invite(ada.ID, "again") // refused: it is there
		ben.Invite("mem_nonsense", "")
		ada.Respond(sent.Invitation.ID, "ACCEPT")
		ada.Send(ben.ID, "thank you")
		ada.Do(`{ viewer { member { id } } member(handle: "ben") { id } }`, nil)
		ada.Do(`{ a: member(handle: "ben") { id } ... F } fragment F on Query { b: member(handle: "ada") { id } __typename }`, nil)
		ada.Do(`{ nonsense }`, nil)
		s.WithToken(t, "").Do(`{ viewer { id } }`, nil)
		s.WithToken(t, "").Do(`{ __schema { queryType { name } } }`, nil)
		s.WithToken(t, "bad").Do(`{ viewer { id } }`, nil)
		s.AwaitMetrics(t, map[string]float64{
			`acquaint_operations_total{operation="inviteMember",outcome="ok",transport="http"}`:                 1,
			`acquaint_operations_total{operation="inviteMember",outcome="user_error",transport="http"}`:         2,
			`acquaint_operations_total{operation="respondToInvitation",outcome="ok",transport="http"}`:          1,
			`acquaint_operations_total{operation="several",outcome="ok",transport="http"}`:                      1,
			`acquaint_operations_total{operation="member",outcome="ok",transport="http"}`:                       1,
			`acquaint_operations_total{operation="introspection",outcome="ok",transport="http"}`:                1,
			`acquaint_operations_total{operation="other",outcome="GRAPHQL_VALIDATION_FAILED",transport="http"}`: 1,
			`acquaint_operations_total{operation="viewer",outcome="UNAUTHENTICATED",transport="http"}`:          1,
			`acquaint_http_requests_total{path="/graphql",status="4xx"}`:                                        1,
			`acquaint_notifications_written_total{category="invitation_received"}`:                              1,
			`acquaint_notifications_written_total{category="invitation_accepted"}`:                              1,
			`acquaint_notifications_written_total{category="message"}`:                                          1,
			`acquaint_notifications_written_total{category="like"}`:                                             0,
			`acquaint_feed_entries_written_total{kind="message_received"}`:                                      1,
			`acquaint_feed_entries_written_total{kind="connection_added"}`:                                      2,
			`acquaint_realtime_deliveries_total{log="inbox"}`:                                                   1,
			`acquaint_realtime_lag_seconds_count{log="inbox"}`:                                                  1,
			`acquaint_realtime_delivery_failures_total{log="inbox"}`:                                            0,
			`acquaint_broker_connected`:            1,
			`acquaint_ready`:                       1,
			`acquaint_broker_reconnects_total`:     0,
			`acquaint_trace_export_failures_total`: 0,
		})

		clock.Advance(time.Hour)
		s.RunTasks(t)
		stream.close()
		_ = socket // closed below, as a client that has gone
		socket.Close()
		s.AwaitMetrics(t, map[string]float64{
			`acquaint_task_runs_total{outcome="ok",task="erase"}`:      1,
			`acquaint_task_runs_total{outcome="failed",task="erase"}`:  0,
			`acquaint_task_interval_seconds{task="erase"}`:             60,
			`acquaint_websocket_closes_total{by="client",code="1006"}`: 1,
			`acquaint_websocket_connections`:                           0,
			`acquaint_ready`:                                           1,
			`acquaint_subscriptions{operation="notificationReceived"}`: 0,
			`acquaint_subscriptions{operation="networkChanged"}`:       0,
			`acquaint_http_requests_in_flight`:                         0,
		})
	})
}

// Each limit that is hit is counted by its name.
func TestMetricsTellOfLimits(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t), apptest.WithMetrics, func(c *app.Config) {
		c.Limits.Body, c.Limits.SocketMessage, c.Limits.SocketsPerMember, c.Limits.SubscriptionsPerMember = 4000, 1000, 1, 1
		c.Limits.Rates.Request, c.Limits.Rates.RequestBurst = 0.001, 12
		c.DocumentLimits.Tokens, c.DocumentLimits.Depth, c.DocumentLimits.Complexity = 200, 6, 30
		c.DocumentLimits.RootAliases, c.DocumentLimits.Directives = 2, 3
	})
	ada := s.As(t, "ada")
	for _, query := range []string{
		strings.Repeat("{a", 150),
		`{ viewer { member { connections { nodes { connections { nodes { id } } } } } } }`,
		`{ viewer { receivedInvitations(first: 100) { nodes { id note sentAt } } } }`,
		`{ a: __typename b: __typename c: __typename }`,
		`{ __typename @skip(if: false) @skip(if: false) @skip(if: false) @skip(if: false) }`,
		`{ nodes(ids: [[[[[[["x"]]]]]]]) { id } }`,
		`{ __schema { types { possibleTypes { possibleTypes { possibleTypes { name } } } } } }`,
		strings.Repeat("#", 5000),
	} {
		if r := ada.Do(query, nil); r.Code() == "" {
			t.Errorf("%.60s passed: %s", query, r.Raw)
		}
	}
	socket := ada.Connect()
	socket.Subscribe(subscribeNotifications, nil)
	refused := socket.Subscribe(subscribeNotifications, nil)
	if m := refused.Message(); m.Type != "error" {
		t.Errorf("a subscription past the limit gave %+v", m)
	}
	other := dial(t, s, nil)
	other.write(map[string]any{"type": "connection_init", "payload": map[string]string{"Authorization": "Bearer " + tokenOf(t, "ada", time.Hour)}})
	expectClosed(t, other, 4429)
	long := dial(t, s, nil)
	long.write(map[string]any{"type": "ping", "payload": map[string]string{"x": strings.Repeat("x", 2000)}})
	expectClosed(t, long, websocket.CloseMessageTooBig)
	for {
		if r := ada.Do(`{ __typename }`, nil); r.Status == http.StatusTooManyRequests {
			break
		}
	}
	want := map[string]float64{
		`acquaint_websocket_closes_total{by="server",code="4429"}`:   1,
		`acquaint_websocket_closes_total{by="server",code="1009"}`:   1,
		`acquaint_http_requests_total{path="/graphql",status="4xx"}`: 2, // the body, the rate
	}
	for _, limit := range []string{
		"tokens", "depth", "complexity", "aliases", "directives", "value_depth", "introspection", "body", "subscriptions", "sockets",
		"message_size", "member_rate",
	} {
		want[fmt.Sprintf("acquaint_limit_hits_total{limit=%q}", limit)] = 1
	}
	want[`acquaint_limit_hits_total{limit="address_rate"}`] = 0
	s.AwaitMetrics(t, want)
}

func expectClosed(t *testing.T, w *wire, code int) {
	t.Helper()
	for {
		_, _, err := w.ws.ReadMessage()
		if err == nil {
			continue
		}
		if !websocket.IsCloseError(err, code) {
			t.Errorf("closed with %v, want %d", err, code)
		}
		return
	}
}

// Whatever clients make up, the metrics have no series for it, and nothing of theirs in them.
func TestMetricsStayFew(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t), apptest.WithMetrics)
	ada := s.As(t, "ada")
	madeUp := func(n int) {
		name := fmt.Sprintf("madeUp%d", n)
		ada.Do(fmt.Sprintf(`query %s { %s: member(handle: %q) { id } }`, name, name, name), nil)
		ada.Do(fmt.Sprintf(`query %s { %s }`, name, name), nil)
		ada.Do(fmt.Sprintf(`query %s { viewer { id } } { `, name), nil)
		ada.Post(fmt.Appendf(nil, `{"query":"{ viewer { id } }","operationName":%q,"extensions":{"code":%q}}`, name, name))
		request, err := http.NewRequest(name, s.URL+"/"+name, bytes.NewReader(nil))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		w := dial(t, s, nil)
		_ = w.ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4600+n, name))
		expectClosed(t, w, 4600+n)
	}
	const others = 20
	requests := func(n float64) map[string]float64 { // of each, four are over HTTP and one is a socket's
		return map[string]float64{
			`acquaint_http_requests_total{path="/graphql",status="1xx"}`:                  n,
			`acquaint_websocket_closes_total{by="client",code="other"}`:                   n,
			`acquaint_http_requests_total{path="other",status="4xx"}`:                     n,
			`acquaint_operations_total{operation="member",outcome="ok",transport="http"}`: n,
		}
	}
	madeUp(0)
	s.AwaitMetrics(t, requests(1))
	before := s.Metrics(t)
	for n := range others {
		madeUp(1 + n)
	}
	s.AwaitMetrics(t, requests(1+others))
	after := s.MetricsText(t)
	if strings.Contains(after, "madeUp") {
		t.Error("the metrics have what a client made up")
	}
	for series := range s.Metrics(t) {
		// The periodic tasks, whose first runs may come in between, are no client's.
		if _, was := before[series]; !was && strings.HasPrefix(series, "acquaint_") && !strings.HasPrefix(series, "acquaint_task_") {
			t.Errorf("%s is new", series)
		}
	}
}
