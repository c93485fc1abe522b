package store

import (
	"context"
	"database/sql"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// BeginTx begins a transaction with options; ent asks for it by this name.
func (d *entDriver) BeginTx(ctx context.Context, options *sql.TxOptions) (dialect.Tx, error) {
	tx, err := traced(ctx, d.trace, "BEGIN", func(ctx context.Context) (*sql.Tx, error) { return d.db.BeginTx(ctx, options) })
	if err != nil {
		return nil, translate(err)
	}
	return &entsql.Tx{Conn: d.conn(tx), Tx: transaction{tracedTx{tx, ctx, d.trace}}}, nil
}
