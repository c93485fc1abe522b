package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"entgo.io/ent/dialect"
	"github.com/gofrs/flock"
	"github.com/lib/pq"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/acquaint/acquaint/internal/store/migrations"
)

// What Open refuses a database for.
var (
	ErrNewer = errors.New("the database is of a newer version than this program: run the newer program, or restore a backup from before it")
	ErrOlder = errors.New("the database is of an older version than this program: run acquaint migrate first")
)

// How long a server waits for another that is migrating the same database, and how often it looks.
const (
	migrationPatience = 5 * time.Minute
	migrationPoll     = 50 * time.Millisecond
	migrationPeriod   = 1 // second; the least that goose takes
)

// How long a migration waits for a lock, as all that comes after it waits meanwhile, and how long it lets others go first
// when it did not get it. The first may be a backup, which takes as long as it takes.
const (
	migrationLock  = time.Second
	migrationPause = 2 * time.Second
)

// lock lets one process at a time open an SQLite database, by a lock on a file beside it: the first to come makes the file,
// turns on its write-ahead log, for which SQLite waits for nobody, and migrates. PostgreSQL has a lock of its own.
func (s *Store) lock(ctx context.Context, path string) (unlock func(), err error) {
	if s.dialect != dialect.SQLite {
		return func() {}, nil
	}
	file := flock.New(path + ".migrating")
	ctx, cancel := context.WithTimeout(ctx, migrationPatience)
	defer cancel()
	if _, err := file.TryLockContext(ctx, migrationPoll); err != nil {
		return nil, fmt.Errorf("cannot lock the database for opening: %w", err)
	}
	return func() { _ = file.Unlock() }, nil // it goes with the process at the latest
}

// migrate brings the tables to this version, under a lock that other servers of the same database honour.
func (s *Store) migrate(ctx context.Context, opts Options) error {
	provider, done, err := s.provider(opts)
	if err != nil {
		return err
	}
	defer done()

	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("cannot read the version of the tables: %w", translate(err))
	}
	switch {
	case current > target:
		return fmt.Errorf("%w (it is at %d, this program at %d)", ErrNewer, current, target)
	case current == target:
		return nil
	case opts.NoMigrate:
		return fmt.Errorf("%w (it is at %d, this program at %d)", ErrOlder, current, target)
	}
	return s.migrateUp(ctx, provider, opts.Log)
}

// migrateUp applies what is missing. Where others hold what a migration must lock, it lets go and tries again: what others
// ask for in the meantime would all wait behind it.
func (s *Store) migrateUp(ctx context.Context, provider *goose.Provider, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, migrationPatience)
	defer cancel()
	for {
		results, err := provider.Up(ctx)
		if partial, ok := errors.AsType[*goose.PartialError](err); ok {
			results = partial.Applied
		}
		for _, r := range results {
			log.InfoContext(ctx, "migrated the database", "version", r.Source.Version, "duration", r.Duration)
		}
		if !lockedOut(err) && !settled(err) {
			if err != nil {
				return fmt.Errorf("migration failed: %w", err)
			}
			return nil
		}
		log.WarnContext(ctx, "others hold tables that are to be migrated, as a backup does; trying again", "error", err)
		select {
		case <-time.After(migrationPause):
		case <-ctx.Done():
			return fmt.Errorf("migration failed: others still hold tables that are to be migrated: %w", err)
		}
	}
}

// provider makes what applies the migrations. On PostgreSQL it has a connection of its own: a statement may take as long
// as it takes.
func (s *Store) provider(opts Options) (provider *goose.Provider, done func(), err error) {
	kind, folder, db := goose.DialectSQLite3, "sqlite", s.db // the lock is held already
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	done = func() {}
	if s.dialect == dialect.Postgres {
		locker, err := lock.NewPostgresSessionLocker(
			lock.WithLockTimeout(migrationPeriod, uint64(migrationPatience/(migrationPeriod*time.Second))))
		if err != nil {
			return nil, nil, err
		}
		options = append(options, goose.WithSessionLocker(politely{locker}))
		kind, folder = goose.DialectPostgres, "postgres"
		if db, err = sql.Open("postgres", s.address); err != nil {
			return nil, nil, err
		}
		done = func() { db.Close() }
	}
	files, err := migrationFiles(folder, opts.Migrations)
	if err == nil {
		provider, err = goose.NewProvider(kind, db, files, options...)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	return provider, done, nil
}

// politely lets a session that migrates wait for no lock longer than migrationLock.
type politely struct{ lock.SessionLocker }

// SessionLock implements lock.SessionLocker.
func (p politely) SessionLock(ctx context.Context, conn *sql.Conn) error {
	if err := p.SessionLocker.SessionLock(ctx, conn); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, fmt.Sprintf("SET lock_timeout = %d", migrationLock.Milliseconds()))
	return err
}

// migrationFiles gives the program's own migrations of a kind of database, and those of more.
func migrationFiles(folder string, more fs.FS) (fs.FS, error) {
	own, err := fs.Sub(migrations.Files, folder)
	if err != nil || more == nil {
		return own, err
	}
	if more, err = fs.Sub(more, folder); err != nil {
		return nil, err
	}
	return both{own, more}, nil
}

// both is two folders as one.
type both [2]fs.FS

// Open implements fs.FS.
func (b both) Open(name string) (fs.File, error) {
	file, err := b[0].Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return b[1].Open(name)
	}
	return file, err
}

// ReadDir implements fs.ReadDirFS.
func (b both) ReadDir(name string) ([]fs.DirEntry, error) {
	first, err := fs.ReadDir(b[0], name)
	if err != nil {
		return nil, err
	}
	second, err := fs.ReadDir(b[1], name)
	return append(first, second...), err
}

// lockedOut reports whether a lock was not to be had in time.
func lockedOut(err error) bool {
	var fromPostgres *pq.Error
	return errors.As(err, &fromPostgres) && fromPostgres.Code == lockNotAvailable
}
