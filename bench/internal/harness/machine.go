package harness

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

// Machine describes what figures come from, as rows of a name and a value.
func Machine(ctx context.Context) [][]string {
	return [][]string{
		{"Date", time.Now().UTC().Format("2006-01-02 15:04 MST")},
		{"Commit", first(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12")},
		{"Processors", fmt.Sprintf("%d, %s", runtime.NumCPU(), LineOf("/proc/cpuinfo", "model name"))},
		{"Memory", fmt.Sprintf("%.0f GB", float64(Memory())/(1<<30))}, //nolint:mnd // bytes of a GB
		{"System", first(ctx, "uname", "-srm")},
		{"Go", runtime.Version()},
		{"PostgreSQL", postgresVersion(ctx)},
	}
}

// Memory is how much the machine has, in bytes; 0 where it does not tell.
func Memory() int64 {
	var kilobytes int64
	if _, err := fmt.Sscanf(LineOf("/proc/meminfo", "MemTotal"), "%d kB", &kilobytes); err != nil {
		return 0
	}
	return kilobytes << 10
}

func postgresVersion(ctx context.Context) string {
	program, err := pgserver.Program("postgres")
	if err != nil {
		return "unknown"
	}
	return strings.TrimPrefix(first(ctx, program, "--version"), "postgres (PostgreSQL) ")
}

// first is the first line of what a program says.
func first(ctx context.Context, name string, args ...string) string {
	out, err := exec.CommandContext(ctx, name, args...).Output() //nolint:gosec // our own words
	if err != nil {
		return "unknown"
	}
	text, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(text)
}

// LineOf gives what stands behind a name and a colon in a file; "unknown" when it is not there.
func LineOf(path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if before, after, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(before) == name {
			return strings.TrimSpace(after)
		}
	}
	return "unknown"
}
