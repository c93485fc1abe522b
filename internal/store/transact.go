package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/acquaint/acquaint/ent"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/postgres"
	"github.com/acquaint/acquaint/internal/refusal"
)

// How often a transaction that lost to others is run, and how long at most between two runs.
const (
	transactTries = 12
	transactPause = 20 * time.Millisecond
)

// tx is the tables in one transaction.
type tx struct {
	client  *ent.Client
	dialect string
	entries []entry             // to be written to logs before the commit
	hints   []notification.Hint // of the logs that were written to
}

// Transact implements network.Store.
func (s *Store) Transact(ctx context.Context, do func(ctx context.Context, tx network.Tx) error) ([]notification.Hint, error) {
	return s.writeLogs(ctx, func(t *tx) error { return do(ctx, t) })
}

// TransactTogether implements network.Store.
func (s *Store) TransactTogether(ctx context.Context, about network.About, do func(ctx context.Context, tx network.Tx) error) ([]notification.Hint, error) {
	if s.groups != nil {
		hints, err := s.groups.run(ctx, about, do)
		s.writing.note(ctx, err)
		if !errors.Is(err, errAlone) && !errors.Is(err, network.ErrStale) {
			return hints, err
		}
	}
	return s.Transact(ctx, do)
}

// writeLogs is write, and gives the hints of the logs that were written to.
func (s *Store) writeLogs(ctx context.Context, do func(*tx) error) ([]notification.Hint, error) {
	var last *tx // of the attempt that was committed
	err := s.write(ctx, func(t *tx) error {
		last = t
		return do(t)
	})
	if err != nil {
		return nil, err
	}
	return last.hints, nil
}

// Lock implements the Tx of the domains. Every use case that concerns two members begins with it, so that all of a pair's
// run one after the other; on SQLite, which has one writer, they do anyway.
func (t *tx) Lock(ctx context.Context, members ...id.Member) (bool, error) {
	slices.SortFunc(members, func(a, b id.Member) int { return bytes.Compare(a[:], b[:]) })
	members = slices.Compact(members)
	b := statement(t.dialect)
	b.WriteString("SELECT member_id FROM inboxes WHERE member_id IN (")
	for i, m := range members {
		if i > 0 {
			b.Comma()
		}
		b.Arg(uuid.UUID(m))
	}
	b.WriteString(") ORDER BY member_id")
	if t.dialect == dialect.Postgres {
		b.WriteString(" FOR NO KEY UPDATE")
	}
	query, args := b.Query()
	found := 0
	err := scanAll(ctx, t.client, query, args, func(*sql.Rows) error {
		found++
		return nil
	})
	return found == len(members), err
}

// write runs do in one transaction, and again when it gives network.ErrStale or the database broke the transaction to
// settle a conflict. A conflict that will not end is refusal.ErrUnavailable.
func (s *Store) write(ctx context.Context, do func(*tx) error) error {
	if s.writer != nil {
		select {
		case s.writer <- struct{}{}:
			defer func() { <-s.writer }()
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", refusal.ErrUnavailable, ctx.Err())
		}
	}
	for try := 1; ; try++ {
		err := s.writeOnce(ctx, do)
		s.writing.note(ctx, err)
		if try == 1 && errors.Is(err, postgres.ErrReadOnly) {
			continue // connections are made anew, and may now lead to a server that takes writes
		}
		if err == nil || !errors.Is(err, network.ErrStale) && !settled(err) {
			return err
		}
		if try == transactTries {
			return fmt.Errorf("%w: gave up after %d tries: %w", refusal.ErrUnavailable, try, err)
		}
		if try > 1 { // the first time the winner has most likely committed already
			select {
			case <-time.After(rand.N(transactPause)): //nolint:gosec // spreads retries, keeps no secret
			case <-ctx.Done():
				return fmt.Errorf("%w: %w", refusal.ErrUnavailable, ctx.Err())
			}
		}
	}
}

func (s *Store) writeOnce(ctx context.Context, do func(*tx) error) error {
	t, err := s.client.Tx(ctx)
	if err != nil {
		return err
	}
	done := false
	defer func() {
		if !done { // refused, failed, or do panicked
			_ = t.Rollback()
		}
	}()
	written := &tx{client: t.Client(), dialect: s.dialect}
	if err := do(written); err != nil {
		return err
	}
	if err := written.writeEntries(ctx); err != nil {
		return err
	}
	done = true
	return t.Commit()
}

// statement begins a statement that ent cannot write; Arg binds a value in the dialect's way.
func statement(dialect string) *entsql.Builder {
	b := &entsql.Builder{}
	b.SetDialect(dialect)
	return b
}

// scanOne runs a query of at most one row; false when there was none.
func scanOne(ctx context.Context, client *ent.Client, query string, args []any, into ...any) (bool, error) {
	rows, err := client.QueryContext(ctx, query, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, translate(rows.Err())
	}
	if err := rows.Scan(into...); err != nil {
		return false, err
	}
	return true, translate(rows.Close())
}

// scanAll runs a query and calls each after scanning a row into into.
func scanAll(ctx context.Context, client *ent.Client, query string, args []any, each func(*sql.Rows) error) error {
	rows, err := client.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return translate(rows.Err())
}

// writeAmong writes that a column is one of some values. PostgreSQL takes several in one argument, so that there is one
// statement for any number; but of one value in there it thinks that there are ten, and plans anew each time.
func writeAmong[T uuid.UUID | string](b *entsql.Builder, column string, values []T) {
	b.WriteString(column)
	switch {
	case len(values) == 1:
		b.WriteString(" = ").Arg(values[0])
		return
	case b.Dialect() == dialect.Postgres:
		b.WriteString(" = ANY(").Arg(pq.Array(textsOf(values))).WriteString(")")
		return
	}
	b.WriteString(" IN (")
	for i, v := range values {
		if i > 0 {
			b.Comma()
		}
		b.Arg(v)
	}
	b.WriteString(")")
}

// textsOf gives values as pq.Array takes them: of UUIDs it would ask by reflection what each is.
func textsOf[T uuid.UUID | string](values []T) []string {
	switch values := any(values).(type) {
	case []string:
		return values
	case []uuid.UUID:
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = v.String()
		}
		return texts
	}
	return nil
}

// uuids gives the ids as the tables hold them.
func uuids[T ~[16]byte](ids []T) []uuid.UUID {
	out := make([]uuid.UUID, len(ids))
	for i, v := range ids {
		out[i] = uuid.UUID(v)
	}
	return out
}

// optionalID gives nil for the zero id.
func optionalID[T ~[16]byte](v T) *uuid.UUID {
	if v == (T{}) {
		return nil
	}
	u := uuid.UUID(v)
	return &u
}

// optionalText gives nil for the empty text.
func optionalText(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// optionalTime gives nil for the zero time.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// timeOf gives the zero time for nil, and UTC otherwise.
func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// pair orders two members as the tables hold pairs.
func pair(a, b id.Member) (lo, hi uuid.UUID) {
	if b.Less(a) {
		a, b = b, a
	}
	return uuid.UUID(a), uuid.UUID(b)
}
