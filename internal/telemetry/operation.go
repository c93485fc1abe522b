package telemetry

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/acquaint/acquaint/graph"
)

// slow is how long a request or an operation takes that operators should know of.
const slow = time.Second

// Begin implements graph.Observer.
func (t *Telemetry) Begin(ctx context.Context, op graph.Operation) (_ context.Context, end func(outcome string)) {
	var span trace.Span
	if t.tracing != nil {
		ctx, span = t.tracing.tracer.Start(ctx, op.Field, trace.WithTimestamp(op.Start), trace.WithAttributes(
			attribute.String("graphql.operation.type", op.Kind), attribute.String("graphql.operation.name", op.Name),
			attribute.String("acquaint.transport", string(op.Transport)),
		))
	}
	return ctx, func(outcome string) {
		took := time.Since(op.Start)
		t.metrics.operations.WithLabelValues(op.Field, string(op.Transport), outcome).Inc()
		t.metrics.operationTimes.WithLabelValues(op.Field, string(op.Transport)).Observe(took.Seconds())
		if span != nil {
			span.SetAttributes(attribute.String("acquaint.outcome", outcome))
			if failed(outcome) {
				span.SetStatus(codes.Error, outcome)
			}
			span.End()
		}
		if op.Transport == graph.OverWebSocket { // of others, the request is logged
			t.logOperation(ctx, op.Field, outcome, took)
		}
	}
}

// Refused implements graph.Observer.
func (t *Telemetry) Refused(ctx context.Context, transport graph.Transport, outcome string, took time.Duration) {
	t.metrics.operations.WithLabelValues(graph.OtherFields, string(transport), outcome).Inc()
	t.metrics.operationTimes.WithLabelValues(graph.OtherFields, string(transport)).Observe(took.Seconds())
	if t.tracing != nil {
		trace.SpanFromContext(ctx).SetAttributes(attribute.String("acquaint.outcome", outcome))
	}
	if transport == graph.OverWebSocket {
		t.logOperation(ctx, graph.OtherFields, outcome, took)
	}
}

func (t *Telemetry) logOperation(ctx context.Context, field, outcome string, took time.Duration) {
	level, message := slog.LevelDebug, "operation"
	if took > slow {
		level, message = slog.LevelWarn, "slow operation"
	}
	t.log.Log(ctx, level, message, "operation", field, "outcome", outcome, "duration", took)
}

// failed reports whether an outcome is a fault of ours, and no refusal.
func failed(outcome string) bool {
	return outcome == graph.CodeInternal || outcome == graph.CodeUnavailable
}
