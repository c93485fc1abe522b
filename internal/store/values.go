package store

import (
	"errors"

	"github.com/lib/pq"
)

// dataException is the class of PostgreSQL's SQLSTATE whose messages quote values, as in: invalid input syntax for type
// integer: "what a member wrote". Those of other classes name tables, columns and constraints; the rows that a detail shows
// are in no error's text.
const dataException = "22"

// withoutValues keeps what a member wrote out of an error's text, and so out of logs.
func withoutValues(err error) error {
	if _, done := errors.AsType[*valueError](err); done {
		return err
	}
	if fromPostgres, ok := errors.AsType[*pq.Error](err); ok && string(fromPostgres.Code.Class()) == dataException {
		return &valueError{err, "pq: " + fromPostgres.Code.Name() + " (" + string(fromPostgres.Code) + ")"}
	}
	return err
}

// valueError is an error by another text.
type valueError struct {
	cause error
	text  string
}

func (e *valueError) Error() string { return e.text }

func (e *valueError) Unwrap() error { return e.cause }
