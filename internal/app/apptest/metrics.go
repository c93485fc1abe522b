package apptest

import (
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
)

// WithMetrics has a server show its metrics.
func WithMetrics(config *app.Config) { config.MetricsListen = "127.0.0.1:0" }

// MetricsText is what the server's metrics say, as Prometheus reads it.
func (s *Server) MetricsText(t testing.TB) string {
	t.Helper()
	answer, err := http.Get(s.app.MetricsURL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("the metrics are %d %s, %v", answer.StatusCode, text, err)
	}
	return string(text)
}

// Metrics are the server's metrics, by name and labels, as in acquaint_limit_hits_total{limit="depth"}.
func (s *Server) Metrics(t testing.TB) map[string]float64 {
	t.Helper()
	out := make(map[string]float64)
	for line := range strings.Lines(s.MetricsText(t)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		end := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(line[end+1:], 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out[line[:end]] = value
	}
	return out
}

// AwaitMetrics waits until metrics have values: a server counts shortly after it has answered.
func (s *Server) AwaitMetrics(t testing.TB, want map[string]float64) {
	t.Helper()
	for deadline := time.Now().Add(Patience); ; runtime.Gosched() {
		got, wrong := s.Metrics(t), ""
		for series, value := range want {
			if have, is := got[series]; have != value || !is {
				wrong += "\n" + series + " is " + strconv.FormatFloat(have, 'g', -1, 64) + ", want " + strconv.FormatFloat(value, 'g', -1, 64)
			}
		}
		if wrong == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(wrong)
		}
	}
}
