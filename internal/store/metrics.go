package store

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics tells of the pools of connections, acquaint, and acquaint_groups for what runs in groups; and how many use cases
// wait for a group, as those do before one asks for a connection.
func (s *Store) Metrics() []prometheus.Collector {
	out := []prometheus.Collector{
		collectors.NewDBStatsCollector(s.db, "acquaint"),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "acquaint_group_waiting", Help: "Invitations and answers that wait for a common transaction.",
		}, func() float64 { return float64(s.groups.length()) }),
	}
	if s.groups != nil {
		out = append(out, collectors.NewDBStatsCollector(s.groups.pool.db, "acquaint_groups"))
	}
	return out
}

// length is how many wait; nobody does where there are no groups.
func (g *groups) length() int {
	if g == nil {
		return 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}
