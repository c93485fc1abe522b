package graphqlhttp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/graphqlhttp"
)

func TestNegotiation(t *testing.T) {
	t.Parallel()
	url := usual(t)
	const none = ""
	for _, c := range []struct {
		what   string
		accept []string
		want   string
	}{
		{"missing", nil, typeJSON},
		{"empty", []string{""}, typeJSON},
		{"anything", []string{"*/*"}, typeJSON},
		{"any application", []string{"application/*"}, typeJSON},
		{"older", []string{typeJSON}, typeJSON},
		{"newer", []string{typeResponse}, typeResponse},
		{"older with charset", []string{typeJSON + "; charset=utf-8"}, typeJSON},
		{"newer with charset", []string{typeResponse + ";charset=UTF-8"}, typeResponse},
		{"any case", []string{"Application/GraphQL-Response+JSON"}, typeResponse},
		{"newer first", []string{typeResponse + ", " + typeJSON}, typeResponse},
		{"older first", []string{typeJSON + ", " + typeResponse}, typeJSON},
		{"newer preferred", []string{typeJSON + ";q=0.8, " + typeResponse}, typeResponse},
		{"older preferred", []string{typeResponse + ";q=0.8, " + typeJSON + ";q=0.9"}, typeJSON},
		{"what clients of GraphQL send", []string{typeResponse + ", " + typeJSON + ";q=0.9"}, typeResponse},
		{"in two headers", []string{typeJSON + ";q=0.1", typeResponse + ";q=0.2"}, typeResponse},
		{"newer named beside anything", []string{"*/*, " + typeResponse}, typeResponse},
		{"newer better than anything", []string{typeResponse + ", */*;q=0.1"}, typeResponse},
		{"what browsers send", []string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, typeJSON},
		{"anything but the older", []string{typeJSON + ";q=0, */*"}, typeResponse},
		{"anything but the newer", []string{"*/*, " + typeResponse + ";q=0"}, typeJSON},
		{"the specific counts, not the first", []string{"*/*;q=1, " + typeJSON + ";q=0.1, " + typeResponse + ";q=0.2"}, typeResponse},
		{"an unknown type beside", []string{"text/plain, " + typeJSON + ";q=0.1"}, typeJSON},
		{"unsupported", []string{"text/html"}, none},
		{"a stream of events", []string{"text/event-stream"}, none},
		{"q=0", []string{typeJSON + ";q=0"}, none},
		{"q=0 for all", []string{"*/*;q=0"}, none},
		{"q=0.000 for both", []string{typeJSON + ";q=0.000, " + typeResponse + ";q=0"}, none},
		{"another charset", []string{typeJSON + "; charset=iso-8859-1"}, none},
		{"another charset, but anything", []string{typeJSON + "; charset=iso-8859-1, */*;q=0.1"}, typeJSON},
		{"no number as q", []string{typeJSON + ";q=high"}, none},
		{"NaN as q", []string{typeResponse + ";q=NaN"}, none},
		{"q out of range", []string{typeJSON + ";q=2"}, none},
		{"nonsense", []string{"/,;;=,"}, none},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			header := []string{}
			for _, a := range c.accept {
				header = append(header, "Accept", a)
			}
			a := post(t, url, `{"query":"{ hello }"}`, header...)
			if c.want == none {
				if a.status != http.StatusNotAcceptable || a.data != "" || a.mediaType != typeJSON {
					t.Fatalf("status %d, %s: %s", a.status, a.mediaType, a.body)
				}
				return
			}
			if a.status != http.StatusOK || a.mediaType != c.want || a.data != `{"hello":"world"}` {
				t.Fatalf("status %d, %s: %s", a.status, a.mediaType, a.body)
			}
		})
	}
}

