package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

//go:embed invite.sql accept.sql list.sql
var scripts embed.FS

var tpsLine = regexp.MustCompile(`tps = ([\d.]+)`)

// pgbench runs a script with as many clients as there are of ours, and gives how often a second it was done.
func (s *settings) pgbench(ctx context.Context, address, folder, script string, how ...string) (float64, error) {
	text, err := scripts.ReadFile(script)
	if err != nil {
		return 0, err
	}
	path := filepath.Join(folder, script)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return 0, err
	}
	program, err := pgserver.Program("pgbench")
	if err != nil {
		return 0, err
	}
	args := append([]string{"-n", "-M", "prepared", "-c", strconv.Itoa(s.clients), "-j", "2", "-D", "n=" + strconv.Itoa(s.members), "-f", path}, how...)
	out, err := exec.CommandContext(ctx, program, append(args, address)...).CombinedOutput() //nolint:gosec // pgbench
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	found := tpsLine.FindSubmatch(out)
	if found == nil || strings.Contains(string(out), "aborted") {
		return 0, fmt.Errorf("pgbench did not do %s:\n%s", script, strings.TrimSpace(string(out)))
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

// forAPhase is how pgbench is told how long to go on.
func (s *settings) forAPhase() string { return "-T" + strconv.Itoa(max(1, int(s.phase.Seconds()))) }

// baselines finds out how often a second pgbench does each script that writes.
func (s *settings) baselines(ctx context.Context, f *figures, address, folder string) (err error) {
	if f.invites, err = s.pgbench(ctx, address, folder, "invite.sql", s.forAPhase()); err != nil {
		return err
	}
	turns := strconv.Itoa(s.turns())
	f.accepts, err = s.pgbench(ctx, address, folder, "accept.sql", "-t", turns, "-D", "per="+turns, "-D", "turn=-1", "-D", "senders="+strconv.Itoa(s.senders))
	return err
}
