// Package harness is what the benchmark programs have in common: the server as a process of its own, clients, the report,
// and the machine that it comes from.
package harness

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// Main runs a benchmark program: it is told the flags' values by closure, and ends in time or with Ctrl-C. The report is
// written as text, or with -json for the collector.
func Main(name string, measure func(ctx context.Context) (*Report, error)) {
	asJSON := flag.Bool("json", false, "write the report as JSON, as the collector reads it")
	timeout := flag.Duration("timeout", 40*time.Minute, "when to give up") //nolint:mnd // none of them takes as long
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	report, err := measure(ctx)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("not done in time, or interrupted: %w", errors.Join(ctx.Err(), err))
	}
	cancel()
	stop()
	if err == nil {
		err = report.Write(os.Stdout, *asJSON)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Median gives the middle one of some numbers.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2 //nolint:mnd // of the two in the middle
}

// Percentile gives the duration that a share of all are not longer than, as 0.99.
func Percentile(all []time.Duration, share float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

// Milliseconds is a duration as a number.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Progressf tells a person what goes on.
func Progressf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
