package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"github.com/acquaint/acquaint/graph"
)

// Logger makes a logger that says of what request, operation and trace each line is, as far as its context knows.
func Logger(log *slog.Logger) *slog.Logger { return slog.New(handler{log.Handler()}) }

// handler adds to records what their contexts know.
type handler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, record slog.Record) error {
	said := make(map[string]bool, record.NumAttrs())
	record.Attrs(func(a slog.Attr) bool {
		said[a.Key] = true
		return true
	})
	record = record.Clone()
	add := func(key, value string) {
		if value != "" && !said[key] {
			record.AddAttrs(slog.String(key, value))
		}
	}
	add("requestId", graph.RequestIDOf(ctx))
	add("operation", graph.OperationOf(ctx))
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		add("traceId", span.TraceID().String())
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }
