package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/acquaint/acquaint/bench/internal/harness"
)

// asReport puts the medians of the runs beside each other for the collector.
func (s *settings) asReport(bare, acquaint []result) *harness.Report {
	r := &harness.Report{
		Name: "sockets", Title: "Idle sockets, and deliveries",
		About: fmt.Sprintf("%d sockets, each with a subscription; %s; medians of %d runs. A: %s. B: %s.",
			s.sockets, s.database, len(bare), variants[0].about, variants[1].about),
	}
	add := func(what, unit string, lower bool, of func(result) float64) {
		r.Ratios = append(r.Ratios, harness.Ratio{
			What: what, Unit: unit, Ours: medianOf(acquaint, of), Baseline: medianOf(bare, of), Against: "bare gorilla", Lower: lower,
		})
	}
	const kb = 1 << 10
	add("memory of an idle socket", "KB resident", true, func(r result) float64 { return r.idle.rss / kb })
	add("memory of a socket after events", "KB resident", true, func(r result) float64 { return r.used.rss / kb })
	for _, p := range phases {
		for _, v := range variants {
			add(v.name+", "+p.name, "deliveries a second", false, func(r result) float64 { return r.deliveries[p.name+" "+v.name].perSecond })
			add(v.name+", "+p.name+", the server's processors", "µs a delivery", true, func(r result) float64 { return r.deliveries[p.name+" "+v.name].cpu })
		}
	}
	return r
}

// report prints the medians of the runs side by side.
func (s *settings) report(w io.Writer, bare, acquaint []result) error {
	if s.json {
		return s.asReport(bare, acquaint).Write(w, true)
	}
	fmt.Fprintf(w, "\n%d sockets, %s, medians of %d runs\n%s\n\n", s.sockets, s.database, len(bare), machine())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight) //nolint:mnd // two spaces
	row := func(name, format string, of func(result) float64) {
		b, a := medianOf(bare, of), medianOf(acquaint, of)
		ratios := make([]string, len(bare))
		for i := range bare {
			ratios[i] = fmt.Sprintf("%.2f", of(acquaint[i])/of(bare[i]))
		}
		fmt.Fprintf(t, "%s\t"+format+"\t"+format+"\t%.2f\t%s\t\n", name, b, a, a/b, strings.Join(ratios, " "))
	}
	title := func(text string) { fmt.Fprintf(t, "%s\tbare\tAcquaint\tratio\tof each run\t\n", text) }
	const kb = 1 << 10

	title("KB a socket")
	for _, f := range []struct {
		name string
		of   func(result) footprint
	}{
		{"idle", func(r result) footprint { return r.idle }},
		{"after events", func(r result) footprint { return r.used }},
	} {
		row(f.name+", resident", "%.1f", func(r result) float64 { return f.of(r).rss / kb })
		row(f.name+", objects and stacks", "%.1f", func(r result) float64 { return f.of(r).live / kb })
		row(f.name+", goroutines", "%.2f", func(r result) float64 { return f.of(r).goroutines })
	}
	for _, p := range phases {
		fmt.Fprintln(t, "\t\t\t\t\t")
		title("deliveries a second, " + p.name)
		for _, v := range variants {
			key := p.name + " " + v.name
			row(fmt.Sprintf("%s, %d bytes", v.name, acquaint[0].deliveries[key].bytes), "%.0f",
				func(r result) float64 { return r.deliveries[key].perSecond })
			row("µs of the server's processors", "%.1f", func(r result) float64 { return r.deliveries[key].cpu })
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, v := range variants {
		fmt.Fprintf(w, "%s: %s\n", v.name, v.about)
	}
	return nil
}

func medianOf(runs []result, of func(result) float64) float64 {
	values := make([]float64, len(runs))
	for i, r := range runs {
		values[i] = of(r)
	}
	return harness.Median(values)
}

// machine describes what everything ran on.
func machine() string {
	return fmt.Sprintf("%s, %d processors (%s), %s of memory, %s/%s", runtime.Version(), runtime.NumCPU(),
		harness.LineOf("/proc/cpuinfo", "model name"), harness.LineOf("/proc/meminfo", "MemTotal"), runtime.GOOS, runtime.GOARCH)
}
