package postgres

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lib/pq"
)

// Call is a statement with its arguments: texts, integers, booleans, what gives one of these as a driver.Valuer, or nil.
type Call struct {
	Query string
	Args  []any
}

// Script is statements that go to the server in one message: one round trip, where lib/pq has one for each. When one
// fails, those after it are not run. Each call is prepared on its connection, the first time in a message of its own.
//
// The arguments are part of the message's text, which a server may log, and has to parse: a script is for few of them, and
// none that a member has written. Call.Number is for the others.
type Script struct {
	Before string // a statement without arguments or results, as BEGIN
	Calls  []Call
}

// errNoText is given for an argument that cannot be part of a script's text: it would end there.
var errNoText = errors.New("postgres: an argument with a zero byte")

// renewFirst and renewFactor are after how many uses a statement is to be prepared anew: PostgreSQL keeps its plan, and
// what was best while the tables were empty is slow soon.
const (
	renewFirst  = 100
	renewFactor = 4
)

// kept is a statement that is prepared on a connection.
type kept struct {
	name          string
	query         string
	args          int
	uses, renewAt int
}

// Run runs a script on a connection, and calls each for every row of every call.
func (s Script) Run(ctx context.Context, c *sql.Conn, each func(call int, rows *sql.Rows) error) error {
	var message string
	err := c.Raw(func(raw any) (err error) {
		message, err = s.message(ctx, raw)
		return err
	})
	if err != nil {
		return err
	}
	rows, err := c.QueryContext(unwatched(ctx), message)
	if err != nil {
		return err
	}
	defer rows.Close()
	for call := 0; ; call++ {
		for rows.Next() {
			if err := each(call, rows); err != nil {
				return err
			}
		}
		if !rows.NextResultSet() {
			break
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// unwatched gives a context that nobody waits for the end of: database/sql and lib/pq would have a goroutine each do so for
// each message. A conn's wire ends with the deadline.
func unwatched(ctx context.Context) context.Context { return undone{ctx} }

type undone struct{ context.Context } //nolint:containedctx // it is one

// Done implements context.Context.
func (undone) Done() <-chan struct{} { return nil }

// messageUsual is about how long the text of a script of one use case is in bytes.
const messageUsual = 1 << 10

// message writes the text of a script, once its statements are prepared.
func (s Script) message(ctx context.Context, raw any) (string, error) {
	c, err := ours(raw)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.Grow(messageUsual)
	if s.Before != "" {
		b.WriteString(s.Before + ";")
	}
	for _, call := range s.Calls {
		k, err := c.keep(ctx, call)
		if err != nil {
			return "", err
		}
		if err := k.write(&b, call.Args); err != nil {
			return "", err
		}
		b.WriteByte(';')
	}
	return b.String(), nil
}

// ours gives the connection of the driver.
func ours(raw any) (*conn, error) {
	c, ok := raw.(*conn)
	if !ok {
		return nil, fmt.Errorf("postgres: a connection of another driver: %T", raw)
	}
	return c, nil
}

// keep gives a call's statement, prepared.
func (c *conn) keep(ctx context.Context, call Call) (*kept, error) {
	k := c.kept[call.Query]
	if k == nil {
		hash := sha256.Sum256([]byte(call.Query)) // behind a pooler a connection may have been another program's
		k = &kept{name: "kept_" + hex.EncodeToString(hash[:8]), query: call.Query, args: len(call.Args), renewAt: renewFirst}
		if _, err := c.ExecContext(unwatched(ctx), "PREPARE "+k.name+" AS "+k.query, nil); err != nil {
			return nil, err
		}
		if c.kept == nil {
			c.kept = make(map[string]*kept)
		}
		c.kept[call.Query] = k
	}
	k.uses++
	return k, nil
}

// write writes EXECUTE with arguments.
func (k *kept) write(b *strings.Builder, args []any) error {
	b.WriteString("EXECUTE " + k.name)
	for n, arg := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return err
		}
		b.WriteByte("(,"[min(n, 1)])
		switch v := value.(type) {
		case nil:
			b.WriteString("NULL")
		case int64:
			b.WriteString(strconv.FormatInt(v, 10))
		case bool:
			b.WriteString(strconv.FormatBool(v))
		case string:
			if strings.IndexByte(v, 0) >= 0 {
				return errNoText
			}
			b.WriteString(pq.QuoteLiteral(v))
		default:
			return fmt.Errorf("postgres: an argument of type %T in a script", value)
		}
	}
	if len(args) > 0 {
		b.WriteByte(')')
	}
	return nil
}

// Commit ends a transaction, and sees to it that it was one that could be. Unlike the others it tells the server when its
// time is over: one that waits for a standby would wait for as long as that is away, and keep what is locked.
func Commit(ctx context.Context, c *sql.Conn) error { return end(ctx, c, "COMMIT") }

// Rollback ends a transaction.
func Rollback(ctx context.Context, c *sql.Conn) error { return end(unwatched(ctx), c, "ROLLBACK") }

func end(ctx context.Context, c *sql.Conn, statement string) error {
	return c.Raw(func(raw any) error {
		c, err := ours(raw)
		if err != nil {
			return err
		}
		rows, err := c.QueryContext(ctx, statement, nil)
		if err != nil {
			return err
		}
		tagged, ok := rows.(interface{ Tag() string })
		if err := rows.Close(); err != nil {
			return err
		}
		if !ok || tagged.Tag() != statement { // the COMMIT of a transaction that failed is a ROLLBACK
			return fmt.Errorf("postgres: %s did not do that", statement)
		}
		return nil
	})
}

// bound is a statement that is prepared on a connection by the driver, which binds its arguments.
type bound struct {
	stmt          driver.StmtQueryContext
	close         func() error
	uses, renewAt int
}

// Number runs a call that gives one number, and prepares it on its connection the first time.
func (call Call) Number(ctx context.Context, c *sql.Conn) (number int64, err error) {
	args := make([]driver.NamedValue, len(call.Args))
	for n, arg := range call.Args {
		value, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return 0, err
		}
		args[n] = driver.NamedValue{Ordinal: n + 1, Value: value}
	}
	err = c.Raw(func(raw any) error {
		c, err := ours(raw)
		if err != nil {
			return err
		}
		b := c.bound[call.Query]
		if b == nil {
			if b, err = c.bind(ctx, call.Query, renewFirst); err != nil {
				return err
			}
		}
		b.uses++
		rows, err := b.stmt.QueryContext(unwatched(ctx), args)
		if err != nil {
			return err
		}
		number, err = numberOf(rows)
		return errors.Join(err, rows.Close())
	})
	return number, err
}

