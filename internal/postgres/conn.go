package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/lib/pq"
)

var (
	// ErrUnreachable is given when a connection cannot be made.
	ErrUnreachable = errors.New("the database cannot be reached")
	// ErrReadOnly is given by a write to a server that takes none.
	ErrReadOnly = errors.New("the database takes no writes: it is a standby, perhaps since a failover")
)

// pqConn is what a connection of lib/pq is.
type pqConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// conn is a connection. Each call sets how long the wire may take, so nothing is left of the one before.
type conn struct {
	pqConn

	connector  *Connector
	wire       net.Conn
	generation int64

	kept  map[string]*kept // statements of scripts
	bound map[string]*bound

	mu    sync.Mutex
	calls int64       // until now
	leave func() bool // stops waiting for the end of the last one's context
}

// limit has the wire end a moment after ctx does.
func (c *conn) limit(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if c.leave != nil {
		c.leave()
		c.leave = nil
	}
	if deadline, ok := ctx.Deadline(); ok { // as those of all requests have; they seldom end before
		_ = c.wire.SetDeadline(deadline.Add(grace))
		return
	}
	_ = c.wire.SetDeadline(time.Now().Add(longest))
	call := c.calls
	c.leave = context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.calls == call {
			_ = c.wire.SetDeadline(time.Now().Add(grace))
		}
	})
}

// SQLSTATEs of a server that takes no writes: to a statement, and to the BEGIN of a transaction that may write.
const (
	readOnlyTransaction = "25006"
	featureNotSupported = "0A000"
)

// judge looks at what a call gave. When it is that the server takes no writes, all connections are made anew.
func (c *conn) judge(err error) error {
	var refused *pq.Error
	if errors.As(err, &refused) && refused.Code == readOnlyTransaction {
		return c.readOnly(err)
	}
	return err
}

func (c *conn) readOnly(err error) error {
	c.connector.Renew()
	return fmt.Errorf("%w: %w", ErrReadOnly, err)
}

// QueryContext implements driver.QueryerContext.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.limit(ctx)
	rows, err := c.pqConn.QueryContext(ctx, query, args)
	return rows, c.judge(err)
}

// ExecContext implements driver.ExecerContext.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.limit(ctx)
	result, err := c.pqConn.ExecContext(ctx, query, args)
	return result, c.judge(err)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	c.limit(ctx)
	prepared, err := c.pqConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, c.judge(err)
	}
	full, ok := prepared.(pqStmt)
	if !ok { // COPY
		return prepared, nil
	}
	return &stmt{pqStmt: full, conn: c}, nil
}

// BeginTx implements driver.ConnBeginTx. lib/pq asks for a transaction that may write unless told otherwise, which a
// standby refuses.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.limit(ctx)
	tx, err := c.pqConn.BeginTx(ctx, opts)
	var refused *pq.Error
	if errors.As(err, &refused) && refused.Code == featureNotSupported && !opts.ReadOnly {
		return nil, c.readOnly(err)
	}
	return tx, c.judge(err)
}

// Ping implements driver.Pinger.
func (c *conn) Ping(ctx context.Context) error {
	c.limit(ctx)
	return c.pqConn.Ping(ctx)
}

// Close implements driver.Conn. The end of the call before it is long over, perhaps.
func (c *conn) Close() error {
	c.limit(context.Background())
	_ = c.wire.SetDeadline(time.Now().Add(grace))
	return c.pqConn.Close()
}

// ResetSession implements driver.SessionResetter: it is called before a connection of the pool is used.
func (c *conn) ResetSession(ctx context.Context) error {
	if !c.current() {
		return driver.ErrBadConn
	}
	c.limit(ctx)
	return c.pqConn.ResetSession(ctx)
}

// IsValid implements driver.Validator: it is called before a connection goes back into the pool.
func (c *conn) IsValid() bool { return c.current() && c.pqConn.IsValid() }

func (c *conn) current() bool { return c.generation == c.connector.generation.Load() }

// pqStmt is what a prepared statement of lib/pq is.
type pqStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// stmt is a prepared statement.
type stmt struct {
	pqStmt

	conn *conn
}

// QueryContext implements driver.StmtQueryContext.
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.conn.limit(ctx)
	rows, err := s.pqStmt.QueryContext(ctx, args)
	return rows, s.conn.judge(err)
}

// ExecContext implements driver.StmtExecContext.
func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.conn.limit(ctx)
	result, err := s.pqStmt.ExecContext(ctx, args)
	return result, s.conn.judge(err)
}

// Close implements driver.Stmt. It asks the server, too, and has nobody wait for one that hangs.
func (s *stmt) Close() error {
	s.conn.limit(context.Background())
	_ = s.conn.wire.SetDeadline(time.Now().Add(closeTimeout))
	return s.pqStmt.Close()
}
