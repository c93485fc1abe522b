// Package telemetry tells operators what a server does: Prometheus metrics, traces over OTLP, and what log lines have in
// common.
//
//	graph.Observer, server.Options, store.Trace, task.Runner.Observe, notification.Waker  --> counters and spans
//	Stats of hubs and brokers, read when somebody asks                                    --> gauges and counters
//
// The packages that are observed know neither Prometheus nor OpenTelemetry: they have hooks, or count by themselves in
// atomics where a delivery takes microseconds.
//
// Invariants, each a test:
//   - Every label has few values, whatever clients send: operations are named by root fields of the schema.
//   - No member's text, no token and no argument of a statement is in a metric, a span or a log line.
//   - A collector of traces that is away holds up nothing, and the end of the server for seconds at most.
package telemetry
