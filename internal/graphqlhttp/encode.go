package graphqlhttp

import (
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
)

// AppendResponse appends a response as JSON: the errors first, where a reader of logs looks, and data only where
// something was executed. The data, which was encoded already, is copied and not encoded again.
func AppendResponse(b []byte, response *graphql.Response) []byte {
	b = append(b, '{')
	if len(response.Errors) > 0 {
		b = appendMember(b, "errors", response.Errors)
	}
	if response.Data != nil {
		b = appendKey(b, "data")
		b = append(b, response.Data...)
	}
	if len(response.Extensions) > 0 {
		b = appendMember(b, "extensions", response.Extensions)
	}
	return append(b, '}')
}

func appendKey(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(b, '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

func appendMember(b []byte, name string, value any) []byte {
	encoded, err := json.Marshal(value)
	if err != nil { // an extension that cannot be encoded is a fault of ours
		encoded = []byte(`null`)
	}
	return append(appendKey(b, name), encoded...)
}
