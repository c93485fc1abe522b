package store

import (
	"context"
	"database/sql"
)

// Trace is told of a statement before it runs, without its arguments. It gives the context to run it in, and what to call
// at its end.
type Trace = func(ctx context.Context, query string) (_ context.Context, end func(error))

// traced runs one statement, and tells of it if anybody wants to know.
func traced[T any](ctx context.Context, trace Trace, query string, run func(ctx context.Context) (T, error)) (T, error) {
	if trace == nil {
		return run(ctx)
	}
	ctx, end := trace(ctx, query)
	result, err := run(ctx)
	end(err)
	return result, err
}

// tracedTx tells of the end of a transaction: a commit is what a write waits for longest.
type tracedTx struct {
	*sql.Tx

	ctx   context.Context //nolint:containedctx // of who began it; Commit takes none
	trace Trace
}

// Commit commits.
func (t tracedTx) Commit() error {
	_, err := traced(t.ctx, t.trace, "COMMIT", func(context.Context) (struct{}, error) { return struct{}{}, t.Tx.Commit() })
	return err
}
