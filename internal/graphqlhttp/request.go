package graphqlhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
)

// Problem is a request that is no well-formed GraphQL request: a status and a message for the client.
type Problem struct {
	Status  int
	Message string
}

func badRequest(message string) *Problem { return &Problem{http.StatusBadRequest, message} }

// read reads the operation of a request, whatever its method.
func read(w http.ResponseWriter, r *http.Request, limit int64) (params *graphql.RawParams, bad *Problem) {
	switch r.Method {
	case http.MethodPost:
		params, bad = readPost(w, r, limit)
	case http.MethodGet, http.MethodHead:
		params, bad = readGet(r)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		return nil, &Problem{http.StatusMethodNotAllowed, "Use POST or GET."}
	}
	if bad == nil {
		params.Headers = r.Header
	}
	return params, bad
}

// readPost reads the body of a POST request of at most limit bytes.
func readPost(w http.ResponseWriter, r *http.Request, limit int64) (*graphql.RawParams, *Problem) {
	name, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || name != typeJSON {
		return nil, &Problem{http.StatusUnsupportedMediaType, "The Content-Type must be application/json."}
	}
	if charset, ok := params["charset"]; ok && !isUTF8(charset) {
		return nil, &Problem{http.StatusUnsupportedMediaType, "The charset must be utf-8."}
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, &Problem{http.StatusUnsupportedMediaType, "The body must not be compressed."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, &Problem{http.StatusRequestEntityTooLarge, "The body is too large."}
		}
		return nil, badRequest("The body could not be read.")
	}
	return ParseBody(body)
}

// ParseBody reads the JSON of a GraphQL request.
func ParseBody(body []byte) (*graphql.RawParams, *Problem) {
	if !utf8.Valid(body) {
		return nil, badRequest("The body is not valid UTF-8.")
	}
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		return nil, badRequest("Batches are not supported: send one request at a time.")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil { // Unmarshal takes no trailing garbage
		return nil, badRequest("The body must be a JSON object.")
	}
	params, bad := ParseParams(fields)
	if bad == nil && params.Query == "" && !named(params) {
		return nil, badRequest(`"query" must be a string that is not empty.`)
	}
	return params, bad
}

// ParseParams reads what an operation is asked for with, over HTTP and over a socket alike. The query may be left out
// where the document is named otherwise; it may never be anything but a text.
func ParseParams(fields map[string]json.RawMessage) (*graphql.RawParams, *Problem) {
	params := &graphql.RawParams{}
	if !optional(fields["operationName"], func(raw json.RawMessage) bool { return Text(raw, &params.OperationName) }) {
		return nil, badRequest(`"operationName" must be a string.`)
	}
	if !optional(fields["variables"], func(raw json.RawMessage) bool { return Object(raw, &params.Variables) }) {
		return nil, badRequest(`"variables" must be an object.`)
	}
	if !optional(fields["extensions"], func(raw json.RawMessage) bool { return Object(raw, &params.Extensions) }) {
		return nil, badRequest(`"extensions" must be an object.`)
	}
	if raw := fields["documentId"]; len(raw) > 0 {
		var id string
		if !Text(raw, &id) || id == "" {
			return nil, badRequest(`"documentId" must be a string that is not empty.`)
		}
		NameDocument(params, id)
	}
	if _, given := fields["query"]; (given || !named(params)) && !Text(fields["query"], &params.Query) {
		return nil, badRequest(`"query" must be a string that is not empty.`)
	}
	return params, nil
}

// named reports whether a request names a persisted document.
func named(params *graphql.RawParams) bool {
	return params.Extensions["documentId"] != nil || params.Extensions["persistedQuery"] != nil
}

// NameDocument puts the id of a persisted document where the executor looks for it.
func NameDocument(params *graphql.RawParams, id string) {
	if params.Extensions == nil {
		params.Extensions = make(map[string]any, 1)
	}
	params.Extensions["documentId"] = id
}

// readGet reads the query of a GET request's URL.
func readGet(r *http.Request) (*graphql.RawParams, *Problem) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("The query string of the URL is malformed.")
	}
	for _, list := range values {
		for _, v := range list {
			if !utf8.ValidString(v) {
				return nil, badRequest("The query string of the URL is not valid UTF-8.")
			}
		}
	}
	params := &graphql.RawParams{Query: values.Get("query"), OperationName: values.Get("operationName")}
	if v := values.Get("variables"); v != "" && !optional([]byte(v), func(raw json.RawMessage) bool { return Object(raw, &params.Variables) }) {
		return nil, badRequest(`"variables" must be a JSON object.`)
	}
	if v := values.Get("extensions"); v != "" && !optional([]byte(v), func(raw json.RawMessage) bool { return Object(raw, &params.Extensions) }) {
		return nil, badRequest(`"extensions" must be a JSON object.`)
	}
	if id := values.Get("documentId"); id != "" {
		NameDocument(params, id)
	}
	if params.Query == "" && !named(params) {
		return nil, badRequest(`"query" must be a string that is not empty.`)
	}
	return params, nil
}

// optional reads a value that may be missing or null.
func optional(raw json.RawMessage, read func(json.RawMessage) bool) bool {
	return len(raw) == 0 || string(bytes.TrimSpace(raw)) == "null" || read(raw)
}

// Text reads a JSON string; a null is none.
func Text(raw json.RawMessage, into *string) bool {
	var s *string
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil || s == nil {
		return false
	}
	*into = *s
	return true
}

// Object reads a JSON object, with its numbers as they were written.
func Object(raw json.RawMessage, into *map[string]any) bool {
	if !json.Valid(raw) { // a Decoder alone would take trailing garbage
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	return decoder.Decode(into) == nil
}
