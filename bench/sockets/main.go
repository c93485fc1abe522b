// Command sockets measures the realtime side against a bare websocket server: the memory of an idle socket, and
// deliveries a second. Both are measured in one run on one machine, so that their ratio means something where the
// numbers alone do not. bench/README.md says how, and how to read it.
//
//	go run ./bench/sockets
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// settings are what the flags say.
type settings struct {
	sockets  int
	rounds   int
	paced    int
	runs     int
	database string
	profiles string
	timeout  time.Duration
	json     bool
}

func main() {
	var s settings
	role := flag.String("role", "", "for the program's own children")
	flag.IntVar(&s.sockets, "n", 5000, "how many `sockets`")
	flag.IntVar(&s.rounds, "rounds", 20, "how many `events` each socket has waiting, in deliveries of a backlog")
	flag.IntVar(&s.paced, "paced", 10, "how many `events` each socket gets one by one")
	flag.IntVar(&s.runs, "runs", 3, "how many `times` everything is measured; the medians are shown")
	flag.StringVar(&s.database, "database", "postgres", "postgres, sqlite, or memory: Acquaint with no database behind its hub")
	flag.StringVar(&s.profiles, "profile", "", "a `folder` to write pprof profiles of the Acquaint server to; costs some memory")
	flag.DurationVar(&s.timeout, "timeout", 8*time.Minute, "when to stop, with the runs that are done")
	flag.BoolVar(&s.json, "json", false, "write the report as JSON, as the collector reads it")
	flag.Parse()
	if err := s.run(*role, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "sockets:", err)
		os.Exit(1)
	}
}

// run is one process in one role.
func (s *settings) run(role string, args []string) error {
	if err := raiseFileLimit(s.sockets); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch role {
	case roleBare:
		return serveBare(ctx)
	case roleAcquaint:
		return serveAcquaint(ctx, args)
	case roleClients:
		return serveClients(ctx)
	}
	if s.sockets < 1 || s.rounds < 1 || s.paced < 1 || s.runs < 1 {
		return errors.New("-n, -rounds, -paced and -runs must be at least 1")
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := s.measure(ctx)
	if ctx.Err() != nil { // then err says no more than that a child was killed
		return fmt.Errorf("not done in time, or interrupted: %w", ctx.Err())
	}
	return err
}

// spareFiles is what a process opens besides its sockets.
const spareFiles = 500

// raiseFileLimit lets this process open as many files as it may, and tells when that is too few.
func raiseFileLimit(sockets int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Max < uint64(max(0, sockets)+spareFiles) {
		return fmt.Errorf("%d sockets need more open files than the hard limit of %d: ulimit -Hn", sockets, limit.Max)
	}
	return nil
}
