package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/acquaint/acquaint/internal/broker"
	"github.com/acquaint/acquaint/internal/realtime"
)

// Sources are the parts of a server that are asked when somebody reads the metrics.
type Sources struct {
	Hubs          map[string]func() realtime.Stats // by the log that each serves
	Subscriptions []string                         // the names that streams may listen under
	Connected     func() bool                      // of the broker
	Broker        func() broker.Stats
	Sockets       func() int
	Ready         func() bool
	Tasks         map[string]time.Duration // how often each is to run
	Pools         []prometheus.Collector
}

// Watch adds the metrics of sources.
func (t *Telemetry) Watch(s Sources) {
	t.Registry.MustRegister(s.Pools...)
	t.Registry.MustRegister(watcher{s})
	for name := range s.Tasks {
		for _, outcome := range []string{"ok", "failed"} {
			t.metrics.taskRuns.WithLabelValues(name, outcome)
		}
	}
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// What a watcher gives.
var (
	ready         = describe("acquaint_ready", "1 while the node is ready, as /readyz says; asked when the metrics are read.")
	sockets       = describe("acquaint_websocket_connections", "Open websockets.")
	subscriptions = describe("acquaint_subscriptions", "Open subscriptions, by root field.", "operation")
	deliveries    = describe("acquaint_realtime_deliveries_total", "Entries of a log that were given to subscriptions.", "log")
	undelivered   = describe("acquaint_realtime_delivery_failures_total", "Deliveries that failed, and are tried again.", "log")
	lags          = describe("acquaint_realtime_lag_seconds",
		"From the writing of an entry to the end of its delivery, of those written while the subscription was open.", "log")
	reads = describe("acquaint_realtime_reads_total",
		"Pages read for subscriptions, by why: opening, hint, sweep, reconnect, more, retry, pause.", "log", "reason")
	statements = describe("acquaint_realtime_read_statements_total", "Statements that read pages, each for many subscriptions.", "log")
	sweeps     = describe("acquaint_realtime_sweeps_total", "Looks for lost hints, by the timer or after the broker was connected again.",
		"log", "reason")
	waiting   = describe("acquaint_realtime_waiting_subscriptions", "Subscriptions that wait to be read for.", "log")
	connected = describe("acquaint_broker_connected", "1 while hints pass between this node and others.")
	rejoined  = describe("acquaint_broker_reconnects_total", "How often the broker's connection was made again.")
	sent      = describe("acquaint_broker_hints_sent_total", "Hints sent to other nodes.")
	received  = describe("acquaint_broker_hints_received_total", "Hints received from other nodes.")
	lost      = describe("acquaint_broker_hints_lost_total", "Hints that could not be sent; the sweep makes up for them.")
	unsent    = describe("acquaint_broker_send_failures_total", "Messages of hints that could not be sent.")
	intervals = describe("acquaint_task_interval_seconds", "How often the task is to run, on some node.", "task")
)

// watcher collects from sources.
type watcher struct{ sources Sources }

// Describe implements prometheus.Collector.
func (watcher) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		ready, sockets, subscriptions, deliveries, undelivered, lags, reads, statements, sweeps, waiting, connected, rejoined, sent, received, lost,
		unsent, intervals,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (w watcher) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	flag := func(d *prometheus.Desc, on bool) {
		if on {
			gauge(d, 1)
		} else {
			gauge(d, 0)
		}
	}
	flag(ready, w.sources.Ready())
	gauge(sockets, float64(w.sources.Sockets()))
	open := make(map[string]int)
	for _, name := range w.sources.Subscriptions {
		open[name] = 0
	}
	for log, stats := range w.sources.Hubs {
		s := stats()
		for name, n := range s.Listening {
			if _, known := open[name]; !known {
				name = "other"
			}
			open[name] += n
		}
		count(deliveries, s.Delivered, log)
		count(undelivered, s.Failures, log)
		count(statements, s.Statements, log)
		gauge(waiting, float64(s.Waiting), log)
		for reason, n := range s.Reads {
			count(reads, n, log, reason)
		}
		for reason, n := range s.Sweeps {
			count(sweeps, n, log, reason)
		}
		to <- histogram(s.Lag, log)
	}
	for name, n := range open {
		gauge(subscriptions, float64(n), name)
	}
	flag(connected, w.sources.Connected())
	b := w.sources.Broker()
	count(rejoined, b.Reconnects)
	count(sent, b.Sent)
	count(received, b.Received)
	count(lost, b.Lost)
	count(unsent, b.Failures)
	for name, every := range w.sources.Tasks {
		gauge(intervals, every.Seconds(), name)
	}
}

// histogram makes Prometheus's of a hub's, whose buckets do not hold those below.
func histogram(lag realtime.Lag, labels ...string) prometheus.Metric {
	bounds := realtime.LagBounds()
	buckets := make(map[float64]uint64, len(bounds))
	all := uint64(0)
	for i, n := range lag.Counts {
		all += n
		if i < len(bounds) {
			buckets[bounds[i].Seconds()] = all
		}
	}
	return prometheus.MustNewConstHistogram(lags, all, lag.Sum.Seconds(), buckets, labels...)
}
