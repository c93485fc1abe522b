// Command network measures how what is read and written of a network costs more as the network grows: it makes networks of
// several sizes, loads them, and asks the real server over HTTP, one request at a time. bench/README.md says how to read it.
//
//	go run ./bench/network
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	_ "github.com/lib/pq" // driver

	"github.com/acquaint/acquaint/bench/internal/harness"
	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

// settings are what the flags say.
type settings struct {
	sizes    string
	samples  int
	runs     int
	seed     uint64
	database string
	only     string
}

func main() {
	var s settings
	flag.StringVar(&s.sizes, "members", "1000,10000,100000,1000000", "how many `members` there are, one network after the other")
	flag.IntVar(&s.samples, "samples", 200, "how many `times` each thing is asked for in a run")
	flag.IntVar(&s.runs, "runs", 3, "how many `times` everything is measured; the medians are shown")
	flag.Uint64Var(&s.seed, "seed", 1, "what the networks are made from; the same makes the same")
	flag.StringVar(&s.database, "database", "", "an `address`, as postgres://…, of a database that was loaded with the same size and seed, or an empty "+
		"one to load; without it, PostgreSQL is started and thrown away")
	flag.StringVar(&s.only, "only", "", "ask only what has this `text` in its name")
	harness.Main("network", s.measure)
}

// measure measures every size.
func (s *settings) measure(ctx context.Context) (*harness.Report, error) {
	var sizes []int
	for text := range strings.SplitSeq(s.sizes, ",") {
		size, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || size < smallest {
			return nil, fmt.Errorf("-members: %q is no number from %d on", text, smallest)
		}
		sizes = append(sizes, size)
	}
	if s.samples < 1 || s.runs < 1 || s.database != "" && len(sizes) > 1 {
		return nil, errors.New("-samples and -runs must be at least 1, and -database takes one size")
	}
	folder, err := os.MkdirTemp("", "acquaint-network-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	program, err := harness.Build(ctx, folder)
	if err != nil {
		return nil, err
	}
	address := func(int) string { return s.database }
	if s.database == "" {
		server, err := pgserver.Start(ctx, serverSettings()...)
		if err != nil {
			return nil, err
		}
		defer server.Stop()
		address = func(size int) string { return server.URL(fmt.Sprint("network", size)) }
		if err := createDatabases(ctx, server.URL("postgres"), sizes); err != nil {
			return nil, err
		}
	}
	var results []*result
	for _, size := range sizes {
		r, err := s.one(ctx, program, address(size), size)
		if err != nil {
			return nil, fmt.Errorf("%d members: %w", size, err)
		}
		results = append(results, r)
	}
	return report(results, s), nil
}

// smallest is how many members make a network.
const smallest = 200

// one makes, loads and measures a network.
func (s *settings) one(ctx context.Context, program, address string, size int) (*result, error) {
	began := time.Now()
	n := newPopulation(size, s.seed, time.Now())
	harness.Progressf("%s (made in %.1f s)", n.describe(), time.Since(began).Seconds())
	loaded, err := isLoaded(ctx, address, size)
	if err != nil {
		return nil, err
	}
	began = time.Now()
	if !loaded {
		if err := n.load(ctx, address); err != nil {
			return nil, err
		}
	}
	if err := warm(ctx, address); err != nil {
		return nil, err
	}
	r := &result{members: size, describe: n.describe(), loading: time.Since(began), costs: make(map[string]*cost)}
	if r.bytes, err = databaseSize(ctx, address); err != nil {
		return nil, err
	}
	harness.Progressf("loaded in %.1f s, %.2f GB", r.loading.Seconds(), float64(r.bytes)/(1<<30)) //nolint:mnd // bytes of a GB
	return r, (&measurement{settings: s, population: n, program: program, address: address}).measure(ctx, r)
}

// serverSettings suit a machine that has nothing else to do: a third of the memory for pages, and no processes that come
// at times that nobody can foresee; the loader itself does what they do.
func serverSettings() []string {
	const (
		third, half, twelfth = 3, 2, 12
		least, most          = 128 << 20, 8 << 30
	)
	mb := func(bytes int64) string { return strconv.FormatInt(min(max(bytes, least), most)>>20, 10) + "MB" } //nolint:mnd // bytes of a MB
	memory := harness.Memory()
	return []string{
		"shared_buffers=" + mb(memory/third), "effective_cache_size=" + mb(memory/half), "maintenance_work_mem=" + mb(memory/twelfth),
		"max_wal_size=16GB", "wal_level=minimal", "max_wal_senders=0", "checkpoint_timeout=1h", "autovacuum=off",
		"synchronous_commit=on", // VACUUM passes over what is not flushed
	}
}

func createDatabases(ctx context.Context, admin string, sizes []int) error {
	db, err := sql.Open("postgres", admin)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, size := range sizes {
		if _, err := db.ExecContext(ctx, fmt.Sprint("CREATE DATABASE network", size)); err != nil {
			return err
		}
	}
	return nil
}

// isLoaded reports whether the network is there already. A database with anything else is refused.
func isLoaded(ctx context.Context, address string, members int) (bool, error) {
	db, err := sql.Open("postgres", address)
	if err != nil {
		return false, err
	}
	defer db.Close()
	var tables int
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = 'members'").Scan(&tables)
	if err != nil || tables == 0 {
		return false, err
	}
	var count int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM members").Scan(&count); err != nil {
		return false, err
	}
	if count != 0 && count != members {
		return false, fmt.Errorf("the database has %d members", count)
	}
	return count == members, nil
}

func databaseSize(ctx context.Context, address string) (size int64, err error) {
	db, err := sql.Open("postgres", address)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, "SELECT pg_database_size(current_database())").Scan(&size)
	return size, err
}
