package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// Past a limit of documents there is a clear error, over each transport; and the server goes on.
func TestDocumentLimits(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t))
	ada, token := s.As(t, "ada"), tokenOf(t, "ada", time.Hour)
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	const pages = `query($n: Int) { viewer { connections(first: $n) { nodes { mutualConnections(first: $n) { nodes { id } } } } } }`
	const deep = `{ viewer { member { relationship { invitation { sender { relationship { invitation { sender { relationship { invitation { sender { relationship { invitation { sender { %s } } } } } } } } } } } } } } }`
	const tooMuch = "COMPLEXITY_LIMIT_EXCEEDED"
	for _, c := range []struct {
		what, query, variables string
		code                   string
		says                   string
	}{
		{"15 levels", fmt.Sprintf(deep, "id"), "", "", ""},
		{"16 levels", fmt.Sprintf(deep, "relationship { id }"), "", tooMuch, "levels"},
		{"a small page", pages, `{"n":10}`, "", ""},
		{"large pages", pages, `{"n":100}`, tooMuch, "complexity"},
		{"large pages by default", strings.Replace(pages, "$n: Int", "$n: Int = 100", 1), "", tooMuch, "complexity"},
		{"a default that is too large, unused", strings.Replace(pages, "$n: Int", "$n: Int = 100", 1), `{"n":3}`, "", ""},
		{"null pages", pages, `{"n":null}`, "", ""},
		{"30 aliases", "{" + many(30, " a%d: __typename") + "}", "", "", ""},
		{"31 aliases", "{" + many(31, " a%d: __typename") + "}", "", tooMuch, "aliases"},
		{"200 directives", "{ viewer { id" + strings.Repeat(" @include(if: true)", 200) + " } }", "", "GRAPHQL_VALIDATION_FAILED", ""},
		{"201 directives", "{ viewer { id" + strings.Repeat(" @include(if: true)", 201) + " } }", "", tooMuch, "directives"},
		{"many tokens", "{ viewer { " + strings.Repeat("id ", 5000) + "} }", "", tooMuch, "tokens"},
		{"deep beyond any stack", strings.Repeat("{a", 10_000), "", tooMuch, "tokens"},
	} {
		variables := apptest.Vars{}
		if c.variables != "" {
			if err := json.Unmarshal([]byte(c.variables), &variables); err != nil {
				t.Fatal(err)
			}
		}
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			good := func(where, code, all string) {
				if code != c.code || c.says != "" && !strings.Contains(all, c.says) {
					t.Errorf("%s: %s %.500s", where, code, all)
				}
			}
			for range 2 { // the second time, good ones are cached
				r := ada.Do(c.query, variables)
				good("HTTP", r.Code(), string(r.Raw))
				if c.code != "" && r.Data != nil {
					t.Errorf("data beside a refusal: %s", r.Data)
				}
			}
			w := dial(t, s, nil)
			w.init(token)
			_, code := w.ask("1", map[string]any{"query": c.query, "variables": variables})
			good("socket", code, c.says)
			if data, code := w.ask("2", map[string]any{"query": askHandle}); code != "" {
				t.Errorf("the socket goes on with %s, %s", data, code)
			}
			w.ws.Close()
		})
	}
}

// Whatever a variable looks like, a page is counted as large as it is taken to be: a number that was not counted must be
// refused, not used.
func TestComplexityOfOddNumbers(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t))
	ada := s.As(t, "ada")
	const pages = `query($n: Int) { viewer { connections(first: $n) { nodes { mutualConnections(first: $n) { nodes { id } } } } } }`
	for _, n := range []string{`"100"`, `1e2`, `100.0`, `1.0e2`, `[100]`, `{"n":100}`, `true`, `" 100"`, `"0x64"`, `-1`, `101`, `1e400`, `99999999999999999999`, `0100`} {
		body := fmt.Sprintf(`{"query":%q,"variables":{"n":%s}}`, pages, n)
		r := ada.Post([]byte(body))
		if len(r.Errors) == 0 || r.Code() == "INTERNAL_SERVER_ERROR" {
			t.Errorf("%s gave %s", n, r.Raw)
		}
	}
}

// A body over the limit is 413 for its sender, and nothing for others.
func TestBodyLimit(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t), func(c *app.Config) { c.Limits.Body = 1000 })
	ada := s.As(t, "ada")
	if r := ada.Post([]byte(`{"query":"` + strings.Repeat(" ", 1000) + `"}`)); r.Status != http.StatusRequestEntityTooLarge || r.Code() != "BAD_USER_INPUT" {
		t.Errorf("status %d: %s", r.Status, r.Raw)
	}
	if r := ada.Do(askHandle, nil); r.Code() != "" {
		t.Errorf("after that: %s", r.Raw)
	}
}

// 10 sockets and 20 subscriptions a member, over all its sockets; each comes back when one ends.
func TestSocketLimits(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t))
	token := tokenOf(t, "ada", time.Hour)
	s.As(t, "ada")
	var open []*wire
	for range 10 {
		w := dial(t, s, nil)
		w.init(token)
		open = append(open, w)
	}
	late := dial(t, s, nil)
	late.write(map[string]any{"type": "connection_init", "payload": map[string]string{"Authorization": "Bearer " + token}})
	if _, _, err := late.ws.ReadMessage(); err == nil || !strings.Contains(err.Error(), "4429") {
		t.Errorf("the 11th socket: %v", err)
	}
	subscribe := func(w *wire, id string) (code string) {
		w.write(map[string]any{"type": "subscribe", "id": id, "payload": map[string]any{"query": subscribeNotifications}})
		w.write(map[string]any{"type": "ping"})
		for {
			m := w.read()
			if m.Type == "pong" {
				return code
			}
			if m.Type == "error" && m.ID == id && strings.Contains(string(m.Payload), "RATE_LIMITED") {
				code = "RATE_LIMITED"
			}
		}
	}
	for i := range 20 {
		if code := subscribe(open[i%10], fmt.Sprint(i)); code != "" {
			t.Fatalf("subscription %d: %s", i, code)
		}
	}
	for _, w := range open[:2] {
		if code := subscribe(w, "late"); code != "RATE_LIMITED" {
			t.Errorf("the 21st subscription: %q", code)
		}
	}
	open[3].write(map[string]any{"type": "complete", "id": "3"})
	open[3].write(map[string]any{"type": "ping"})
	open[3].read()
	if code := subscribe(open[4], "again"); code != "" {
		t.Errorf("after one has ended: %s", code)
	}
	if code := subscribe(open[5], "late"); code != "RATE_LIMITED" {
		t.Errorf("and one more: %q", code)
	}
	other := s.As(t, "ben").Connect()
	other.Subscribe(subscribeNotifications, nil)
}
