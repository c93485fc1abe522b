// Command bench runs all benchmarks, one after the other, and writes what they found to RESULTS.md, with its plots.
//
//	make bench             # everything, in about 15 minutes
//	make bench QUICK=1     # a look at all of it, in about two
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/acquaint/acquaint/bench/internal/harness"
)

// program is one benchmark.
type program struct {
	name  string
	full  []string // its flags
	quick []string
	tiny  []string // for a test that only wants to see it work
}

var programs = []program{
	{
		"sockets", []string{"-runs", "3"},
		[]string{"-n", "500", "-runs", "1", "-rounds", "5", "-paced", "3"},
		[]string{"-n", "10", "-runs", "1", "-rounds", "2", "-paced", "1"},
	},
	{
		"writes", []string{"-runs", "3"},
		[]string{"-runs", "1", "-phase", "3s", "-members", "20000"},
		[]string{"-runs", "1", "-phase", "1s", "-members", "300", "-senders", "100", "-clients", "2"},
	},
	{
		"latency", []string{"-runs", "3"},
		[]string{"-runs", "1", "-samples", "100", "-phase", "2s", "-recipients", "50"},
		[]string{"-runs", "1", "-samples", "5", "-phase", "200ms", "-recipients", "3", "-rate", "100", "-clients", "2"},
	},
	{
		"network", []string{"-runs", "3"},
		[]string{"-members", "1000,10000", "-runs", "1", "-samples", "50"},
		[]string{"-members", "300", "-runs", "1", "-samples", "2"},
	},
}

// sizeNames are the sizes of a run.
const (
	sizeFull  = "full"
	sizeQuick = "quick"
	sizeTiny  = "tiny"
)

func (p program) flags(size string) []string {
	switch size {
	case sizeQuick:
		return p.quick
	case sizeTiny:
		return p.tiny
	default:
		return p.full
	}
}

func main() {
	size := flag.String("size", sizeFull, "full, quick, or tiny: whether it works at all")
	out := flag.String("out", "bench", "the `folder` that RESULTS.md and its plots go to")
	only := flag.String("only", "", "run these alone, as in sockets,network")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := collect(ctx, *size, *out, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// collect runs the programs and writes the results. A program that fails does not keep the others from being run.
func collect(ctx context.Context, size, out, only string) error {
	if !slices.Contains([]string{sizeFull, sizeQuick, sizeTiny}, size) {
		return fmt.Errorf("-size: no such size: %s", size)
	}
	folder, err := os.MkdirTemp("", "acquaint-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	acquaint, err := harness.Build(ctx, folder)
	if err != nil {
		return err
	}
	began := time.Now()
	results := &results{size: size, machine: harness.Machine(ctx)}
	var failed error
	for _, p := range programs {
		if only != "" && !slices.Contains(strings.Split(only, ","), p.name) {
			continue
		}
		harness.Progressf("=== %s", p.name)
		start := time.Now()
		report, err := p.run(ctx, folder, acquaint, size)
		if err != nil {
			err = fmt.Errorf("%s: %w", p.name, err)
			harness.Progressf("%v", err)
			failed = errors.Join(failed, err)
			results.failed = append(results.failed, p.name)
			continue
		}
		results.reports = append(results.reports, report)
		harness.Progressf("=== %s: %.0f s", p.name, time.Since(start).Seconds())
	}
	results.took = time.Since(began)
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), failed)
	}
	if err := results.write(out); err != nil {
		return err
	}
	harness.Progressf("%s, after %.0f s", filepath.Join(out, "RESULTS.md"), results.took.Seconds())
	return failed
}

// run builds a program and runs it. What it says of its progress goes on to the terminal.
func (p program) run(ctx context.Context, folder, acquaint, size string) (*harness.Report, error) {
	binary := filepath.Join(folder, p.name)
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/acquaint/acquaint/bench/"+p.name) //nolint:gosec // our own
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	var answer bytes.Buffer
	command := exec.CommandContext(ctx, binary, append([]string{"-json"}, p.flags(size)...)...) //nolint:gosec // our own
	command.Env = append(os.Environ(), harness.ProgramVariable+"="+acquaint)
	command.Stdout, command.Stderr = &answer, os.Stderr
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) } // it stops what it has started
	if err := command.Run(); err != nil {
		return nil, err
	}
	report := &harness.Report{}
	if err := json.Unmarshal(answer.Bytes(), report); err != nil {
		return nil, err
	}
	return report, nil
}
