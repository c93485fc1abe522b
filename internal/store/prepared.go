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

// renewFirst and renewFactor are after how many uses a statement is prepared anew: PostgreSQL plans a statement that is
// prepared once for good, or until the table is analysed, and what was best while the tables were empty is slow soon. It
// plans six times before it keeps to one, under those who ask: they are to be fewer than one in a hundred from the start.
const (
	renewFirst  = 1000
	renewFactor = 4
)

// prepared runs statements by preparing each text once and keeping it: lib/pq takes two round trips for a statement with
// arguments that is not prepared. A text that is new runs as it is and is prepared meanwhile: who holds a transaction
// must not wait for another connection.
type prepared struct {
	db *sql.DB

	mu         sync.Mutex
	statements *lru.Cache[string, *preparedStatement]
	preparing  map[string]bool
	closed     bool
	working    sync.WaitGroup
}

// preparedStatement is closed once nobody uses it any more.
type preparedStatement struct {
	*sql.Stmt

	uses, renewAt int
	users         sync.WaitGroup
}

func newPrepared(db *sql.DB) *prepared {
	p := &prepared{db: db, preparing: make(map[string]bool)}
	cache, err := lru.NewWithEvict(preparedMost, func(_ string, s *preparedStatement) { p.release(s) })
	if err != nil {
		panic(err) // the size is positive
	}
	p.statements = cache
	return p
}

// release closes a statement that nobody is given any more.
func (p *prepared) release(s *preparedStatement) {
	p.working.Go(func() {
		s.users.Wait()
		_ = s.Close()
	})
}

// get gives the prepared statement of a text, whose users.Done the caller calls, or nil while there is none. It is
// prepared on each connection when that first runs it.
func (p *prepared) get(query string) *preparedStatement {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.statements.Get(query)
	renewAt := renewFirst
	if ok {
		s.uses++
		s.users.Add(1)
		if s.uses < s.renewAt {
			return s
		}
		renewAt = s.renewAt * renewFactor
	}
	if !p.preparing[query] && !p.closed {
		p.preparing[query] = true
		p.working.Go(func() { p.prepare(query, renewAt) })
	}
	return s
}

func (p *prepared) prepare(query string, renewAt int) {
	ctx, cancel := context.WithTimeout(context.Background(), prepareTimeout)
	defer cancel()
	s, err := p.db.PrepareContext(ctx, query)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.preparing, query)
	if err != nil { // it is tried again when it is next asked for
		return
	}
	old, _ := p.statements.Peek(query)
	p.statements.Add(query, &preparedStatement{Stmt: s, renewAt: renewAt})
	if old != nil {
		p.release(old)
	}
}

// judge lets go of a statement that is outdated.
func (p *prepared) judge(query string, err error) error {
	if err != nil && outdated(err) {
		p.mu.Lock()
		p.statements.Remove(query)
		p.mu.Unlock()
	}
	return err
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
	if s := p.get(query); s != nil { //nolint:contextcheck // what is prepared outlives the request
		defer s.users.Done()
		result, err := s.ExecContext(ctx, args...)
		return result, p.judge(query, err)
	}
	return p.db.ExecContext(ctx, query, args...)
}

// QueryContext implements entsql.ExecQuerier.
func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := p.get(query); s != nil { //nolint:contextcheck // what is prepared outlives the request
		defer s.users.Done()
		rows, err := s.QueryContext(ctx, args...) //nolint:sqlclosecheck // the caller closes them
		return rows, p.judge(query, err)
	}
	return p.db.QueryContext(ctx, query, args...) //nolint:sqlclosecheck // the caller closes them
}

// preparedTx runs statements so in a transaction.
type preparedTx struct {
	tx *sql.Tx
	*prepared
}

// ExecContext implements entsql.ExecQuerier.
func (p preparedTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if s := p.get(query); s != nil { //nolint:contextcheck // what is prepared outlives the request
		defer s.users.Done()
		result, err := p.tx.StmtContext(ctx, s.Stmt).ExecContext(ctx, args...) //nolint:sqlclosecheck // the transaction's
		return result, p.judge(query, err)
	}
	return p.tx.ExecContext(ctx, query, args...)
}

// QueryContext implements entsql.ExecQuerier.
func (p preparedTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := p.get(query); s != nil { //nolint:contextcheck // what is prepared outlives the request
		defer s.users.Done()
		rows, err := p.tx.StmtContext(ctx, s.Stmt).QueryContext(ctx, args...) //nolint:sqlclosecheck // the transaction's
		return rows, p.judge(query, err)
	}
	return p.tx.QueryContext(ctx, query, args...) //nolint:sqlclosecheck // the caller closes them
}
