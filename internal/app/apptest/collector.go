package apptest

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/acquaint/acquaint/internal/app"
)

// Collector takes spans as an OpenTelemetry collector does, by OTLP over HTTP.
type Collector struct {
	t   testing.TB
	url string

	mu    sync.Mutex
	raw   bytes.Buffer
	spans []Span
}

// Span is one that was sent.
type Span struct {
	Trace, ID, Parent string // in hexadecimal; Parent is "" for none
	Name              string
	Failed            bool
	Attributes        map[string]string
}

// NewCollector starts a collector, until the test ends.
func NewCollector(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{t: t}
	server := httptest.NewServer(c)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	c.url = server.URL + "/v1/traces"
	return c
}

// Apply has a server send its spans here. They have come when the server has stopped.
func (c *Collector) Apply(config *app.Config) { config.TracesURL = c.url }

// ServeHTTP takes spans.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var request coltracepb.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &request) != nil {
		c.t.Errorf("%s %s is no export of spans: %v", r.Method, r.URL, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw.Write(body)
	for _, resource := range request.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				c.spans = append(c.spans, newSpan(span))
			}
		}
	}
}

func newSpan(from *tracepb.Span) Span {
	s := Span{
		Trace: hex.EncodeToString(from.GetTraceId()), ID: hex.EncodeToString(from.GetSpanId()), Parent: hex.EncodeToString(from.GetParentSpanId()),
		Name: from.GetName(), Failed: from.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR, Attributes: make(map[string]string),
	}
	for _, a := range from.GetAttributes() {
		s.Attributes[a.GetKey()] = a.GetValue().GetStringValue()
	}
	return s
}

// Spans gives those that have come.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Raw is all that has come, byte by byte.
func (c *Collector) Raw() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw.String()
}
