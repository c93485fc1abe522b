package store

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/lib/pq"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/acquaint/acquaint/internal/refusal"
)

// The classes of PostgreSQL's SQLSTATE that pass by themselves: connection exceptions, insufficient resources, operator
// intervention (shutdown, restart). https://www.postgresql.org/docs/current/errcodes-appendix.html
var passingClasses = map[string]bool{"08": true, "53": true, "57": true}

// SQLSTATEs of transactions that PostgreSQL broke to settle a conflict.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// translate marks what passes by itself as refusal.ErrUnavailable; everything else stays as it is.
func translate(err error) error {
	if err == nil || errors.Is(err, refusal.ErrUnavailable) {
		return err
	}
	var (
		fromPostgres *pq.Error
		fromSQLite   *sqlite.Error
		fromNetwork  net.Error
		passing      bool
	)
	switch {
	case errors.As(err, &fromPostgres):
		passing = len(fromPostgres.Code) >= 2 && passingClasses[string(fromPostgres.Code)[:2]]
	case errors.As(err, &fromSQLite):
		switch fromSQLite.Code() & 0xff { // the primary code
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
			passing = true
		}
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.As(err, &fromNetwork):
		passing = true
	}
	if passing {
		return fmt.Errorf("%w: %w", refusal.ErrUnavailable, err)
	}
	return err
}

// settled reports whether the database broke the transaction so that others could go on; run again, it may succeed.
func settled(err error) bool {
	if fromPostgres, ok := errors.AsType[*pq.Error](err); ok {
		return fromPostgres.Code == serializationFailure || fromPostgres.Code == deadlockDetected
	}
	return false
}

// violates reports whether err is that a unique index over the column, alone, has the value already.
func violates(err error, column string) bool {
	const uniqueViolation = "23505"
	if fromPostgres, ok := errors.AsType[*pq.Error](err); ok {
		return fromPostgres.Code == uniqueViolation && strings.Contains(fromPostgres.Constraint, "_"+column+"_")
	}
	var fromSQLite *sqlite.Error
	return errors.As(err, &fromSQLite) && fromSQLite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE &&
		strings.Contains(fromSQLite.Error(), "."+column)
}
