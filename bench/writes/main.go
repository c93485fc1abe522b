// Command writes measures what it costs to invite and to answer: invites and accepts a second of the real server, by
// keep-alive HTTP clients, beside pgbench doing the writes of an invite in the same prepared statements on the same
// server of PostgreSQL, in the same run. bench/README.md says how to read it.
//
//	go run ./bench/writes
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	_ "github.com/lib/pq" // driver

	"github.com/acquaint/acquaint/bench/internal/harness"
	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

//go:embed invite.sql
var inviteSQL string

// settings are what the flags say.
type settings struct {
	clients, members, senders, runs int
	phase                           time.Duration
	profile                         string
}

func main() {
	var s settings
	flag.IntVar(&s.clients, "clients", 16, "how many keep-alive `clients`, and as many of pgbench")
	flag.IntVar(&s.members, "members", 100_000, "how many `members` there are")
	flag.IntVar(&s.senders, "senders", 4000, "how many of them send")
	flag.IntVar(&s.runs, "runs", 3, "how many `times` everything is measured; the medians are shown")
	flag.DurationVar(&s.phase, "phase", 8*time.Second, "how long each thing is measured")
	flag.StringVar(&s.profile, "profile", "", "a `file` for a pprof profile of the server while it is invited on")
	harness.Main("writes", s.measure)
}

// measure gives the medians of all runs.
func (s *settings) measure(ctx context.Context) (*harness.Report, error) {
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
	pg, err := pgserver.Start(ctx)
	if err != nil {
		return nil, err
	}
	defer pg.Stop()

	var baseline, invites, accepts []float64
	for run := range s.runs {
		name := fmt.Sprintf("writes%d", run)
		address := pg.URL(name)
		if err := harness.CreateMembers(ctx, pg.URL("postgres"), address, name, s.members); err != nil {
			return nil, err
		}
		server, err := harness.Serve(ctx, program, address)
		if err != nil {
			return nil, err
		}
		invited, accepted, err := s.clientsOf(ctx, server)
		server.Stop()
		if err != nil {
			return nil, err
		}
		tps, err := s.pgbench(ctx, address, folder)
		if err != nil {
			return nil, err
		}
		baseline, invites, accepts = append(baseline, tps), append(invites, invited), append(accepts, accepted)
		harness.Progressf("run %d of %d: pgbench %.0f, invites %.0f (%.2f), accepts %.0f a second", run+1, s.runs, tps, invited, invited/tps, accepted)
	}
	return s.report(harness.Median(baseline), harness.Median(invites), harness.Median(accepts)), nil
}

// report puts them beside each other.
func (s *settings) report(pgbench, invites, accepts float64) *harness.Report {
	const baseline = "pgbench, the writes of an invite, prepared"
	r := &harness.Report{
		Name: "writes", Title: "Inviting and answering",
		About: fmt.Sprintf("%d keep-alive HTTP clients, %d members of whom %d send, for %s each; medians of %d runs.",
			s.clients, s.members, s.senders, s.phase, s.runs),
		Ratios: []harness.Ratio{
			{What: "inviteMember over HTTP", Unit: "a second", Ours: invites, Baseline: pgbench, Against: baseline, Aim: "0.7"},
			{What: "respondToInvitation(ACCEPT) over HTTP", Unit: "a second", Ours: accepts, Baseline: pgbench, Against: baseline},
		},
	}
	return r
}

var tpsLine = regexp.MustCompile(`tps = ([\d.]+)`)

// pgbench gives how often a second pgbench does the writes of an invite.
func (s *settings) pgbench(ctx context.Context, address, folder string) (float64, error) {
	script := filepath.Join(folder, "invite.sql")
	if err := os.WriteFile(script, []byte(inviteSQL), 0o600); err != nil {
		return 0, err
	}
	program, err := pgserver.Program("pgbench")
	if err != nil {
		return 0, err
	}
	out, err := exec.CommandContext(ctx, program, "-n", "-M", "prepared", "-c", strconv.Itoa(s.clients), "-j", "2", //nolint:gosec // pgbench
		"-T", strconv.Itoa(int(s.phase.Seconds())), "-D", "n="+strconv.Itoa(s.members), "-f", script, address).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	found := tpsLine.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("pgbench said nothing of tps:\n%s", strings.TrimSpace(string(out)))
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
