package telemetry_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/internal/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// collect starts a collector that answers with a status, and counts what it is sent.
func collect(t *testing.T, status int) (url string, batches *atomic.Int64) {
	t.Helper()
	batches = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		batches.Add(1)
		w.WriteHeader(status)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL + "/v1/traces", batches
}

// operate runs an operation that began some time ago.
func operate(tell *telemetry.Telemetry, transport graph.Transport, ago time.Duration) {
	_, end := tell.Begin(context.Background(), graph.Operation{
		Field: "viewer", Kind: "query", Transport: transport, Start: time.Now().Add(-ago),
	})
	end(graph.OutcomeOK)
}

// What is sampled is the environment's to say.
func TestSampler(t *testing.T) {
	for sampler, sent := range map[string]int64{"always_on": 1, "always_off": 0} {
		t.Setenv("OTEL_TRACES_SAMPLER", sampler)
		url, batches := collect(t, http.StatusOK)
		tell, err := telemetry.New(t.Context(), telemetry.Options{TracesURL: url, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		operate(tell, graph.OverHTTP, 0)
		tell.Close()
		if n := batches.Load(); n != sent {
			t.Errorf("%s: %d batches", sampler, n)
		}
	}
}

// A collector that refuses is complained of once in a while, and counted each time.
func TestRefusedSpans(t *testing.T) {
	t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
	url, batches := collect(t, http.StatusBadRequest)
	var log bytes.Buffer
	tell, err := telemetry.New(t.Context(), telemetry.Options{TracesURL: url, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		operate(tell, graph.OverHTTP, 0)
	}
	tell.Close()
	if n := strings.Count(log.String(), "cannot send spans"); n != 1 || batches.Load() != 3 {
		t.Errorf("%d batches were refused, and the log has it %d times", batches.Load(), n)
	}
	if n := value(t, tell.Registry, "acquaint_trace_export_failures_total"); n != 3 {
		t.Errorf("counted %v", n)
	}
}

func value(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Errorf("no %s", name)
	return 0
}

// What takes more than a second is a warning, but for a stream of events, which lasts for as long as its client wants.
func TestSlow(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	tell, err := telemetry.New(t.Context(), telemetry.Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	said := func() string {
		defer log.Reset()
		return log.String()
	}
	operate(tell, graph.OverWebSocket, 2*time.Second)
	if got := said(); !strings.Contains(got, "level=WARN") || !strings.Contains(got, `msg="slow operation" operation=viewer outcome=ok`) {
		t.Errorf("a slow operation: %s", got)
	}
	operate(tell, graph.OverWebSocket, 0)
	if got := said(); !strings.Contains(got, "level=DEBUG msg=operation operation=viewer outcome=ok") {
		t.Errorf("a quick one: %s", got)
	}
	operate(tell, graph.OverHTTP, 2*time.Second)
	if got := said(); got != "" { // the request is logged
		t.Errorf("over HTTP: %s", got)
	}
}

// A line of the log says of which request it is, where its context knows, and says nothing twice.
func TestLogger(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := telemetry.Logger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})))
	ctx := graph.WithRequest(context.Background(), &graph.Request{ID: "R"})
	log.InfoContext(ctx, "one")
	log.With("a", 1).InfoContext(ctx, "two", "requestId", "R")
	log.Info("three")
	want := "level=INFO msg=one requestId=R\nlevel=INFO msg=two a=1 requestId=R\nlevel=INFO msg=three\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}

// The answer of a request that panics is a fault, and the panic goes on.
func TestAroundPanic(t *testing.T) {
	t.Parallel()
	tell, err := telemetry.New(t.Context(), telemetry.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic ended here")
			}
		}()
		tell.Around(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("x") })).
			ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/readyz", nil))
	}()
	families, err := tell.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				found = found || f.GetName() == "acquaint_http_requests_total" && l.GetName() == "status" && l.GetValue() == "5xx"
			}
		}
	}
	if !found {
		t.Error("it is not counted")
	}
}
