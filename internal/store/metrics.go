package store

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics tells of the pools of connections: acquaint, and acquaint_groups for what runs in groups.
func (s *Store) Metrics() []prometheus.Collector {
	out := []prometheus.Collector{collectors.NewDBStatsCollector(s.db, "acquaint")}
	if s.groups != nil {
		out = append(out, collectors.NewDBStatsCollector(s.groups.pool.db, "acquaint_groups"))
	}
	return out
}
