package telemetry

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/acquaint/acquaint/graph"
)

// LimitBody is the limit of the bytes of a request, as Limited would be told of it.
const LimitBody = "body"

// graphqlPath is the path of the API; requests of others are in no trace.
const graphqlPath = "/graphql"

// paths are those that are told apart: clients may ask for any.
var paths = map[string]string{graphqlPath: graphqlPath, "/healthz": "/healthz", "/readyz": "/readyz", "/": "/"}

// methods likewise.
var methods = map[string]bool{http.MethodGet: true, http.MethodHead: true, http.MethodPost: true, http.MethodOptions: true}

// Around observes the requests that next answers.
func (t *Telemetry) Around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := &observation{start: time.Now(), path: "other", method: "other", w: answer{ResponseWriter: w}}
		if known, ok := paths[r.URL.Path]; ok {
			o.path = known
		}
		if methods[r.Method] {
			o.method = r.Method
		}
		if t.tracing != nil && o.path == graphqlPath {
			ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
			//nolint:spancheck // ended where the request is answered
			ctx, o.span = t.tracing.tracer.Start(ctx, o.method+" "+o.path, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
				attribute.String("http.request.method", o.method), attribute.String("http.route", o.path),
				attribute.String("acquaint.request_id", graph.RequestIDOf(ctx)),
			))
			r = r.WithContext(ctx)
		}
		t.metrics.inFlight.Inc()
		defer func() { // also when it panics, which net/http deals with
			t.metrics.inFlight.Dec()
			t.answered(r, o)
		}()
		next.ServeHTTP(&o.w, r)
		o.finished = true
	})
}

// observation is what is known of one request.
type observation struct {
	start        time.Time
	path, method string
	span         trace.Span // nil for none
	w            answer
	finished     bool
}

func (o *observation) status(request *graph.Request) int {
	switch {
	case o.w.status != 0:
		return o.w.status
	case !o.finished:
		return http.StatusInternalServerError
	case request != nil && request.Transport == graph.OverWebSocket && o.path == graphqlPath: // who takes the connection writes no status
		return http.StatusSwitchingProtocols
	}
	return http.StatusOK
}

// answered counts a request, and logs it. Only what is slow shows at the usual level: what fails is logged where it does.
func (t *Telemetry) answered(r *http.Request, o *observation) {
	request, took := graph.RequestOf(r.Context()), time.Since(o.start)
	status := o.status(request)
	t.metrics.requests.WithLabelValues(o.path, strconv.Itoa(status/100)+"xx").Inc()
	if status == http.StatusRequestEntityTooLarge {
		t.Limited(LimitBody)
	}
	if o.span != nil {
		o.span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			o.span.SetStatus(codes.Error, "")
		}
		o.span.End()
	}
	attributes := []slog.Attr{
		slog.String("method", o.method), slog.String("path", o.path), slog.Int("status", status), slog.Int64("bytes", o.w.bytes),
		slog.Duration("duration", took),
	}
	level, message := slog.LevelDebug, "request"
	if request != nil && request.Operation != "" {
		attributes = append(attributes, slog.String("operation", request.Operation), slog.String("outcome", request.Outcome))
	}
	if took > slow && (request == nil || !request.Subscription) { // a stream of events lasts for as long as its client wants
		level, message = slog.LevelWarn, "slow request"
	}
	t.log.LogAttrs(r.Context(), level, message, attributes...)
}

// answer notes what is answered.
type answer struct {
	http.ResponseWriter

	status int
	bytes  int64
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(p)
	a.bytes += int64(n)
	return n, err
}
