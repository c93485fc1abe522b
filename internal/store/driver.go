package store

import (
	"context"
	"database/sql"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// entDriver is ent's way to the pool. It observes every statement and translates every error at one place.
type entDriver struct {
	entsql.Conn

	db       *sql.DB
	dialect  string
	observe  func(string, []any)
	trace    Trace     // nil for nobody; set before the first statement
	prepared *prepared // nil on SQLite, which has no round trips to save
}

func newDriver(db *sql.DB, kind string, observe func(string, []any)) *entDriver {
	if observe == nil {
		observe = func(string, []any) {}
	}
	d := &entDriver{db: db, dialect: kind, observe: observe}
	if kind == dialect.Postgres {
		d.prepared = newPrepared(db)
		d.Conn = d.conn(d.prepared)
		return d
	}
	d.Conn = d.conn(db)
	return d
}

func (d *entDriver) conn(over entsql.ExecQuerier) entsql.Conn {
	return entsql.Conn{ExecQuerier: &execQuerier{over: over, driver: d}}
}

// Dialect names the database.
func (d *entDriver) Dialect() string { return d.dialect }

// Close closes the pool.
func (d *entDriver) Close() error {
	if d.prepared != nil {
		d.prepared.close()
	}
	return d.db.Close()
}

// Tx begins a transaction.
func (d *entDriver) Tx(ctx context.Context) (dialect.Tx, error) {
	tx, err := traced(ctx, d.trace, "BEGIN", func(ctx context.Context) (*sql.Tx, error) { return d.db.BeginTx(ctx, nil) })
	if err != nil {
		return nil, translate(err)
	}
	if d.prepared != nil {
		return &entsql.Tx{Conn: d.conn(preparedTx{tx, d.prepared}), Tx: transaction{tracedTx{tx, ctx, d.trace}}}, nil
	}
	return &entsql.Tx{Conn: d.conn(tx), Tx: transaction{tracedTx{tx, ctx, d.trace}}}, nil
}

// transaction translates the errors of the end.
type transaction struct{ tx tracedTx }

func (t transaction) Commit() error   { return translate(t.tx.Commit()) }
func (t transaction) Rollback() error { return translate(t.tx.Rollback()) }

type execQuerier struct {
	over   entsql.ExecQuerier
	driver *entDriver
}

func (e *execQuerier) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	e.driver.observe(query, args)
	result, err := traced(ctx, e.driver.trace, query, func(ctx context.Context) (sql.Result, error) {
		return e.over.ExecContext(ctx, query, args...)
	})
	return result, translate(err)
}

func (e *execQuerier) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	e.driver.observe(query, args)
	rows, err := traced(ctx, e.driver.trace, query, func(ctx context.Context) (*sql.Rows, error) {
		return e.over.QueryContext(ctx, query, args...)
	})
	return rows, translate(err)
}
