package store

import (
	"context"
	"database/sql"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// preparedMost is how many statements are kept prepared. The program has fewer texts than that, but for lists of ids,
// of which each length is a text.
const preparedMost = 500

// prepareTimeout bounds the preparing of a statement, which nobody waits for.
const prepareTimeout = 5 * time.Second

// prepared runs statements by preparing each text once and keeping it: lib/pq takes two round trips for a statement with
// arguments that is not prepared. A text that is new runs as it is and is prepared meanwhile: who holds a transaction
// must not wait for another connection.
type prepared struct {
	db *sql.DB

	mu         sync.Mutex
	statements *lru.Cache[string, *sql.Stmt]
	preparing  map[string]bool
	closed     bool
	working    sync.WaitGroup
}

func newPrepared(db *sql.DB) *prepared {
	p := &prepared{db: db, preparing: make(map[string]bool)}
	cache, err := lru.NewWithEvict(preparedMost, func(_ string, s *sql.Stmt) {
		p.working.Go(func() { _ = s.Close() }) // waits for those who use it
	})
	if err != nil {
		panic(err) // the size is positive
	}
	p.statements = cache
	return p
}

// get gives the prepared statement of a text, or nil while there is none. It is prepared on each connection when that
// first runs it.
func (p *prepared) get(query string) *sql.Stmt {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.statements.Get(query) //nolint:sqlclosecheck // the cache's
	if !ok && !p.preparing[query] && !p.closed {
		p.preparing[query] = true
		p.working.Go(func() { p.prepare(query) })
	}
	return s
}

func (p *prepared) prepare(query string) {
	ctx, cancel := context.WithTimeout(context.Background(), prepareTimeout)
	defer cancel()
	s, err := p.db.PrepareContext(ctx, query)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.preparing, query)
	if err == nil { // else it is tried again when it is next asked for
		p.statements.Add(query, s)
	}
}

// close lets go of all of them.
func (p *prepared) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.working.Wait()
	p.mu.Lock()
	p.statements.Purge()
	p.mu.Unlock()
	p.working.Wait()
}

// ExecContext implements entsql.ExecQuerier.
func (p *prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if s := p.get(query); s != nil { //nolint:contextcheck,sqlclosecheck // what is prepared outlives the request
		return s.ExecContext(ctx, args...)
	}
	return p.db.ExecContext(ctx, query, args...)
}

// QueryContext implements entsql.ExecQuerier.
func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := p.get(query); s != nil { //nolint:contextcheck,sqlclosecheck // what is prepared outlives the request
		return s.QueryContext(ctx, args...)
	}
	return p.db.QueryContext(ctx, query, args...)
}

// preparedTx runs statements so in a transaction.
type preparedTx struct {
	tx *sql.Tx
	*prepared
}

// ExecContext implements entsql.ExecQuerier.
func (p preparedTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if s := p.get(query); s != nil { //nolint:contextcheck // what is prepared outlives the request
		return p.tx.StmtContext(ctx, s).ExecContext(ctx, args...) //nolint:sqlclosecheck // the transaction's
	}
	return p.tx.ExecContext(ctx, query, args...)
}

// QueryContext implements entsql.ExecQuerier.
func (p preparedTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := p.get(query); s != nil { //nolint:contextcheck // what is prepared outlives the request
		return p.tx.StmtContext(ctx, s).QueryContext(ctx, args...) //nolint:sqlclosecheck // the transaction's
	}
	return p.tx.QueryContext(ctx, query, args...)
}
