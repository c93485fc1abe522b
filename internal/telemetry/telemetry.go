package telemetry

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/acquaint/acquaint/graph"
)

// Options are what a Telemetry is made of.
type Options struct {
	// TracesURL is where spans are sent by OTLP over HTTP, as in http://127.0.0.1:4318/v1/traces; "" for no tracing.
	TracesURL string
	Log       *slog.Logger
}

// Telemetry is what a server tells of itself. It is made before the rest of the server, and closed after it.
type Telemetry struct {
	// Registry has the metrics.
	Registry *prometheus.Registry

	log     *slog.Logger
	tracing *tracing // nil when off
	metrics metrics
}

var _ graph.Observer = (*Telemetry)(nil)

// New makes a Telemetry.
func New(ctx context.Context, options Options) (*Telemetry, error) {
	t := &Telemetry{Registry: prometheus.NewRegistry(), log: options.Log, metrics: newMetrics()}
	t.Registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector(),
	)
	t.metrics.register(t.Registry)
	if options.TracesURL == "" {
		return t, nil
	}
	var err error
	t.tracing, err = newTracing(ctx, options.TracesURL, options.Log, t.metrics.exportFailures)
	return t, err
}

// closeTimeout is how long the end of the server waits for the last spans to be sent.
const closeTimeout = 3 * time.Second

// Close sends what spans are left.
func (t *Telemetry) Close() {
	if t.tracing != nil {
		t.tracing.close()
	}
}
