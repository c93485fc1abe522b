package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/server"
)

const mediaResponse = "application/graphql-response+json"

// A bad token is 401, and every bad token gets the same answer, which does not say what is wrong with it.
func TestBadToken(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{})
	expired, err := auth.Sign(secret, member.Claims{Subject: "ann"}, "", "", time.Now().Add(-2*time.Hour), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := auth.Sign([]byte(strings.Repeat("x", 32)), member.Claims{Subject: "ann"}, "", "", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]bool{}
	for what, authorization := range map[string]string{
		"expired": "Bearer " + expired, "forged": "Bearer " + forged, "nonsense": "Bearer x.y.z", "no token": "Bearer",
		"another scheme": "Basic YW5uOmFubg==",
	} {
		for _, mediaType := range []string{"application/json", mediaResponse, "text/html"} {
			a := r.query("{ __typename }", "Authorization", authorization, "Accept", mediaType)
			if a.status != http.StatusUnauthorized || a.code != "UNAUTHENTICATED" || a.data != "" {
				t.Errorf("%s: status %d: %s", what, a.status, a.body)
			}
			if challenge := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, "Bearer") {
				t.Errorf("%s: WWW-Authenticate %q", what, challenge)
			}
			if mediaType != "text/html" && !strings.HasPrefix(a.header.Get("Content-Type"), mediaType) {
				t.Errorf("%s: Content-Type %q", what, a.header.Get("Content-Type"))
			}
			bodies[a.body+a.header.Get("WWW-Authenticate")] = true
		}
		// Whatever else is wrong with the request, this comes first.
		if a := call(t, http.MethodGet, r.url+"/graphql", "", "Authorization", authorization); a.status != http.StatusUnauthorized {
			t.Errorf("%s, GET: status %d", what, a.status)
		}
	}
	if len(bodies) != 1 {
		t.Errorf("bad tokens can be told from another: %v", bodies)
	}
	for _, secret := range []string{expired, forged} {
		if strings.Contains(r.log.String(), secret) {
			t.Error("the log holds a token")
		}
	}
}

func TestWithoutToken(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{})
	for _, c := range []struct {
		query string
		good  bool
	}{
		{"{ __typename }", true},
		{"query A { __typename }", true},
		{"{ __schema { queryType { name } } }", true},
		{`{ __type(name: "Member") { name } }`, true},
		{"{ __typename __schema { types { name } } }", true},
		{"mutation { __typename }", true},
		{"{ ...F } fragment F on Query { __typename }", true},
		{"{ viewer { member { id } } }", false},
		{"{ __typename viewer { member { id } } }", false},
		{"{ __typename: viewer { member { id } } }", false},
		{"{ ...F } fragment F on Query { viewer { member { id } } }", false},
		{"{ ... on Query { viewer { member { id } } } }", false},
		{"{ ... { ... { node(id: \"x\") { id } } } }", false},
		{`{ node(id: "x") { id } }`, false},
		{`mutation { inviteMember(input: {memberId: "x"}) { userErrors { code } } }`, false},
	} {
		t.Run(c.query, func(t *testing.T) {
			t.Parallel()
			r := *r
			r.t = t
			for _, mediaType := range []string{"application/json", mediaResponse} {
				a := r.query(c.query, "Accept", mediaType)
				switch {
				case a.status != http.StatusOK:
					t.Errorf("status %d: %s", a.status, a.body)
				case c.good && (a.code != "" || a.data == "null" || a.data == ""):
					t.Errorf("refused: %s", a.body)
				case !c.good && (a.code != "UNAUTHENTICATED" || a.data != "null"):
					t.Errorf("not refused as it should be: %s", a.body)
				}
			}
		})
	}
	// A subscription comes over a socket, which has a viewer always.
	if a := r.query("subscription { invitationReceived { id } }"); a.status != http.StatusBadRequest || a.data != "" {
		t.Errorf("status %d: %s", a.status, a.body)
	}
}

func TestGoodToken(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{})
	const query = "{ viewer { member { id } } }"
	a := r.query(query, "Authorization", "Bearer "+token(t, "ann"))
	if a.status != http.StatusOK || a.code != "" || !strings.Contains(a.data, `"mbr_`) {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	for what, again := range map[string]answer{
		"another token": r.query(query, "Authorization", "bearer "+token(t, "ann")),
		"GET":           call(t, http.MethodGet, r.url+"/graphql?query="+url.QueryEscape(query), "", "Authorization", "Bearer "+token(t, "ann")),
	} {
		if again.status != http.StatusOK || again.data != a.data {
			t.Errorf("%s: status %d: %s", what, again.status, again.body)
		}
	}
	if ben := r.query(query, "Authorization", "Bearer "+token(t, "ben")); ben.data == a.data || ben.code != "" {
		t.Errorf("another subject: %s", ben.body)
	}
}

