package main

import (
	"fmt"
	"strconv"

	"github.com/acquaint/acquaint/bench/internal/harness"
)

// report puts them beside each other.
func (s *settings) report(results []result) *harness.Report {
	median := func(of func(r *result) float64) float64 {
		values := make([]float64, len(results))
		for i := range results {
			values[i] = of(&results[i])
		}
		return harness.Median(values)
	}
	r := &harness.Report{
		Name: "writes", Title: "Inviting, answering, and the list of notifications",
		About: fmt.Sprintf("%d keep-alive HTTP clients, %d members of whom %d send, for %s each; medians of %d runs. "+
			"The baselines are pgbench with as many clients, on the same tables.",
			s.clients, s.members, s.senders, s.phase, s.runs),
	}
	for _, of := range []struct {
		what, against, aim string
		number             func(f figures) float64
	}{
		{"inviteMember over HTTP", "what an invite asks and writes, prepared", "0.7", func(f figures) float64 { return f.invites }},
		{"respondToInvitation(ACCEPT) over HTTP", "what an accept asks and writes, prepared", "", func(f figures) float64 { return f.accepts }},
		{"notifications(first: 20) with actors over HTTP", "one prepared SELECT", "", func(f figures) float64 { return f.lists }},
	} {
		r.Ratios = append(r.Ratios, harness.Ratio{
			What: of.what, Unit: "a second", Against: "pgbench, " + of.against, Aim: of.aim,
			Ours:     median(func(r *result) float64 { return of.number(r.ours) }),
			Baseline: median(func(r *result) float64 { return of.number(r.baseline) }),
		})
	}
	r.Ratios = append(r.Ratios, harness.Ratio{
		What: "the same", Unit: "a second", Against: "the bare server: net/http, lib/pq, one SELECT, encoding/json",
		Ours: r.Ratios[len(r.Ratios)-1].Ours, Baseline: median(func(r *result) float64 { return r.bareLists }),
	})
	invites := median(func(r *result) float64 { return r.ours.invites })
	crowds := harness.Table{
		Title: "inviteMember with more clients: nothing piles up",
		Head:  []string{"clients", "a second", "of what " + strconv.Itoa(s.clients) + " reach", "ms, p50 / p99", "refused"},
	}
	for i, c := range results[0].crowds {
		rate := median(func(r *result) float64 { return r.crowds[i].perSecond })
		crowds.Rows = append(crowds.Rows, []string{
			strconv.Itoa(c.clients), harness.Number(rate), fmt.Sprintf("%.2f", rate/invites),
			fmt.Sprintf("%.1f / %.1f", median(func(r *result) float64 { return r.crowds[i].p50 }), median(func(r *result) float64 { return r.crowds[i].p99 })),
			harness.Number(median(func(r *result) float64 { return float64(r.crowds[i].refused) })),
		})
	}
	memory := harness.Table{Title: "Memory of the server, MB resident", Head: []string{"", ""}, Rows: [][]string{
		{fmt.Sprintf("after all with %d clients", s.clients), harness.Number(median(func(r *result) float64 { return r.resident[0] }))},
		{"after all with more", harness.Number(median(func(r *result) float64 { return r.resident[1] }))},
	}}
	r.Tables = append(append(r.Tables, crowds, memory), results[0].statements...)
	return r
}
