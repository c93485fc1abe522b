package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/acquaint/acquaint/bench/internal/harness"
)

// results is everything that was found.
type results struct {
	size    string
	machine [][]string
	took    time.Duration
	reports []*harness.Report
	failed  []string // programs
}

// write writes RESULTS.md and the plots into a folder.
func (r *results) write(folder string) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	plots := make(map[string]string)
	text := r.markdown(plots)
	for name, svg := range plots {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(svg), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, "RESULTS.md"), []byte(text), 0o600)
}

// markdown writes the page, and adds the plots that it shows.
func (r *results) markdown(plots map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Results of the benchmarks\n\nWritten by `make bench` (%s, %.0f minutes). README.md says what each does, and how to read it.\n",
		r.size, max(1, r.took.Minutes()))
	if r.size != sizeFull {
		b.WriteString("\n**This was a short run.** It shows that everything works; its figures are not to be quoted.\n")
	}
	for _, name := range r.failed {
		fmt.Fprintf(&b, "\n**%s failed** and is missing here.\n", name)
	}
	b.WriteString("\n| | |\n|---|---|\n")
	for _, row := range r.machine {
		fmt.Fprintf(&b, "| %s | %s |\n", row[0], row[1])
	}
	var ratios []harness.Ratio
	for _, report := range r.reports {
		ratios = append(ratios, report.Ratios...)
	}
	if len(ratios) > 0 {
		plots["ratios.svg"] = barPlot("Ours beside the baseline, measured in the same run", ratios)
		b.WriteString("\n![Ratios](ratios.svg)\n")
	}
	for _, report := range r.reports {
		b.WriteString("\n" + report.Markdown())
		for _, chart := range report.Charts {
			plots[chart.Name+".svg"] = linePlot(chart)
			fmt.Fprintf(&b, "\n![%s](%s.svg)\n", chart.Title, chart.Name)
		}
	}
	return b.String()
}
