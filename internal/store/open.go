package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"entgo.io/ent/dialect"
	_ "github.com/lib/pq"  // driver "postgres"
	_ "modernc.org/sqlite" // driver "sqlite"

	"github.com/acquaint/acquaint/ent"
)

// Store is the tables.
type Store struct {
	db      *sql.DB
	client  *ent.Client
	dialect string
	// writer lets one write transaction in at a time on SQLite. Its own lock is polled, which starves some of many
	// writers until they give up; this queue does not. nil on PostgreSQL.
	writer chan struct{}
	groups *groups // nil on SQLite
}

// Options are what Open can be told besides where the database is.
type Options struct {
	Log *slog.Logger
	// Observe is called before every statement, with its arguments. Tests count and explain statements with it.
	Observe func(query string, args []any)
	// NoMigrate makes Open refuse tables of an older version instead of bringing them to this one.
	NoMigrate bool
}

// Open connects to the database at an address (postgres://… or sqlite:PATH) and brings its tables to this version. It
// refuses tables of a newer version with ErrNewer.
func Open(ctx context.Context, address string, opts Options) (*Store, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s, path, err := connect(address, opts.Observe)
	if err != nil {
		return nil, err
	}
	unlock, err := s.lock(ctx, path)
	if err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	defer unlock()
	if err := s.db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot reach the database: %w", err), s.db.Close())
	}
	if err := s.migrate(ctx, opts); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

// connect opens the pool. path is the file of an SQLite database.
func connect(address string, observe func(string, []any)) (s *Store, path string, err error) {
	scheme, rest, _ := strings.Cut(address, ":")
	switch scheme {
	case "postgres", "postgresql":
		s, err = connectPostgres(address, observe)
	case "sqlite":
		path = strings.TrimPrefix(rest, "//")
		s, err = connectSQLite(path, observe)
	default:
		err = errors.New("the database URL must start with sqlite: or postgres://")
	}
	return s, path, err
}

// poolPerCPU and poolMin size the pool of PostgreSQL connections: more would only queue inside the database.
const (
	poolPerCPU = 8
	poolMin    = 16
)

func connectPostgres(address string, observe func(string, []any)) (*Store, error) {
	// What the parser says quotes the address, password and all.
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the database URL is malformed")
	}
	// Times leave and enter as instants; the session's zone must not matter.
	q := u.Query()
	if q.Get("timezone") == "" {
		q.Set("timezone", "UTC")
	}
	if q.Get("connect_timeout") == "" {
		q.Set("connect_timeout", "5")
	}
	u.RawQuery = q.Encode()
	db, err := sql.Open("postgres", u.String())
	if err != nil {
		return nil, errors.New("the database URL is malformed")
	}
	size := max(poolMin, poolPerCPU*runtime.GOMAXPROCS(0))
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	s := newStore(db, dialect.Postgres, observe)
	s.groups = newGroups(s)
	return s, nil
}

func connectSQLite(path string, observe func(string, []any)) (*Store, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, errors.New("sqlite: wants the path of a file, as in sqlite:data/acquaint.db")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder of the database: %w", err)
	}
	// busy_timeout: other processes may write, too. WAL: readers never wait. synchronous FULL: what was acknowledged
	// survives the machine, not only the process.
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String() +
		"?_txlock=immediate&_time_format=sqlite&_timezone=UTC&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)" +
		"&_pragma=foreign_keys(1)&_pragma=synchronous(FULL)"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(poolPerCPU)
	db.SetMaxIdleConns(poolPerCPU)
	s := newStore(db, dialect.SQLite, observe)
	s.writer = make(chan struct{}, 1)
	return s, nil
}

func newStore(db *sql.DB, kind string, observe func(string, []any)) *Store {
	return &Store{
		db:      db,
		client:  ent.NewClient(ent.Driver(newDriver(db, kind, observe))),
		dialect: kind,
	}
}

// Close closes the pool.
func (s *Store) Close() error { return s.client.Close() }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return translate(s.db.PingContext(ctx)) }
