package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"entgo.io/ent/dialect"
	"github.com/gofrs/flock"
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
	kind, folder := goose.DialectPostgres, "postgres"
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if s.dialect == dialect.SQLite {
		kind, folder = goose.DialectSQLite3, "sqlite" // the lock is held already
	} else {
		locker, err := lock.NewPostgresSessionLocker(
			lock.WithLockTimeout(migrationPeriod, uint64(migrationPatience/(migrationPeriod*time.Second))))
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	files, err := fs.Sub(migrations.Files, folder)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(kind, s.db, files, options...)
	if err != nil {
		return err
	}

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
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migration failed: %w", err)
	}
	for _, r := range results {
		opts.Log.InfoContext(ctx, "migrated the database", "version", r.Source.Version, "duration", r.Duration.String())
	}
	return nil
}
