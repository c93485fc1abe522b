package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"
	_ "github.com/lib/pq"  // driver "postgres"
	_ "modernc.org/sqlite" // driver "sqlite"

	"github.com/acquaint/acquaint/ent"
	"github.com/acquaint/acquaint/internal/batch"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/postgres"
)

// Store is the tables.
type Store struct {
	db      *sql.DB
	driver  *entDriver // the client's
	client  *ent.Client
	dialect string
	// writer lets one write transaction in at a time on SQLite. Its own lock is polled, which starves some of many
	// writers until they give up; this queue does not. nil on PostgreSQL.
	writer chan struct{}
	groups *groups // nil on SQLite
	// subjects are looked up together: every first request of a member asks for one.
	subjects *batch.Batcher[string, member.Member]
	peers    *peerSets
	// connectors make the pools' connections, and address is where to; both are PostgreSQL's.
	connectors []*postgres.Connector
	address    string
	writing    writing
}

// Options are what Open can be told besides where the database is.
type Options struct {
	Log *slog.Logger
	// Observe is called before every statement, with its arguments. Tests count and explain statements with it.
	Observe func(query string, args []any)
	// Trace is told of every statement; nil for nobody.
	Trace Trace
	// NoMigrate makes Open refuse tables of an older version instead of bringing them to this one.
	NoMigrate bool
	// Alone makes every use case have a transaction of its own, on PostgreSQL as it is on SQLite.
	Alone bool
	// Migrations are more of them than the program's own, in folders as of those. Tests are of the next version with them.
	Migrations fs.FS
}

// Open connects to the database at an address (postgres://… or sqlite:PATH) and brings its tables to this version. It
// refuses tables of a newer version with ErrNewer.
func Open(ctx context.Context, address string, opts Options) (*Store, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s, path, err := connect(address, opts.Observe)
	if err != nil {
		return nil, unwritable(err)
	}
	if opts.Alone && s.groups != nil {
		err := s.groups.pool.db.Close()
		s.groups = nil
		if err != nil {
			return nil, errors.Join(err, s.db.Close())
		}
	}
	if s.groups != nil {
		s.groups.log, s.groups.pool.trace = opts.Log, opts.Trace
	}
	s.writing.log = opts.Log
	s.driver.trace = opts.Trace
	unlock, err := s.lock(ctx, path)
	if err != nil {
		return nil, errors.Join(unwritable(err), s.db.Close())
	}
	defer unlock()
	if err := s.db.PingContext(ctx); err != nil {
		return nil, errors.Join(unwritable(err), s.db.Close())
	}
	if err := s.migrate(ctx, opts); err != nil {
		return nil, errors.Join(unwritable(err), s.db.Close())
	}
	if s.dialect == dialect.SQLite {
		if err := s.tryWrite(ctx); errors.Is(err, errReadOnly) { // one whose disk is full can be read
			return nil, errors.Join(unwritable(err), s.db.Close())
		}
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

// groupsMin and groupsMax bound how many groups are under way at once; there are as many as processors.
const (
	groupsMin = 2
	groupsMax = 8
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
	// A standby may be behind: who reads there misses what was written, and a subscription takes it for read.
	if q.Get("target_session_attrs") == "" {
		q.Set("target_session_attrs", "read-write")
	}
	if q.Get("connect_timeout") == "" {
		q.Set("connect_timeout", "5")
	}
	u.RawQuery = q.Encode()
	db, connector, err := openPostgres(u, max(poolMin, poolPerCPU*runtime.GOMAXPROCS(0)))
	if err != nil {
		return nil, err
	}
	s := newStore(db, dialect.Postgres, observe)
	s.address = u.String()
	for name, value := range plansByKey {
		q.Set(name, value)
	}
	if q.Get("lock_timeout") == "" {
		q.Set("lock_timeout", groupLockTimeout)
	}
	if q.Get("statement_timeout") == "" { // nobody tells the server when a group's time is over
		q.Set("statement_timeout", strconv.FormatInt(groupTimeout.Milliseconds(), 10))
	}
	u.RawQuery = q.Encode()
	atOnce := min(max(groupsMin, runtime.GOMAXPROCS(0)), groupsMax)
	keyed, keyedConnector, err := openPostgres(u, atOnce)
	if err != nil {
		return nil, err
	}
	s.connectors = []*postgres.Connector{connector, keyedConnector}
	s.groups = newGroups(groupPool{db: keyed, observe: s.driver.observe}, atOnce)
	return s, nil
}

// plansByKey are settings of the connections on which groups run. All that they do is by key, for any number of members
// at once, and PostgreSQL, left alone, plans it anew each time, which takes longer than doing it: the number of members
// makes plans look different. So there is one plan for a statement; and as it may be made while tables are empty, one
// that goes on being right when they are not.
var plansByKey = map[string]string{
	"plan_cache_mode": "force_generic_plan", "jit": "off",
	"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off",
}

// groupLockTimeout is how long a group waits for a lock that another transaction holds. Others' use cases are in it, and
// there are few groups: a member whom a node that is frozen, or something that takes long, keeps locked must not stop them
// all. Each runs alone then, and those about that member wait.
const groupLockTimeout = "500ms"

func openPostgres(u *url.URL, size int) (*sql.DB, *postgres.Connector, error) {
	connector, err := postgres.NewConnector(u.String())
	if err != nil {
		return nil, nil, errors.New("the database URL is malformed")
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, connector, nil
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
	driver := newDriver(db, kind, observe)
	s := &Store{
		db:      db,
		driver:  driver,
		client:  ent.NewClient(ent.Driver(driver)),
		dialect: kind,
		peers:   newPeerSets(),
	}
	s.subjects = batch.New(s.membersBySubject)
	return s
}

// Close closes the pools.
func (s *Store) Close() error {
	if s.groups == nil {
		return s.client.Close()
	}
	return errors.Join(s.client.Close(), s.groups.pool.db.Close())
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return translate(s.db.PingContext(ctx)) }
