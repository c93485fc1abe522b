package telemetry

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// tracing makes spans and sends them.
type tracing struct {
	tracer   trace.Tracer
	provider *sdktrace.TracerProvider
	exporter *exporter
}

// How long a batch of spans may take to be sent, and between tries; then it is lost.
const (
	exportTimeout = 10 * time.Second
	exportFirst   = time.Second
	exportMost    = 3 * time.Second
)

// newTracing sends spans to an address. Which are sampled, and what else the exporter does, the standard OTEL_ variables
// of the environment say.
func newTracing(ctx context.Context, url string, log *slog.Logger, failures prometheus.Counter) (*tracing, error) {
	otlp, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(url), otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
		Enabled: true, InitialInterval: exportFirst, MaxInterval: exportMost, MaxElapsedTime: exportTimeout,
	}))
	if err != nil {
		return nil, err
	}
	own := []attribute.KeyValue{attribute.String("service.name", "acquaint")}
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Version != "" {
		own = append(own, attribute.String("service.version", build.Main.Version))
	}
	about, err := resource.New(ctx, resource.WithAttributes(own...), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil { // what could be made out is there all the same
		log.WarnContext(ctx, "the environment's OTEL_RESOURCE_ATTRIBUTES are not as they should be", "error", err)
	}
	t := &tracing{exporter: &exporter{SpanExporter: otlp, log: log, failures: failures}}
	t.provider = sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(t.exporter, sdktrace.WithExportTimeout(exportTimeout)), sdktrace.WithResource(about),
	)
	t.tracer = t.provider.Tracer("github.com/acquaint/acquaint")
	return t, nil
}

// close sends what is left, for a while.
func (t *tracing) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if t.provider.Shutdown(ctx) != nil {
		t.exporter.close(ctx)
	}
}

// Trace observes the statements of operations; nil when tracing is off. Statements of nobody's, such as those that read
// for many subscriptions at once, are in no trace.
func (t *Telemetry) Trace() func(ctx context.Context, query string) (context.Context, func(error)) {
	if t.tracing == nil {
		return nil
	}
	return func(ctx context.Context, query string) (context.Context, func(error)) {
		if !trace.SpanFromContext(ctx).IsRecording() {
			return ctx, func(error) {}
		}
		//nolint:spancheck // ended by what is given
		ctx, span := t.tracing.tracer.Start(ctx, verbOf(query), trace.WithSpanKind(trace.SpanKindClient),
			trace.WithAttributes(attribute.String("db.query.text", cut(query))))
		return ctx, func(err error) { //nolint:spancheck // likewise
			if err != nil { // what it says may quote a value
				span.SetStatus(codes.Error, "")
			}
			span.End()
		}
	}
}

// queryMax is how much of a statement's text a span has, in bytes.
const queryMax = 2048

func cut(query string) string { return query[:min(len(query), queryMax)] }

// verbOf is the first word of a statement.
func verbOf(query string) string {
	start := 0
	for start < len(query) && (query[start] < 'A' || query[start] > 'z') {
		start++
	}
	end := start
	for end < len(query) && query[end] >= 'A' && query[end] <= 'z' {
		end++
	}
	return query[start:end]
}

// exporter sends spans, and says once in a while that it cannot.
type exporter struct {
	sdktrace.SpanExporter

	log      *slog.Logger
	failures prometheus.Counter

	mu      sync.Mutex
	silent  time.Time // until when nothing is said
	missed  int       // batches, since something was said
	closed  bool
	sending sync.WaitGroup
}

// complainEvery is how often the log has that spans cannot be sent.
const complainEvery = time.Minute

// ExportSpans implements sdktrace.SpanExporter.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if !e.begin() {
		return nil
	}
	defer e.sending.Done()
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		return nil
	}
	e.failures.Inc()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.missed++
	if now := time.Now(); now.After(e.silent) {
		e.log.WarnContext(ctx, "cannot send spans; they are lost", "error", err, "batches", e.missed)
		e.silent, e.missed = now.Add(complainEvery), 0
	}
	return nil // else the SDK would say so each time
}

func (e *exporter) begin() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.sending.Add(1)
	}
	return !e.closed
}

// close gives up what is being sent, and waits until nothing is.
func (e *exporter) close(ctx context.Context) {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	_ = e.Shutdown(ctx)
	e.sending.Wait()
}
