package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Report is what a benchmark program has found out.
type Report struct {
	Name   string  `json:"name"` // of the program
	Title  string  `json:"title"`
	About  string  `json:"about"` // how it came about, in a sentence or two
	Tables []Table `json:"tables"`
	Ratios []Ratio `json:"ratios"`
	Charts []Chart `json:"charts"`
}

// Table is figures for people.
type Table struct {
	Title string     `json:"title"`
	Head  []string   `json:"head"`
	Rows  [][]string `json:"rows"`
}

// Ratio is one of ours beside its baseline.
type Ratio struct {
	What     string  `json:"what"`
	Unit     string  `json:"unit"`
	Ours     float64 `json:"ours"`
	Baseline float64 `json:"baseline"`
	Against  string  `json:"against"` // what the baseline is
	Lower    bool    `json:"lower"`   // lower is better
	Aim      string  `json:"aim"`     // what is aimed at, if anything
}

// Value is ours as a part of the baseline.
func (r Ratio) Value() float64 {
	if r.Baseline == 0 {
		return 0
	}
	return r.Ours / r.Baseline
}

// Chart is lines over a logarithmic scale.
type Chart struct {
	Name   string   `json:"name"` // of its file, without an extension
	Title  string   `json:"title"`
	X      string   `json:"x"`
	Y      string   `json:"y"`
	Series []Series `json:"series"`
}

// Series is one line.
type Series struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"`
}

// Point is a point of a line.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Write writes the report, as JSON or as Markdown.
func (r *Report) Write(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	_, err := io.WriteString(w, r.Markdown())
	return err
}

// Markdown is the report for people, without its charts.
func (r *Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n", r.Title, r.About)
	for _, t := range r.Tables {
		if t.Title != "" {
			fmt.Fprintf(&b, "\n### %s\n", t.Title)
		}
		b.WriteString("\n" + line(t.Head) + "|" + strings.Repeat("---|", len(t.Head)) + "\n")
		for _, row := range t.Rows {
			b.WriteString(line(row))
		}
	}
	if len(r.Ratios) > 0 {
		t := RatioTable(r.Ratios)
		b.WriteString("\n### Beside the baselines\n\n" + line(t.Head) + "|" + strings.Repeat("---|", len(t.Head)) + "\n")
		for _, row := range t.Rows {
			b.WriteString(line(row))
		}
	}
	return b.String()
}

// RatioTable is the ratios for people.
func RatioTable(ratios []Ratio) Table {
	t := Table{Head: []string{"", "ours", "baseline", "ratio", "which", "aim"}}
	for _, r := range ratios {
		which := "higher is better"
		if r.Lower {
			which = "lower is better"
		}
		t.Rows = append(t.Rows, []string{
			r.What, Number(r.Ours) + " " + r.Unit, Number(r.Baseline) + " " + r.Unit + ", " + r.Against,
			fmt.Sprintf("%.2f", r.Value()), which, r.Aim,
		})
	}
	return t
}

// Number writes a figure with as many digits as it is worth.
func Number(v float64) string {
	const hundred, ten = 100, 10
	switch {
	case v >= hundred:
		digits := strconv.FormatFloat(math.Round(v), 'f', -1, 64)
		for at := len(digits) - 3; at > 0; at -= 3 { //nolint:mnd // thousands
			digits = digits[:at] + "," + digits[at:]
		}
		return digits
	case v >= ten:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func line(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }
