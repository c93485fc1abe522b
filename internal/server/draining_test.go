package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/acquaint/acquaint/graph"
)

// A server that drains says so without asking the database. This goes past the network, as a server that shuts down
// drops what comes over it.
func TestReadyWhileDraining(t *testing.T) {
	t.Parallel()
	asked := 0
	s := New(Options{
		GraphQL: graph.New(&graph.Resolver{}, graph.Options{}), Log: slog.New(slog.DiscardHandler),
		Ready: func(context.Context) error { asked++; return nil },
	})
	get := func(path string) int {
		w := httptest.NewRecorder()
		s.http.Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return w.Code
	}
	if !s.Ready() || asked != 1 {
		t.Errorf("before: not ready, asked %d times", asked)
	}
	asked = 0
	if status := get("/readyz"); status != http.StatusOK || asked != 1 {
		t.Errorf("before: status %d, asked %d times", status, asked)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if status := get("/readyz"); status != http.StatusServiceUnavailable || asked != 1 {
		t.Errorf("while draining: status %d, asked %d times", status, asked)
	}
	if s.Ready() || asked != 1 {
		t.Errorf("while draining: ready, or asked %d times", asked)
	}
	if status := get("/healthz"); status != http.StatusOK {
		t.Errorf("while draining healthz is %d", status)
	}
}
