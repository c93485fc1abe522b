package app

import (
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/internal/broker"
	"github.com/acquaint/acquaint/internal/graphqlws"
	"github.com/acquaint/acquaint/internal/realtime"
	"github.com/acquaint/acquaint/internal/server"
	"github.com/acquaint/acquaint/internal/telemetry"
)

// metricsServer serves Prometheus metrics and pprof on an address of its own, for operators.
type metricsServer struct {
	http     http.Server
	listener net.Listener
}

const metricsHeaderTimeout = 10 * time.Second

func newMetricsServer(address string, t *telemetry.Telemetry) (*metricsServer, error) {
	listener, err := net.Listen("tcp", address) //nolint:noctx // local, and at once
	if err != nil {
		return nil, fmt.Errorf("--metrics-listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(t.Registry, promhttp.HandlerOpts{}))
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

// watch has the metrics of what runs.
func (a *App) watch() {
	a.telemetry.Limits(
		graph.LimitTokens, graph.LimitDepth, graph.LimitIntrospection, graph.LimitAliases, graph.LimitComplexity, graph.LimitDirectives,
		graph.LimitValueDepth, server.LimitMemberRate, server.LimitAddressRate, telemetry.LimitBody, graphqlws.LimitMessageSize,
		graphqlws.LimitMessageRate, graphqlws.LimitFragments, graphqlws.LimitConnections, graphqlws.LimitOperations, graphqlws.LimitSubscriptions,
	)
	sources := telemetry.Sources{
		Hubs:          map[string]func() realtime.Stats{"inbox": a.inboxes.Stats, "feed": a.feeds.Stats},
		Subscriptions: graph.Subscriptions(),
		Connected:     a.broker.Connected,
		Sockets:       a.server.Sockets,
		Ready:         a.server.Ready,
		Tasks:         make(map[string]time.Duration),
		Pools:         a.store.Metrics(),
		Broker:        func() broker.Stats { return broker.Stats{} },
	}
	if counting, ok := a.broker.(interface{ Stats() broker.Stats }); ok {
		sources.Broker = counting.Stats
	}
	for _, t := range a.tasks() {
		sources.Tasks[t.Name] = t.Every
	}
	a.telemetry.Watch(sources)
}