// What is not acceptable is not executed.
func TestNotAcceptableIsNotExecuted(t *testing.T) {
	t.Parallel()
	a := post(t, usual(t), `{"query":"mutation { change }"}`, "Accept", "text/html")
	if a.status != http.StatusNotAcceptable || a.data != "" || !strings.Contains(a.body, typeJSON) {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	url := usual(t)
	for _, c := range []struct {
		what, body string
		status     int // of the newer media type; it is 200 of the older
		data       string
		errors     int
		code       any
	}{
		{"ok", `{"query":"{ hello }"}`, 200, `{"hello":"world"}`, 0, nil},
		{"mutation", `{"query":"mutation { change }"}`, 200, `{"change":"world"}`, 0, nil},
		{"partial data", `{"query":"{ partial }"}`, 200, `{"partial":null}`, 1, nil},
		{"an error that leaves nothing", `{"query":"{ none }"}`, 200, `null`, 1, nil},
		{"parse error", `{"query":"{ hello"}`, 400, "", 1, "GRAPHQL_PARSE_FAILED"},
		{"no operation", `{"query":"# nothing"}`, 400, "", 1, "GRAPHQL_VALIDATION_FAILED"},
		{"validation error", `{"query":"{ nonsense }"}`, 400, "", 1, "GRAPHQL_VALIDATION_FAILED"},
		{"two validation errors", `{"query":"{ nonsense rubbish }"}`, 400, "", 2, "GRAPHQL_VALIDATION_FAILED"},
		{"unknown operation", `{"query":"query A { hello }","operationName":"B"}`, 400, "", 1, "GRAPHQL_VALIDATION_FAILED"},
		{"which operation", `{"query":"query A { hello } query B { hello }"}`, 400, "", 1, "GRAPHQL_VALIDATION_FAILED"},
		{"variable of the wrong type", `{"query":"query($n: Int) { show(n: $n) }","variables":{"n":"one"}}`, 400, "", 1, "GRAPHQL_VALIDATION_FAILED"},
		{"variable missing", `{"query":"query($n: Int!) { show(n: $n) }"}`, 400, "", 1, "GRAPHQL_VALIDATION_FAILED"},
		{"refused before it ran", `{"query":"{ refused }"}`, 400, "", 1, nil},
		{"forbidden", `{"query":"{ refused(code: \"FORBIDDEN\") }"}`, 403, "", 1, "FORBIDDEN"},
		{"too soon", `{"query":"{ refused(code: \"RATE_LIMITED\") }"}`, 429, "", 1, "RATE_LIMITED"},
		{"not available", `{"query":"{ refused(code: \"UNAVAILABLE\") }"}`, 503, "", 1, "UNAVAILABLE"},
		{"a fault", `{"query":"{ refused(code: \"INTERNAL_SERVER_ERROR\") }"}`, 500, "", 1, "INTERNAL_SERVER_ERROR"},
		{"too complex", `{"query":"{ refused(code: \"COMPLEXITY_LIMIT_EXCEEDED\") }"}`, 400, "", 1, "COMPLEXITY_LIMIT_EXCEEDED"},
	} {
		for mediaType, status := range map[string]int{typeResponse: c.status, typeJSON: 200} {
			t.Run(c.what+" "+mediaType, func(t *testing.T) {
				t.Parallel()
				a := post(t, url, c.body, "Accept", mediaType)
				if a.status != status || a.mediaType != mediaType || a.data != c.data || len(a.errors) != c.errors || a.code != c.code {
					t.Fatalf("status %d, %s, code %v: %s", a.status, a.mediaType, a.code, a.body)
				}
			})
		}
	}
}

func TestSubscriptionIsRefused(t *testing.T) {
	t.Parallel()
	url := usual(t)
	for _, mediaType := range []string{typeJSON, typeResponse} {
		a := post(t, url, `{"query":"subscription { events }"}`, "Accept", mediaType)
		if a.status != http.StatusBadRequest || a.data != "" || !strings.Contains(a.body, "graphql-transport-ws") {
			t.Errorf("status %d: %s", a.status, a.body)
		}
	}
	a := call(t, http.MethodGet, url+"?query=subscription%7Bevents%7D", nil)
	if a.status/100 != 4 || a.data != "" || !strings.Contains(a.body, "graphql-transport-ws") {
		t.Errorf("status %d: %s", a.status, a.body)
	}
}

// A resolver that outlasts the request's time sees its context end, and the client gets an answer.
func TestTimeout(t *testing.T) {
	t.Parallel()
	url := start(t, graphqlhttp.Transport{MaxBody: maxBody, Timeout: 30 * time.Millisecond})
	a := post(t, url, `{"query":"{ wait }"}`, "Accept", typeResponse)
	if len(a.errors) == 0 {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
}

// The time may be over before anything has run: an answer that says so, and no panic.
func TestTimeoutBeforeAnythingRan(t *testing.T) {
	t.Parallel()
	url := start(t, graphqlhttp.Transport{MaxBody: maxBody, Timeout: time.Nanosecond})
	for _, mediaType := range []string{typeJSON, typeResponse} {
		a := post(t, url, `{"query":"{ hello }"}`, "Accept", mediaType)
		if len(a.errors) == 0 || a.data != "" || a.mediaType != mediaType {
			t.Errorf("status %d, %s: %s", a.status, a.mediaType, a.body)
		}
	}
}

// A client that has gone before its operation ran makes no panic.
func TestClientGone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", strings.NewReader(`{"query":"{ hello }"}`))
	request.Header.Set("Content-Type", typeJSON)
	newHandler(t, graphqlhttp.Transport{MaxBody: maxBody, Timeout: time.Minute}).ServeHTTP(httptest.NewRecorder(), request)
}

func TestReject(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]string{"": typeJSON, typeResponse: typeResponse, "text/html": typeJSON} {
		r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		graphqlhttp.Reject(w, r, http.StatusUnauthorized, "UNAUTHENTICATED", `No "token".`)
		if w.Code != http.StatusUnauthorized || !strings.HasPrefix(w.Header().Get("Content-Type"), want+";") ||
			w.Body.String() != `{"errors":[{"message":"No \"token\".","extensions":{"code":"UNAUTHENTICATED"}}]}` {
			t.Errorf("%q: %d %s %s", accept, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
}

func TestSupports(t *testing.T) {
	t.Parallel()
	for upgrade, want := range map[string]bool{"": true, "websocket": false} {
		if got := (graphqlhttp.Transport{}).Supports(&http.Request{Header: http.Header{"Upgrade": {upgrade}}}); got != want {
			t.Errorf("an upgrade to %q: %v", upgrade, got)
		}
	}
}
