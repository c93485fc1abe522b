package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// origins tells which pages may call: the server's own, and those allowed.
type origins struct {
	all     bool
	allowed []string
}

func newOrigins(allowed []string) origins {
	o := origins{}
	for _, a := range allowed {
		a = strings.ToLower(strings.TrimRight(a, "/"))
		if a == "*" {
			o.all = true
		}
		o.allowed = append(o.allowed, a)
	}
	return o
}

// allows reports whether the page that the request comes from may call. A request that names no origin is from no page.
func (o origins) allows(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || o.all || slices.Contains(o.allowed, strings.ToLower(origin)) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// How long a browser may remember what it was allowed, in seconds.
const preflightAge = "3600"

// cors tells browsers whether the page may read the answer, and answers their asking beforehand. Credentials are
// never allowed: tokens are in a header, which another site cannot set.
func (o origins) cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		w.Header().Add("Vary", "Origin")
		if origin != "" && o.allows(r) {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After, WWW-Authenticate")
		}
		if r.Method != http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Allow", "GET, HEAD, POST, OPTIONS")
		if w.Header().Get("Access-Control-Allow-Origin") != "" {
			w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
			w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, Last-Event-ID")
			w.Header().Set("Access-Control-Max-Age", preflightAge)
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// authorizationOf finds the Authorization in the payload of a connection_init, its key in any case.
func authorizationOf(payload map[string]any) string {
	for key, value := range payload {
		if s, ok := value.(string); ok && strings.EqualFold(key, "Authorization") {
			return s
		}
	}
	return ""
}
