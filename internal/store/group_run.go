package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/postgres"
	"github.com/acquaint/acquaint/internal/refusal"
)

// groupPool is where groups have their connections.
type groupPool struct {
	db      *sql.DB
	observe func(string, []any)
	trace   Trace // nil for nobody; set before the first group
}

// runGroup runs jobs in one transaction, and answers each.
func (g *groups) runGroup(jobs []*job) {
	deadline := time.Now().Add(groupTimeout)
	for _, j := range jobs {
		if d, ok := j.ctx.Deadline(); ok && d.Before(deadline) {
			deadline = d
		}
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(jobs[0].ctx), deadline)
	defer cancel()
	conn, err := g.pool.db.Conn(ctx)
	if err != nil {
		g.stayAway(ctx, err)
		fail(jobs, errAlone)
		g.answer(jobs)
		return
	}
	defer conn.Close()
	broken := g.transact(ctx, conn, jobs)
	g.answer(jobs)
	if broken || renew(ctx, conn) != nil {
		postgres.Discard(conn)
	}
}

// renew prepares anew what has been used for long. Who asked has been answered; the next wait for the connection, but not
// for long.
func renew(ctx context.Context, conn *sql.Conn) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), groupRenew)
	defer cancel()
	return postgres.Renew(ctx, conn)
}

// fail makes an error the outcome of the jobs that would have written something.
func fail(jobs []*job, err error) {
	for _, j := range jobs {
		if j.err == nil {
			j.hints, j.err = nil, err
		}
	}
}

// stayAway has everything run alone for a while: a connection that is not to be had must not hold up each use case twice.
func (g *groups) stayAway(ctx context.Context, err error) {
	g.log.WarnContext(ctx, "no connection for common transactions; going on without them for a while", "error", err)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.away = time.Now().Add(groupAway)
}

// transact runs jobs in one transaction, and leaves in each what came of it. It reports whether the connection is of no
// more use, as when a transaction may still be under way on it.
func (g *groups) transact(ctx context.Context, conn *sql.Conn, jobs []*job) (broken bool) {
	ended := false
	defer func() {
		cause := recover()
		switch {
		case ended && cause != nil: // whatever came of it
			fail(jobs, fmt.Errorf("%w: %v", refusal.ErrUnavailable, cause))
			broken = true
			return
		case ended:
			return
		case cause != nil: // each job must meet it on its own
			fail(jobs, errAlone)
		}
		broken = g.pool.end(ctx, conn, "ROLLBACK", postgres.Rollback) != nil || broken
	}()
	group := &group{pool: &g.pool, conn: conn, single: len(jobs) == 1, touched: make(map[id.Member]bool)}
	if err := group.load(ctx, jobs); err != nil {
		fail(jobs, errAlone)
		return g.stale(ctx, err)
	}
	for n, j := range jobs {
		j.hints, j.err = group.decide(ctx, n, j)
	}
	if group.writes.empty() {
		return false // there is nothing to commit
	}
	if err := group.write(ctx); err != nil || ctx.Err() != nil {
		fail(jobs, errAlone)
		return g.stale(ctx, err)
	}
	ended = true
	if err := g.pool.end(ctx, conn, "COMMIT", postgres.Commit); err != nil {
		broken = true // whatever came of it
		if settled(err) {
			err = errAlone
		}
		fail(jobs, err)
	}
	return broken
}

// stale reports whether an error is of statements that are kept on a connection and are not what they were: it must not be
// used again. Where they are forgotten time and again, as by a pooler that gives each transaction another connection, there
// are no groups for a while.
func (g *groups) stale(ctx context.Context, err error) bool {
	const noSuchStatement, thereAlready, protocolViolation = "26000", "42P05", "08P01"
	fromPostgres, ok := errors.AsType[*pq.Error](err)
	if !ok {
		return false
	}
	switch fromPostgres.Code {
	case noSuchStatement, thereAlready:
		g.mu.Lock()
		again := time.Since(g.forgotten) < 2*groupAway //nolint:mnd // the last time, it stayed away
		g.forgotten = time.Now()
		g.mu.Unlock()
		if again {
			g.stayAway(ctx, err)
		}
		return true
	case featureNotSupported, protocolViolation: // a plan that is of other types now; a standby
		return true
	}
	return false
}

// run runs a script. Tests and traces are told of its statements.
func (p *groupPool) run(ctx context.Context, conn *sql.Conn, s postgres.Script, each func(call int, rows *sql.Rows) error) error {
	texts := []string{s.Before}
	for _, call := range s.Calls {
		p.observe(call.Query, call.Args)
		if p.trace != nil {
			texts = append(texts, call.Query)
		}
	}
	_, err := traced(ctx, p.trace, strings.Join(texts, ";\n"), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.Run(ctx, conn, each)
	})
	return translate(err)
}

// number runs a call that gives a number.
func (p *groupPool) number(ctx context.Context, conn *sql.Conn, call postgres.Call) (int64, error) {
	p.observe(call.Query, call.Args)
	number, err := traced(ctx, p.trace, call.Query, func(ctx context.Context) (int64, error) { return call.Number(ctx, conn) })
	return number, translate(err)
}

// end ends a transaction.
func (p *groupPool) end(ctx context.Context, conn *sql.Conn, statement string, end func(context.Context, *sql.Conn) error) error {
	_, err := traced(ctx, p.trace, statement, func(ctx context.Context) (struct{}, error) { return struct{}{}, end(ctx, conn) })
	return translate(err)
}
