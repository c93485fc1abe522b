package main

import (
	"fmt"
	"strconv"

	"github.com/acquaint/acquaint/bench/internal/harness"
)

// report puts all sizes side by side.
func report(results []*result, s *settings) *harness.Report {
	r := &harness.Report{
		Name: "network", Title: "How cost grows with the network",
		About: fmt.Sprintf("Over HTTP, one request at a time, on a warm database. Milliseconds; p50 and p99 of %d requests, medians of %d runs. "+
			"*In the store* is the call of internal/store alone, without HTTP, GraphQL and the token.", s.samples, s.runs),
	}
	networks := harness.Table{Title: "The networks", Head: []string{"members", "what there is", "loaded in", "on disk"}}
	for _, x := range results {
		networks.Rows = append(networks.Rows, []string{
			harness.Number(float64(x.members)), x.describe, fmt.Sprintf("%.0f s", x.loading.Seconds()),
			fmt.Sprintf("%.2f GB", float64(x.bytes)/(1<<30)), //nolint:mnd // bytes of a GB
		})
	}
	r.Tables = append(r.Tables, networks)
	over := harness.Table{Title: "Over HTTP, p50 / p99", Head: []string{""}}
	alone := harness.Table{Title: "In the store, p50 / p99", Head: []string{""}}
	memory := harness.Table{Title: "Memory of the server afterwards, MB resident", Head: []string{""}}
	for _, t := range []*harness.Table{&over, &alone, &memory} {
		for _, x := range results {
			t.Head = append(t.Head, harness.Number(float64(x.members)))
		}
	}
	over.Head = append(over.Head, "aim")
	charts := []*harness.Chart{
		{Name: "network-lists", Title: "Lists and invitations: p50 over HTTP by size", X: "members", Y: "ms"},
		{Name: "network-nearness", Title: "Mutual connections and degree: p99 over HTTP by size", X: "members", Y: "ms"},
	}
	for _, q := range (&measurement{}).questions() {
		one, inStore, mb, aim := []string{q.name}, []string{q.name}, []string{q.name}, ""
		line50, line99 := harness.Series{Name: q.name}, harness.Series{Name: q.name}
		stored := false
		for _, x := range results {
			c := x.costs[q.name]
			if c == nil {
				one, inStore, mb = append(one, "–"), append(inStore, "–"), append(mb, "–")
				continue
			}
			p50, p99 := harness.Median(c.p50), harness.Median(c.p99)
			one = append(one, both(p50, p99))
			mb = append(mb, fmt.Sprintf("%.0f", harness.Median(c.resident)))
			line50.Points = append(line50.Points, harness.Point{X: float64(x.members), Y: p50})
			line99.Points = append(line99.Points, harness.Point{X: float64(x.members), Y: p99})
			if len(c.storeP50) > 0 {
				stored = true
				inStore = append(inStore, both(harness.Median(c.storeP50), harness.Median(c.storeP99)))
			} else {
				inStore = append(inStore, "–")
			}
		}
		if q.aim > 0 {
			aim = "p99 under " + strconv.FormatFloat(q.aim, 'f', -1, 64)
		}
		over.Rows, memory.Rows = append(over.Rows, append(one, aim)), append(memory.Rows, mb)
		if stored {
			alone.Rows = append(alone.Rows, inStore)
		}
		if q.group == groupMutual || q.group == groupDegree {
			charts[1].Series = append(charts[1].Series, line99)
		} else {
			charts[0].Series = append(charts[0].Series, line50)
		}
	}
	r.Tables = append(r.Tables, over, alone, memory)
	for _, c := range charts {
		r.Charts = append(r.Charts, *c)
	}
	return r
}

func both(p50, p99 float64) string { return fmt.Sprintf("%.2f / %.2f", p50, p99) }