// numberOf reads the one number of the one row.
func numberOf(rows driver.Rows) (int64, error) {
	row := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(row); err != nil {
		return 0, err
	}
	number, ok := row[0].(int64)
	if !ok {
		return 0, fmt.Errorf("postgres: not a number: %T", row[0])
	}
	return number, nil
}

// bind prepares a statement for Number.
func (c *conn) bind(ctx context.Context, query string, renewAt int) (*bound, error) {
	stmt, err := c.PrepareContext(unwatched(ctx), query)
	if err != nil {
		return nil, err
	}
	full, ok := stmt.(driver.StmtQueryContext)
	if !ok {
		return nil, errors.Join(fmt.Errorf("postgres: not a statement to run: %q", query), stmt.Close())
	}
	if c.bound == nil {
		c.bound = make(map[string]*bound)
	}
	b := &bound{stmt: full, close: stmt.Close, renewAt: renewAt}
	c.bound[query] = b
	return b, nil
}

// Renew prepares anew the statements of scripts, and of Number, that have been used for long, so that neither waits for
// that. Nothing else may be under way on the connection.
func Renew(ctx context.Context, c *sql.Conn) error {
	return c.Raw(func(raw any) error {
		c, err := ours(raw)
		if err != nil {
			return err
		}
		for _, k := range c.kept {
			if k.uses < k.renewAt {
				continue
			}
			if err := c.renew(ctx, k); err != nil {
				return err
			}
		}
		for query, b := range c.bound {
			if b.uses < b.renewAt {
				continue
			}
			delete(c.bound, query)
			if err := b.close(); err != nil {
				return err
			}
			if _, err := c.bind(ctx, query, b.renewAt*renewFactor); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *conn) renew(ctx context.Context, k *kept) error {
	nulls := ""
	if k.args > 0 {
		nulls = "(NULL" + strings.Repeat(",NULL", k.args-1) + ")"
	}
	delete(c.kept, k.query) // it is not there if this fails half way
	_, err := c.ExecContext(unwatched(ctx), "DEALLOCATE "+k.name+"; PREPARE "+k.name+" AS "+k.query+"; EXPLAIN EXECUTE "+k.name+nulls, nil)
	if err != nil {
		return err
	}
	k.uses, k.renewAt = 0, k.renewAt*renewFactor
	c.kept[k.query] = k
	return nil
}

// Discard has a connection closed rather than used again.
func Discard(c *sql.Conn) {
	_ = c.Raw(func(any) error { return driver.ErrBadConn })
}
