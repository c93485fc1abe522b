package model

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// errInput is an error about a value that does not fit its type: the client's, and safe to show.
func errInput(message string) error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": "BAD_USER_INPUT"}}
}

// MarshalInt writes an Int.
func MarshalInt(n int) graphql.Marshaler { return graphql.MarshalInt(n) }

// MarshalInt64 writes an Int of the domain's; it fits for longer than anybody will collect notifications.
func MarshalInt64(n int64) graphql.Marshaler { return graphql.MarshalInt64(n) }

// UnmarshalInt reads an Int, which is 32 bits in GraphQL.
func UnmarshalInt(v any) (int, error) {
	n, err := UnmarshalInt64(v)
	return int(n), err
}

// UnmarshalInt64 reads an Int, which is 32 bits in GraphQL.
func UnmarshalInt64(v any) (int64, error) {
	var (
		n   int64
		err error
	)
	switch v := v.(type) {
	case int:
		n = int64(v)
	case int64:
		n = v
	case json.Number:
		n, err = strconv.ParseInt(string(v), 10, 64)
	default:
		err = strconv.ErrSyntax
	}
	if err != nil || n > math.MaxInt32 || n < math.MinInt32 {
		return 0, errInput("An Int is a whole number of 32 bits.")
	}
	return n, nil
}
