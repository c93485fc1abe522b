package graphqlws

import (
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/acquaint/acquaint/internal/graphqlhttp"
)

// appendResponse appends a response as the payload of a next message.
func appendResponse(response *graphql.Response) func([]byte) []byte {
	return func(b []byte) []byte { return graphqlhttp.AppendResponse(b, response) }
}

// appendErrors appends errors as the payload of an error message.
func appendErrors(errs gqlerror.List) func([]byte) []byte {
	return func(b []byte) []byte {
		encoded, err := json.Marshal(errs)
		if err != nil { // an extension that cannot be encoded is a fault of ours
			encoded = []byte(`[{"message":"Something went wrong on our side."}]`)
		}
		return append(b, encoded...)
	}
}
