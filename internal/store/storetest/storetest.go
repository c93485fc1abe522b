// Package storetest gives tests real databases, each a new one of its own: SQLite files, and PostgreSQL on
// TEST_DATABASE_URL or else on a private server that it starts once for a test binary and stops at its end.
//
// A package that uses it says so in its TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

// startTimeout bounds how long a private server may take to start.
const startTimeout = 2 * time.Minute

// postgres is the server of this test binary.
var postgres struct {
	once    sync.Once
	err     error
	private *pgserver.Server // nil with TEST_DATABASE_URL
	url     func(string) string
	admin   *sql.DB
	made    atomic.Int64
}

// Main runs the tests of a package and stops what they started.
func Main(m *testing.M) int {
	defer func() {
		if postgres.admin != nil {
			postgres.admin.Close()
		}
		if postgres.private != nil {
			postgres.private.Stop()
		}
	}()
	return m.Run()
}

// Database is a kind of database to run a test on.
type Database struct {
	Name string
	// New gives the address of a new, empty database, dropped when the test ends.
	New func(testing.TB) string
}

// Databases are both kinds.
func Databases() []Database {
	return []Database{{"sqlite", EmptySQLite}, {"postgres", EmptyPostgres}}
}

// EachDatabase runs a test on a new, empty database of each kind, in parallel.
func EachDatabase(t *testing.T, test func(t *testing.T, address string)) {
	t.Helper()
	for _, d := range Databases() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			test(t, d.New(t))
		})
	}
}

// EachStore runs a test on a store over a new database of each kind, in parallel.
func EachStore(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	EachDatabase(t, func(t *testing.T, address string) { test(t, Open(t, address, store.Options{})) })
}

// Open opens a store, and closes it when the test ends.
func Open(t testing.TB, address string, opts store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), address, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// EmptySQLite gives the address of a new SQLite database.
func EmptySQLite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "acquaint.db")
}

// EmptyPostgres gives the address of a new PostgreSQL database. Without any server to be had the test is skipped, but
// where the environment says CI it fails.
func EmptyPostgres(t testing.TB) string {
	t.Helper()
	postgres.once.Do(startPostgres)
	if errors.Is(postgres.err, pgserver.ErrNotInstalled) && os.Getenv("CI") == "" {
		t.Skip(postgres.err)
	}
	if postgres.err != nil {
		t.Fatal(postgres.err)
	}
	name := fmt.Sprintf("acquaint_test_%d_%d", os.Getpid(), postgres.made.Add(1))
	if _, err := postgres.admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := postgres.admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return postgres.url(name)
}

func startPostgres() {
	address := os.Getenv("TEST_DATABASE_URL")
	if address == "" {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		if postgres.private, postgres.err = pgserver.Start(ctx); postgres.err != nil {
			return
		}
		postgres.url = postgres.private.URL
		address = postgres.url("postgres")
	} else {
		u, err := url.Parse(address)
		if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
			postgres.err = errors.New("TEST_DATABASE_URL is no postgres:// address")
			return
		}
		postgres.url = func(database string) string {
			other := *u
			other.Path = "/" + database
			return other.String()
		}
	}
	postgres.admin, postgres.err = sql.Open("postgres", address)
	if postgres.err == nil {
		postgres.err = postgres.admin.Ping()
	}
}

// ExecAdmin runs a statement on the PostgreSQL server of the tests, in another database than those of EmptyPostgres.
func ExecAdmin(t testing.TB, statement string) {
	t.Helper()
	if _, err := postgres.admin.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// NameOf gives the name of a database by its address.
func NameOf(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}
