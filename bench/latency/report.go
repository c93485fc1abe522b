package main

import (
	"fmt"

	"github.com/acquaint/acquaint/bench/internal/harness"
)

// aims are what p50 and p99 at low load shall stay below, in milliseconds; 0 for none.
func aims(s setup) figures {
	if s.broker == "" {
		return figures{1.3, 3} //nolint:mnd // milliseconds
	}
	return figures{p50: 5} //nolint:mnd // milliseconds
}

func (f figures) aim() string {
	if f.p99 == 0 {
		return fmt.Sprintf("p50 under %g", f.p50)
	}
	return fmt.Sprintf("p50 under %g, p99 under %g", f.p50, f.p99)
}

func report(s *settings, setups []setup, results map[string][]result, base []baseline) *harness.Report {
	r := &harness.Report{
		Name: "latency", Title: "From the request to the socket",
		About: fmt.Sprintf("From before inviteMember is sent until the frame with the notification is read on the recipient's websocket, one of %d that are open. "+
			"Low load is %d a second, one at a time, %d of them; half is half of the most that %d keep-alive clients reached, each sent when it was due. "+
			"Milliseconds, p50 / p99, medians of %d runs. Clients, servers and database share the machine.", s.recipients, s.rate, s.samples, s.clients, s.runs),
	}
	t := harness.Table{Head: []string{"", "low: socket", "low: HTTP answer", "most a second", "half: socket", "half: HTTP answer", "aim at low load"}}
	writes := medians(base, func(b baseline) figures { return b.writes })
	echo := medians(base, func(b baseline) figures { return b.echo })
	for _, setup := range setups {
		all := results[setup.name]
		most := make([]float64, len(all))
		for i, x := range all {
			most[i] = x.most
		}
		low := medians(all, func(x result) figures { return x.low })
		t.Rows = append(t.Rows, []string{
			setup.name, low.String(), medians(all, func(x result) figures { return x.httpLow }).String(),
			harness.Number(harness.Median(most)),
			medians(all, func(x result) figures { return x.half }).String(), medians(all, func(x result) figures { return x.httpHalf }).String(),
			aims(setup).aim(),
		})
		for _, of := range []struct {
			name           string
			ours, baseline float64
		}{{"p50", low.p50, writes.p50}, {"p99", low.p99, writes.p99}} {
			r.Ratios = append(r.Ratios, harness.Ratio{
				What: "invite to socket, " + setup.name + ", " + of.name, Unit: "ms", Ours: of.ours, Baseline: of.baseline,
				Against: "pgbench, the writes alone, one client", Lower: true, Aim: aims(setup).aim(),
			})
		}
	}
	t.Rows = append(t.Rows,
		[]string{"pgbench: the writes alone, one client", writes.String(), "", "", "", "", ""},
		[]string{"bare gorilla: a frame there and back", echo.String(), "", "", "", "", ""})
	r.Tables = append(r.Tables, t)
	return r
}

func medians[T any](all []T, of func(T) figures) figures {
	p50, p99 := make([]float64, len(all)), make([]float64, len(all))
	for i, x := range all {
		p50[i], p99[i] = of(x).p50, of(x).p99
	}
	return figures{harness.Median(p50), harness.Median(p99)}
}

func (f figures) String() string { return fmt.Sprintf("%.2f / %.2f", f.p50, f.p99) }