// When the member cannot be read, the token is not to blame, and nothing of the trouble is told.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{})
	r.store.Close()
	a := r.query("{ __typename }", "Authorization", "Bearer "+token(t, "ann"))
	if a.status != http.StatusServiceUnavailable || a.code != "UNAVAILABLE" || a.data != "" || strings.Contains(a.body, "sql") {
		t.Errorf("status %d: %s", a.status, a.body)
	}
	if request := a.header.Get("X-Request-Id"); !strings.Contains(r.log.String(), request) {
		t.Error("the log does not name the request")
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{})
	for size, status := range map[int]int{1 << 20: http.StatusOK, 1<<20 + 1: http.StatusRequestEntityTooLarge} {
		body := `{"query":"{ __typename }"`
		body += strings.Repeat(" ", size-len(body)-1) + "}"
		if a := call(t, http.MethodPost, r.url+"/graphql", body, "Content-Type", "application/json"); a.status != status {
			t.Errorf("%d bytes: status %d: %.200s", size, a.status, a.body)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{Ready: func(ctx context.Context) error {
		if _, ok := ctx.Deadline(); !ok {
			return errors.New("no deadline")
		}
		return nil
	}})
	for _, path := range []string{"/healthz", "/readyz"} {
		if a := call(t, http.MethodGet, r.url+path, ""); a.status != http.StatusOK || a.body != "ok\n" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: status %d: %s", path, a.status, a.body)
		}
		if a := call(t, http.MethodHead, r.url+path, ""); a.status != http.StatusOK {
			t.Errorf("%s, HEAD: status %d", path, a.status)
		}
		if a := call(t, http.MethodPost, r.url+path, ""); a.status != http.StatusMethodNotAllowed {
			t.Errorf("%s, POST: status %d", path, a.status)
		}
	}
}

func TestNotReady(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{Ready: func(context.Context) error { return errors.New("dial tcp db.internal: refused") }})
	if r.Ready() {
		t.Error("ready")
	}
	a := call(t, http.MethodGet, r.url+"/readyz", "")
	if a.status != http.StatusServiceUnavailable || strings.Contains(a.body, "db.internal") {
		t.Errorf("status %d: %s", a.status, a.body)
	}
	if !strings.Contains(r.log.String(), "db.internal") {
		t.Error("the log does not say why")
	}
	if a := call(t, http.MethodGet, r.url+"/healthz", ""); a.status != http.StatusOK { // it lives
		t.Errorf("healthz: status %d", a.status)
	}
}

// Every request has an id of its own, made by the server whatever the client says.
func TestRequestID(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{})
	seen := map[string]bool{}
	for range 3 {
		for _, a := range []answer{
			r.query("{ __typename }"),
			r.query("{ __typename }", "Authorization", "Bearer x"),
			r.query("{ __typename }", "X-Request-Id", "mine"),
			call(t, http.MethodOptions, r.url+"/graphql", ""),
			call(t, http.MethodPut, r.url+"/graphql", ""),
			call(t, http.MethodGet, r.url+"/healthz", ""),
			call(t, http.MethodGet, r.url+"/nowhere", ""),
		} {
			request := a.header.Get("X-Request-Id")
			if len(request) < 16 || seen[request] || len(a.header.Values("X-Request-Id")) != 1 {
				t.Errorf("X-Request-Id %q", a.header.Values("X-Request-Id"))
			}
			seen[request] = true
		}
	}
}

// What goes wrong inside bears the id of its request, in the response and in the log, and nothing else.
func TestRequestIDOfErrors(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{})
	who := "Bearer " + token(t, "ann")
	if a := r.query("{ viewer { member { id } } }", "Authorization", who); a.code != "" { // now the token is known
		t.Fatal(a.body)
	}
	r.store.Close()
	a := r.query("{ viewer { member { id } } }", "Authorization", who)
	request := a.header.Get("X-Request-Id")
	if a.code != "INTERNAL_SERVER_ERROR" || !strings.Contains(a.body, fmt.Sprintf(`"requestId":%q`, request)) || strings.Contains(a.body, "sql") {
		t.Errorf("request %s: %s", request, a.body)
	}
	if !strings.Contains(r.log.String(), request) {
		t.Error("the log does not name the request")
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "the page %s", r.URL.Path) })
	with, without := start(t, server.Options{Pages: pages}), start(t, server.Options{})
	for _, path := range []string{"/", "/x", "/graphql/"} {
		if a := call(t, http.MethodGet, with.url+path, ""); a.status != http.StatusOK || a.body != "the page "+path {
			t.Errorf("%s: status %d: %s", path, a.status, a.body)
		}
		if a := call(t, http.MethodGet, without.url+path, ""); a.status != http.StatusNotFound {
			t.Errorf("%s without pages: status %d", path, a.status)
		}
	}
}
