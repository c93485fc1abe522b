package main

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/bench/internal/harness"
	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

// Every benchmark runs to its end at a tiny size, and the results have its rows and plots. How long anything took is nobody's
// business here.
func TestEveryBenchmarkWorks(t *testing.T) {
	if _, err := pgserver.Program("pgbench"); errors.Is(err, pgserver.ErrNotInstalled) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	folder := t.TempDir()
	if err := collect(t.Context(), sizeTiny, folder, ""); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(folder, "RESULTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"This was a short run",
		"| PostgreSQL | ", "| Go | go", "| Processors | ", "| Commit | ",
		"| memory of an idle socket | ", "| A, one by one, written here | ", "| B, a backlog | ",
		"| inviteMember over HTTP | ", "| respondToInvitation(ACCEPT) over HTTP | ", "| notifications(first: 20) with actors over HTTP | ", "the bare server: net/http",
		"| after all with 2 clients | ", "\n| 64 | ", "| invite to socket, two nodes, NATS, half of the most, p50 | ",
		"| notifications of who has thousands, deep | ", "| mutual connections of two of the hundred largest, page and count | ",
		"| one node | ", "| two nodes, LISTEN/NOTIFY | ", "| two nodes, NATS | ", "| invite to socket, one node, one after the other, p50 | ",
		"300 members, 6000 connections, the largest with 90, ",
		"| inviteMember | ", "| receivedInvitations of who has thousands, deep | ", "| sentInvitations, first page | ",
		"| connections of the largest, deep | ", "| mutual connections of the two largest, page and count | ",
		"| degree of random pairs | ", "| degree of two that no path connects | ",
		"![Ratios](ratios.svg)", "(network-lists.svg)", "(network-nearness.svg)",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	for _, plot := range []string{"ratios.svg", "network-lists.svg", "network-nearness.svg"} {
		svg, err := os.ReadFile(filepath.Join(folder, plot))
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, plot, string(svg))
	}
}

// A program that fails is named in the results, and makes the whole fail.
func TestFailureIsTold(t *testing.T) {
	page := (&results{size: sizeFull, failed: []string{"sockets"}}).markdown(map[string]string{})
	if !strings.Contains(page, "sockets failed") {
		t.Error(page)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := collect(ctx, sizeTiny, t.TempDir(), ""); err == nil {
		t.Error("nothing failed")
	}
	if err := collect(t.Context(), "huge", t.TempDir(), ""); err == nil {
		t.Error("there is such a size")
	}
}

// Plots are well-formed whatever they show, and have a line and a name for each series.
func TestPlots(t *testing.T) {
	chart := harness.Chart{Title: "a < b & c", X: "members", Y: "ms", Series: []harness.Series{
		{Name: "one & all", Points: []harness.Point{{X: 1000, Y: 1}, {X: 1e6, Y: 3.7}}}, {Name: "none"},
	}}
	svg := linePlot(chart)
	wellFormed(t, "lines", svg)
	if strings.Count(svg, "<polyline") != 2 || strings.Count(svg, "<circle") != 2 || !strings.Contains(svg, "one &amp; all") {
		t.Error(svg)
	}
	wellFormed(t, "no lines", linePlot(harness.Chart{}))
	bars := barPlot("bars", []harness.Ratio{{What: "a", Ours: 1, Baseline: 2}, {What: "b", Ours: 1, Baseline: 2, Lower: true}})
	wellFormed(t, "bars", bars)
	if !strings.Contains(bars, "a (higher is better)") || !strings.Contains(bars, "b (lower is better)") || strings.Count(bars, ">0.50<") != 2 {
		t.Error(bars)
	}
}

func wellFormed(t *testing.T, name, svg string) {
	t.Helper()
	for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, svg)
		}
	}
}
