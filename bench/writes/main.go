// Command writes measures what it costs to invite and to answer: invites, accepts and pages of notifications a second
// of the real server, by keep-alive HTTP clients, beside pgbench doing the same in prepared statements on the same server of
// PostgreSQL, in the same run. bench/README.md says how to read it.
//
//	go run ./bench/writes
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"time"

	_ "github.com/lib/pq" // driver

	"github.com/acquaint/acquaint/bench/internal/harness"
	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

// settings are what the flags say.
type settings struct {
	clients, members, senders, runs int
	phase                           time.Duration
	profile                         string
	statements                      bool
}

func main() {
	var s settings
	flag.IntVar(&s.clients, "clients", 16, "how many keep-alive `clients`, and as many of pgbench")
	flag.IntVar(&s.members, "members", 100_000, "how many `members` there are")
	flag.IntVar(&s.senders, "senders", 4000, "how many of them send")
	flag.IntVar(&s.runs, "runs", 3, "how many `times` everything is measured; the medians are shown")
	flag.DurationVar(&s.phase, "phase", 8*time.Second, "how long each thing is measured")
	flag.StringVar(&s.profile, "profile", "", "a `folder` for pprof profiles of the server, one for each thing")
	flag.BoolVar(&s.statements, "statements", false, "show what PostgreSQL did for each thing, too, by pg_stat_statements, which costs a little")
	if bare() {
		return
	}
	harness.Main("writes", s.measure)
}

// figures are how often a second things were done.
type figures struct{ invites, accepts, lists float64 }

// result is a run.
type result struct {
	ours, baseline figures
	bareLists      float64 // of the bare server
	crowds         []crowd // more clients than usual
	resident       [2]float64
	statements     []harness.Table
}

// measure gives the medians of all runs.
func (s *settings) measure(ctx context.Context) (*harness.Report, error) {
	if s.members < 300 || s.senders < 1 || s.senders > s.members || s.clients < 1 || s.runs < 1 { //nolint:mnd // as its text says
		return nil, errors.New("-members must be at least 300, -senders no more than those, and all others at least 1")
	}
	folder, err := os.MkdirTemp("", "acquaint-writes-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	program, err := harness.Build(ctx, folder)
	if err != nil {
		return nil, err
	}
	harness.Progressf("starting PostgreSQL and making %d members", s.members)
	var set []string
	if s.statements {
		set = watching
	}
	pg, err := pgserver.Start(ctx, set...)
	if err != nil {
		return nil, err
	}
	defer pg.Stop()
	results := make([]result, s.runs)
	for run := range results {
		r := &results[run]
		if err := s.run(ctx, r, pg, fmt.Sprintf("writes%d", run), program, folder); err != nil {
			return nil, err
		}
		harness.Progressf("run %d of %d: invites %.0f a second (%.2f of pgbench's), accepts %.0f (%.2f), lists %.0f (%.2f; %.2f of the bare server's)",
			run+1, s.runs, r.ours.invites, r.ours.invites/r.baseline.invites, r.ours.accepts, r.ours.accepts/r.baseline.accepts,
			r.ours.lists, r.ours.lists/r.baseline.lists, r.ours.lists/r.bareLists)
	}
	return s.report(results), nil
}

// run measures everything once, on a database of its own.
func (s *settings) run(ctx context.Context, r *result, pg *pgserver.Server, name, program, folder string) error {
	address, err := s.prepare(ctx, pg, name)
	if err != nil {
		return err
	}
	if r.baseline.lists, err = s.pgbench(ctx, address, folder, "list.sql", s.forAPhase(), "-D", "listed="+strconv.Itoa(s.listed())); err != nil {
		return err
	}
	if r.bareLists, err = s.bareLists(ctx, address); err != nil {
		return err
	}
	w := &watched{}
	if s.statements {
		if w, err = watch(ctx, address); err != nil {
			return err
		}
		defer w.close()
	}
	server, err := harness.Serve(ctx, program, address)
	if err != nil {
		return err
	}
	err = (&trial{settings: s, server: server, watched: w}).run(ctx, r)
	server.Stop()
	if err != nil {
		return err
	}
	r.statements = w.tables
	return s.baselines(ctx, &r.baseline, address, folder)
}
