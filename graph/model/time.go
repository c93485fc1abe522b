package model

import (
	"io"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

var errTime = errInput("A Time is a string in RFC 3339, as in 2026-01-31T08:00:00.123Z.")

const timeFormat = `"2006-01-02T15:04:05.000Z"`

// MarshalTime writes an instant as RFC 3339 in UTC, to the millisecond.
func MarshalTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = w.Write(appendTime(make([]byte, 0, len(timeFormat)), t))
	})
}

// UnmarshalTime reads an instant in RFC 3339 with any offset, to the millisecond.
func UnmarshalTime(v any) (time.Time, error) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, errTime
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || strings.Contains(s, ",") { // Go takes a comma for the point
		return time.Time{}, errTime
	}
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 { // an offset can lead beyond
		return time.Time{}, errTime
	}
	return t.Truncate(time.Millisecond), nil
}
