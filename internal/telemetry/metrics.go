package telemetry

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/notification"
)

// durations are the buckets of how long operations take, in seconds: some take a millisecond, and none more than their
// time limit.
var durations = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// metrics are those that are told; what is asked for when somebody reads the metrics is in watch.go.
type metrics struct {
	operations     *prometheus.CounterVec
	operationTimes *prometheus.HistogramVec
	requests       *prometheus.CounterVec
	inFlight       prometheus.Gauge
	socketCloses   *prometheus.CounterVec
	limits         *prometheus.CounterVec
	notifications  map[notification.Category]prometheus.Counter
	feeds          map[feed.Kind]prometheus.Counter
	taskRuns       *prometheus.CounterVec
	taskTimes      *prometheus.GaugeVec
	taskSuccess    *prometheus.GaugeVec
	exportFailures prometheus.Counter

	written []prometheus.Collector
}

func newMetrics() metrics {
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	gauges := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	m := metrics{
		operations: counters("acquaint_operations_total", "GraphQL operations, by root field, transport and what came of them.",
			"operation", "transport", "outcome"),
		operationTimes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "acquaint_operation_duration_seconds", Buckets: durations,
			Help: "How long operations took, from the reading of the document; of a subscription, until it had started.",
		}, []string{"operation", "transport"}),
		requests: counters("acquaint_http_requests_total", "HTTP requests that were answered, by path and class of status.", "path", "status"),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "acquaint_http_requests_in_flight", Help: "HTTP requests being answered; a stream of events is one.",
		}),
		socketCloses: counters("acquaint_websocket_closes_total", "Websockets that ended, by who closed them and the close code.", "by", "code"),
		limits:       counters("acquaint_limit_hits_total", "What was refused because a client ran into a limit.", "limit"),
		taskRuns:     counters("acquaint_task_runs_total", "Runs of periodic tasks on this node.", "task", "outcome"),
		taskTimes:    gauges("acquaint_task_last_duration_seconds", "How long the task's last run on this node took.", "task"),
		taskSuccess: gauges("acquaint_task_last_success_timestamp_seconds",
			"When the task last succeeded on this node, in Unix time; absent until it has.", "task"),
		exportFailures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "acquaint_trace_export_failures_total", Help: "Batches of spans that could not be sent, and are lost.",
		}),
		notifications: make(map[notification.Category]prometheus.Counter),
		feeds:         make(map[feed.Kind]prometheus.Counter),
	}
	notifications := counters("acquaint_notifications_written_total", "Notifications written on this node, by category.", "category")
	for _, c := range notification.Categories() {
		m.notifications[c] = notifications.WithLabelValues(string(c))
	}
	feeds := counters("acquaint_feed_entries_written_total", "Entries of feeds written on this node, by kind.", "kind")
	for _, k := range feed.Kinds() {
		m.feeds[k] = feeds.WithLabelValues(string(k))
	}
	m.written = []prometheus.Collector{notifications, feeds}
	return m
}

func (m *metrics) register(registry *prometheus.Registry) {
	registry.MustRegister(m.operations, m.operationTimes, m.requests, m.inFlight, m.socketCloses, m.limits, m.taskRuns, m.taskTimes,
		m.taskSuccess, m.exportFailures)
	registry.MustRegister(m.written...)
}

// Limits makes the series of limits by their names, so that each is there before it is first hit: a rate of what appears
// with its first hit misses that.
func (t *Telemetry) Limits(names ...string) {
	for _, name := range names {
		t.metrics.limits.WithLabelValues(name)
	}
}

// Limited is told which limit a client ran into.
func (t *Telemetry) Limited(limit string) { t.metrics.limits.WithLabelValues(limit).Inc() }

// The close codes that are told apart; clients may send any other.
var closeCodes = map[int]bool{
	1000: true, 1001: true, 1002: true, 1003: true, 1005: true, 1006: true, 1007: true, 1009: true, 1011: true, 1012: true, 1013: true,
	4400: true, 4401: true, 4403: true, 4406: true, 4408: true, 4409: true, 4429: true, 4499: true, 4500: true,
}

// SocketClosed is told how a websocket ended.
func (t *Telemetry) SocketClosed(byPeer bool, code int) {
	by, label := "server", "other"
	if byPeer {
		by = "client"
	}
	if closeCodes[code] {
		label = strconv.Itoa(code)
	}
	t.metrics.socketCloses.WithLabelValues(by, label).Inc()
}

// Task is told of a run of a periodic task.
func (t *Telemetry) Task(name string, took time.Duration, err error) {
	t.metrics.taskTimes.WithLabelValues(name).Set(took.Seconds())
	if err != nil {
		t.metrics.taskRuns.WithLabelValues(name, "failed").Inc()
		return
	}
	t.metrics.taskRuns.WithLabelValues(name, "ok").Inc()
	t.metrics.taskSuccess.WithLabelValues(name).SetToCurrentTime()
}

// Waker counts what is written to members' logs, and wakes by another.
func (t *Telemetry) Waker(next notification.Waker) notification.Waker { return waker{next, &t.metrics} }

type waker struct {
	next    notification.Waker
	metrics *metrics
}

// Wake implements notification.Waker.
func (w waker) Wake(hints ...notification.Hint) {
	for _, h := range hints {
		switch e := h.Entry.(type) {
		case notification.Notification:
			if c := w.metrics.notifications[e.Category]; c != nil {
				c.Inc()
			}
		case feed.Entry:
			if c := w.metrics.feeds[e.Kind]; c != nil {
				c.Inc()
			}
		}
	}
	w.next.Wake(hints...)
}
