package store

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics tells of the pool of connections.
func (s *Store) Metrics() prometheus.Collector {
	return collectors.NewDBStatsCollector(s.db, "acquaint")
}
