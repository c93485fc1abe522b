package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/postgres"
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
	if broken || postgres.Renew(ctx, conn) != nil { // nobody waits for that
		postgres.Discard(conn)
	}
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
		if ended {
			return
		}
		if cause := recover(); cause != nil { // each job must meet it on its own
			fail(jobs, errAlone)
		}
		broken = g.pool.exec(ctx, conn, "ROLLBACK") != nil
	}()
	group := &group{pool: &g.pool, conn: conn, single: len(jobs) == 1, touched: make(map[id.Member]bool)}
	if err := group.load(ctx, jobs); err != nil {
		if cannotKeep(err) {
			g.stayAway(ctx, err)
		}
		fail(jobs, errAlone)
		return false
	}
	for n, j := range jobs {
		j.hints, j.err = group.decide(ctx, n, j)
	}
	if group.writes.empty() {
		return false // there is nothing to commit
	}
	if group.write(ctx) != nil || ctx.Err() != nil {
		fail(jobs, errAlone)
		return false
	}
	ended = true
	if err := g.pool.exec(ctx, conn, "COMMIT"); err != nil {
		broken = true // whatever came of it
		if settled(err) {
			err = errAlone
		}
		fail(jobs, err)
	}
	return broken
}

// cannotKeep reports whether statements are not kept from one use of a connection to the next, as by a pooler that gives
// each transaction another.
func cannotKeep(err error) bool {
	const noSuchStatement, thereAlready = "26000", "42P05"
	fromPostgres, ok := errors.AsType[*pq.Error](err)
	return ok && (fromPostgres.Code == noSuchStatement || fromPostgres.Code == thereAlready)
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

// exec runs a statement that ends a transaction.
func (p *groupPool) exec(ctx context.Context, conn *sql.Conn, statement string) error {
	_, err := traced(ctx, p.trace, statement, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, postgres.Exec(ctx, conn, statement)
	})
	return translate(err)
}
