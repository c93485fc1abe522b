package app

import (
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metricsServer serves Prometheus metrics and pprof on an address of its own, for operators.
type metricsServer struct {
	http     http.Server
	listener net.Listener
}

const metricsHeaderTimeout = 10 * time.Second

func newMetricsServer(address string, a *App) (*metricsServer, error) {
	listener, err := net.Listen("tcp", address) //nolint:noctx // local, and at once
	if err != nil {
		return nil, fmt.Errorf("--metrics-listen: %w", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		a.store.Metrics(),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "acquaint_websocket_connections", Help: "Open websockets.",
		}, func() float64 { return float64(a.server.Sockets()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "acquaint_broker_connected", Help: "1 while hints pass between this node and others.",
		}, func() float64 {
			if a.broker.Connected() {
				return 1
			}
			return 0
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "acquaint_subscriptions", Help: "Open subscriptions.",
		}, func() float64 { return float64(a.inboxes.Listening() + a.feeds.Listening()) }),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	m := &metricsServer{listener: listener}
	m.http.Handler, m.http.ReadHeaderTimeout = mux, metricsHeaderTimeout
	go m.http.Serve(listener) //nolint:errcheck // ends with Close
	return m, nil
}

// Close ends it.
func (m *metricsServer) Close() error { return m.http.Close() }
