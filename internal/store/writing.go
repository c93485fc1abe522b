package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"

	"entgo.io/ent/dialect"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/acquaint/acquaint/ent/task"
	"github.com/acquaint/acquaint/internal/postgres"
)

// ErrUnwritable is what Open gives for a database file that this process may only read.
var ErrUnwritable = errors.New("the database file cannot be written to; look at who owns it, and at its disk")

// unwritable marks an error of opening as ErrUnwritable where it is one.
func unwritable(err error) error {
	var fromSQLite *sqlite.Error
	cannotOpen := errors.As(err, &fromSQLite) && fromSQLite.Code()&primaryCode == sqlite3.SQLITE_CANTOPEN
	if cannotOpen || errors.Is(err, errReadOnly) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	return err
}

// writing is what is known of whether the database takes writes. A transaction that it refused says that it does not, one
// that it took that it does again.
type writing struct {
	log     *slog.Logger
	refused atomic.Bool
}

// note learns from how a transaction ended. It tells the operator once, not with every request.
func (w *writing) note(ctx context.Context, err error) {
	switch {
	case err == nil:
		if w.refused.Load() && w.refused.CompareAndSwap(true, false) {
			w.log.InfoContext(ctx, "the database takes writes again")
		}
	case !errors.Is(err, errFull) && !errors.Is(err, errReadOnly) && !errors.Is(err, postgres.ErrReadOnly):
	case w.refused.CompareAndSwap(false, true):
		do := "nothing was lost, and writing goes on by itself when this has been put right"
		if errors.Is(err, errFull) {
			do = "free some room on the disk of the database: nothing was lost, and writing goes on by itself"
		}
		w.log.ErrorContext(ctx, "the database takes no writes", "error", err, "do", do)
	}
}

// Ready reports whether the database answers and, as far as is known, takes writes. Where it did not the last time, that is
// tried.
func (s *Store) Ready(ctx context.Context) error {
	if s.dialect == dialect.Postgres {
		var standby bool
		if err := s.db.QueryRowContext(ctx, "SELECT pg_is_in_recovery()").Scan(&standby); err != nil {
			return translate(err)
		}
		if standby {
			for _, c := range s.connectors { // perhaps there is a primary by now where the address leads
				c.Renew()
			}
			return translate(postgres.ErrReadOnly)
		}
	} else if err := s.Ping(ctx); err != nil {
		return err
	}
	if s.writing.refused.Load() {
		return s.tryWrite(ctx)
	}
	return nil
}

// probeSize is how much is written to try it: more than fits where there is room in half-filled pages.
const probeSize = 16 << 10 // bytes

// tryWrite writes something, and leaves nothing of it.
func (s *Store) tryWrite(ctx context.Context) error {
	const name = "try-to-write"
	var filling strings.Builder
	for filling.Len() < probeSize {
		filling.WriteString(rand.Text()) // what can be compressed would be
	}
	return s.write(ctx, func(t *tx) error {
		if _, err := t.client.Task.Delete().Where(task.ID(name)).Exec(ctx); err != nil {
			return err
		}
		if err := t.client.Task.Create().SetID(name).SetHolder(filling.String()).Exec(ctx); err != nil {
			return err
		}
		_, err := t.client.Task.Delete().Where(task.ID(name)).Exec(ctx)
		return err
	})
}
