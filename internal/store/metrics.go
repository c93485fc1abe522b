package store

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics tells of the pools of connections: acquaint, and acquaint_groups for what runs in groups.
func (s *Store) Metrics() []prometheus.Collector {
	out := make([]prometheus.Collector, len(s.drivers))
	for i, name := range []string{"acquaint", "acquaint_groups"}[:len(s.drivers)] {
		out[i] = collectors.NewDBStatsCollector(s.drivers[i].db, name)
	}
	return out
}
