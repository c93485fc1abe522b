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

	"github.com/acquaint/acquaint/internal/postgres"
	"github.com/acquaint/acquaint/internal/refusal"
)

// Why a database that answers takes no writes. An operator can do something about it; meanwhile, reading goes on.
var (
	errFull     = errors.New("the disk of the database is full")
	errReadOnly = errors.New("the database cannot be written to")
)

// The classes of PostgreSQL's SQLSTATE that pass by themselves: connection exceptions, insufficient resources, operator
// intervention (shutdown, restart), errors of the system below it.
// https://www.postgresql.org/docs/current/errcodes-appendix.html
var passingClasses = map[string]bool{"08": true, "53": true, "57": true, "58": true}

// SQLSTATEs of what passes by itself, in classes that do not.
const (
	lockNotAvailable = "55P03"
	idleTooLong      = "25P03" // the node stood still in the middle of a transaction
)

// diskFull is the SQLSTATE of a write that found no room.
const diskFull = "53100"

// featureNotSupported is the SQLSTATE of, among other things, a prepared statement whose columns have other types since.
const featureNotSupported = "0A000"

// SQLSTATEs of transactions that PostgreSQL broke to settle a conflict.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// primaryCode is the part of SQLite's codes that says what, and not why.
const primaryCode = 0xff

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
	case errors.Is(err, postgres.ErrUnreachable), errors.Is(err, postgres.ErrReadOnly):
		passing = true
	case errors.As(err, &fromPostgres):
		passing = len(fromPostgres.Code) >= 2 && passingClasses[string(fromPostgres.Code)[:2]] ||
			fromPostgres.Code == lockNotAvailable || fromPostgres.Code == idleTooLong
		if fromPostgres.Code == diskFull {
			err = fmt.Errorf("%w: %w", errFull, err)
		}
	case errors.As(err, &fromSQLite):
		switch fromSQLite.Code() & primaryCode {
		case sqlite3.SQLITE_FULL:
			passing, err = true, fmt.Errorf("%w: %w", errFull, err)
		case sqlite3.SQLITE_READONLY:
			passing, err = true, fmt.Errorf("%w: %w", errReadOnly, err)
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
			passing = true
		}
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.As(err, &fromNetwork):
		passing = true
	}
	if passing {
		return fmt.Errorf("%w: %w", refusal.ErrUnavailable, err)
	}
	return withoutValues(err)
}

// settled reports whether the database broke the transaction so that others could go on, or because of a plan that is no
// longer right; run again, it may succeed.
func settled(err error) bool {
	if fromPostgres, ok := errors.AsType[*pq.Error](err); ok {
		return fromPostgres.Code == serializationFailure || fromPostgres.Code == deadlockDetected || outdated(err)
	}
	return false
}

// outdated reports whether an error is of a prepared statement whose columns have other types since, as after a migration of
// another version. The text of the error is in the server's language, so the routine must do.
func outdated(err error) bool {
	fromPostgres, ok := errors.AsType[*pq.Error](err)
	return ok && fromPostgres.Code == featureNotSupported && fromPostgres.Routine == "RevalidateCachedQuery"
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
