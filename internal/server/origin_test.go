package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/internal/server"
)

// Which pages may read answers and open sockets; both are asked alike.
func TestOrigins(t *testing.T) {
	t.Parallel()
	listed := start(t, server.Options{Origins: []string{"https://app.example", "https://Other.example/", "http://localhost:3000"}})
	none := start(t, server.Options{})
	all := start(t, server.Options{Origins: []string{"*"}})
	own := func(r *running) string { return r.url }
	for _, c := range []struct {
		what, origin        string
		listed, none, byAll bool
	}{
		{"no page", "", true, true, true},
		{"listed", "https://app.example", true, false, true},
		{"listed in capitals", "https://other.example", true, false, true},
		{"listed with port", "http://localhost:3000", true, false, true},
		{"own", "own", true, true, true},
		{"another port", "http://localhost:3001", false, false, true},
		{"another scheme", "http://app.example", false, false, true},
		{"a longer name", "https://app.example.evil.example", false, false, true},
		{"a name that ends so", "https://evilapp.example", false, false, true},
		{"a subdomain", "https://x.app.example", false, false, true},
		{"null", "null", false, false, true},
		{"nonsense", "://", false, false, true},
		{"a list", "https://app.example, https://evil.example", false, false, true},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			for r, allowed := range map[*running]bool{listed: c.listed, none: c.none, all: c.byAll} {
				origin := c.origin
				if origin == "own" {
					origin = own(r)
				}
				checkOrigin(t, r, origin, allowed)
			}
		})
	}
}

func checkOrigin(t *testing.T, r *running, origin string, allowed bool) {
	t.Helper()
	header := http.Header{}
	var headers []string
	if origin != "" {
		header.Set("Origin", origin)
		headers = []string{"Origin", origin}
	}
	want := ""
	if allowed {
		want = origin
	}
	// A GraphQL request is answered anyhow; the browser keeps the answer from a page that it is not for.
	rr := *r
	rr.t = t
	for _, a := range []answer{
		rr.query("{ __typename }", headers...),
		rr.query("{ __typename }", append(headers, "Authorization", "Bearer bad")...),
		call(t, http.MethodOptions, r.url+"/graphql", "", append(headers, "Access-Control-Request-Method", "POST")...),
	} {
		if got := a.header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%s for %q: Access-Control-Allow-Origin %q", a.body, origin, got)
		}
		if a.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Error("credentials are allowed")
		}
		if !slices.Contains(a.header.Values("Vary"), "Origin") {
			t.Errorf("Vary is %v", a.header.Values("Vary"))
		}
	}
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: patience}
	conn, response, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(r.url, "http")+"/graphql", header)
	if conn != nil {
		conn.Close()
	}
	if (err == nil) != allowed {
		t.Errorf("a socket for %q: %v", origin, err)
	}
	if err != nil && response.StatusCode != http.StatusForbidden {
		t.Errorf("a socket for %q: status %d", origin, response.StatusCode)
	}
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{Origins: []string{"https://app.example"}})
	preflight := func(origin string, header ...string) answer {
		return call(t, http.MethodOptions, r.url+"/graphql", "", append([]string{
			"Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type",
		}, header...)...)
	}
	a := preflight("https://app.example")
	methods, headers := a.header.Get("Access-Control-Allow-Methods"), strings.ToLower(a.header.Get("Access-Control-Allow-Headers"))
	if a.status/100 != 2 || a.body != "" || !strings.Contains(methods, "POST") || !strings.Contains(headers, "authorization") ||
		!strings.Contains(headers, "content-type") || a.header.Get("Access-Control-Max-Age") == "" {
		t.Errorf("status %d: %v", a.status, a.header)
	}
	for _, name := range []string{"Methods", "Headers", "Origin"} {
		if got := preflight("https://evil.example").header.Get("Access-Control-Allow-" + name); got != "" {
			t.Errorf("a foreign page is allowed %s %q", name, got)
		}
	}
	// A browser asks without the token. Nor does a bad one matter.
	if a := preflight("https://app.example", "Authorization", "Bearer bad"); a.status/100 != 2 {
		t.Errorf("status %d", a.status)
	}
	if a := call(t, http.MethodOptions, r.url+"/graphql", ""); a.status/100 != 2 || !strings.Contains(a.header.Get("Allow"), "POST") {
		t.Errorf("no page: status %d, Allow %q", a.status, a.header.Get("Allow"))
	}
}

// What a page may read of an answer besides the body.
func TestExposedHeaders(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{Origins: []string{"https://app.example"}})
	exposed := r.query("{ __typename }", "Origin", "https://app.example").header.Get("Access-Control-Expose-Headers")
	for _, name := range []string{"X-Request-Id", "WWW-Authenticate"} {
		if !strings.Contains(exposed, name) {
			t.Errorf("%s is not exposed, but %q", name, exposed)
		}
	}
}
