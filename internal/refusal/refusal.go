// Package refusal holds the error with which a domain refuses what a person asked for: something that the person can
// mend or has to accept, never a fault of the program. Every domain declares its own codes; graph turns refusals into
// the userErrors of a payload.
package refusal

import (
	"errors"
	"time"
)

// ErrUnavailable is no refusal but a fault that passes by itself: the database is away or too busy. Stores wrap it, so
// that whoever answers a client can say "try again" instead of "something broke".
var ErrUnavailable = errors.New("unavailable")

// Code names a refusal; clients branch on it. The codes of the API are the enum UserErrorCode.
type Code string

// The codes that texts and choices of any domain can be refused with.
const (
	TooLong  Code = "TOO_LONG"
	TooShort Code = "TOO_SHORT"
	Invalid  Code = "INVALID"
	Blank    Code = "BLANK"
	Taken    Code = "TAKEN"
)

// Error is a refusal. The change it answers did not happen, none of it.
type Error struct {
	Code    Code
	Message string    // for a person, in English; says what to do where something can be done
	Field   []string  // the path of the culprit inside the mutation's input; nil when it is no single field
	RetryAt time.Time // when the same would be allowed; zero when unknown, never or not to be told
}

// Error gives the code and the message.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// New refuses with a code and a message, blaming the field at the given path, if any.
func New(code Code, message string, field ...string) *Error {
	return &Error{Code: code, Message: message, Field: field}
}
