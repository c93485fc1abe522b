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
		return f.aimOf50()
	}
	return fmt.Sprintf("p50 %s, p99 %s", f.aimOf50(), f.aimOf99())
}

func (f figures) aimOf50() string { return fmt.Sprintf("under %g", f.p50) }

func (f figures) aimOf99() string {
	if f.p99 == 0 {
		return ""
	}
	return fmt.Sprintf("under %g", f.p99)
}

func report(s *settings, setups []setup, results map[string][]result, base []baseline) *harness.Report {
	r := &harness.Report{
		Name: "latency", Title: "From the request to the socket",
		About: fmt.Sprintf("From before inviteMember is sent until the frame with the notification is read on the recipient's websocket, one of %d "+
			"that are open. One at a time: one after the other, %d of them, and, with the processors asleep in between, %d a second, %d of them. "+
			"Half is half of the most that %d keep-alive clients reached, each sent when it was due. Milliseconds, p50 / p99, medians of %d runs. "+
			"Clients, servers and database share the machine.",
			s.recipients, atOnceTimes*s.samples, s.rate, s.samples, s.clients, s.runs),
	}
	paced := fmt.Sprintf("%d a second", s.rate)
	t := harness.Table{Head: []string{
		"", "one after the other: socket", "HTTP answer", paced + ": socket", "HTTP answer", "most a second",
		"half: socket", "HTTP answer", "MB resident", "aim at low load",
	}}
	writesNext, writes := medians(base, func(b baseline) figures { return b.writesNext }), medians(base, func(b baseline) figures { return b.writes })
	writesHalf := medians(base, func(b baseline) figures { return b.writesHalf })
	for _, setup := range setups {
		all := results[setup.name]
		most, resident := make([]float64, len(all)), make([]float64, len(all))
		for i, x := range all {
			most[i], resident[i] = x.most, x.resident
		}
		next, low := medians(all, func(x result) figures { return x.next }), medians(all, func(x result) figures { return x.low })
		t.Rows = append(t.Rows, []string{
			setup.name, next.String(), medians(all, func(x result) figures { return x.httpNext }).String(),
			low.String(), medians(all, func(x result) figures { return x.httpLow }).String(), harness.Number(harness.Median(most)),
			medians(all, func(x result) figures { return x.half }).String(), medians(all, func(x result) figures { return x.httpHalf }).String(),
			harness.Number(harness.Median(resident)), aims(setup).aim(),
		})
		half := medians(all, func(x result) figures { return x.half })
		for _, of := range []struct {
			name           string
			ours, baseline float64
			aim            string // of low load: nothing else is under way, and nothing is asleep
		}{
			{"one after the other, p50", next.p50, writesNext.p50, aims(setup).aimOf50()},
			{"one after the other, p99", next.p99, writesNext.p99, aims(setup).aimOf99()},
			{paced + ", p50", low.p50, writes.p50, ""}, {paced + ", p99", low.p99, writes.p99, ""},
			{"half of the most, p50", half.p50, writesHalf.p50, ""}, {"half of the most, p99", half.p99, writesHalf.p99, ""},
		} {
			r.Ratios = append(r.Ratios, harness.Ratio{
				What: "invite to socket, " + setup.name + ", " + of.name, Unit: "ms", Ours: of.ours, Baseline: of.baseline,
				Against: "pgbench, the writes alone, at the same pace", Lower: true, Aim: of.aim,
			})
		}
	}
	echoNext, echo := medians(base, func(b baseline) figures { return b.echoNext }), medians(base, func(b baseline) figures { return b.echo })
	t.Rows = append(t.Rows,
		[]string{"pgbench: the writes alone", writesNext.String(), "", writes.String(), "", "", writesHalf.String(), "", "", ""},
		[]string{"bare gorilla: a frame there and back", echoNext.String(), "", echo.String(), "", "", "", "", "", ""})
	often, longest := make([]float64, len(base)), make([]float64, len(base))
	for i, b := range base {
		often[i], longest[i] = b.stalls.perSecond, harness.Milliseconds(b.stalls.longest)
	}
	r.Tables = append(r.Tables, t, harness.Table{
		Title: "What the machine does to a processor that only reads the clock",
		Head:  []string{"", "medians"},
		Rows: [][]string{
			{"stopped for more than 1 ms, times a second", fmt.Sprintf("%.1f", harness.Median(often))},
			{"the longest stop in 3 seconds, ms", fmt.Sprintf("%.2f", harness.Median(longest))},
		},
	})
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
