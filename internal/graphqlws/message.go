package graphqlws

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"github.com/acquaint/acquaint/internal/graphqlhttp"
)

// The types of messages.
const (
	typeInit      = "connection_init"
	typeAck       = "connection_ack"
	typePing      = "ping"
	typePong      = "pong"
	typeSubscribe = "subscribe"
	typeNext      = "next"
	typeError     = "error"
	typeComplete  = "complete"
)

// message is what a client sent.
type message struct {
	kind    string
	id      string
	init    map[string]any     // of connection_init; may be nil
	request *graphql.RawParams // of subscribe
}

// idMax bounds the ids that a client makes up, in bytes.
const idMax = 256

var errNotProtocol = errors.New("not a message of the protocol")

// parse reads a message of a client. Everything that the protocol does not allow is errNotProtocol.
func parse(raw []byte) (message, error) {
	// Into a map, as a struct would take names in any case of letters.
	var fields map[string]json.RawMessage
	var m message
	if !utf8.Valid(raw) || json.Unmarshal(raw, &fields) != nil || !text(fields["type"], &m.kind) {
		return message{}, errNotProtocol
	}
	switch m.kind {
	case typeInit, typePing, typePong:
		payload, err := object(fields["payload"])
		if err != nil {
			return message{}, errNotProtocol
		}
		m.init = payload
		return m, nil
	case typeSubscribe, typeComplete:
		if !text(fields["id"], &m.id) || m.id == "" || len(m.id) > idMax {
			return message{}, errNotProtocol
		}
	default:
		return message{}, errNotProtocol
	}
	if m.kind == typeSubscribe {
		request, err := parseRequest(fields["payload"])
		if err != nil {
			return message{}, err
		}
		m.request = request
	}
	return m, nil
}

func parseRequest(raw json.RawMessage) (*graphql.RawParams, error) {
	var fields map[string]json.RawMessage
	request := &graphql.RawParams{}
	if json.Unmarshal(raw, &fields) != nil {
		return nil, errNotProtocol
	}
	var document string // the id of a persisted document, which may stand for the query
	if id := fields["documentId"]; len(id) > 0 && (!text(id, &document) || document == "") {
		return nil, errNotProtocol
	}
	if !text(fields["query"], &request.Query) && (document == "" || len(fields["query"]) > 0) {
		return nil, errNotProtocol
	}
	if name := fields["operationName"]; len(name) > 0 && string(name) != "null" && !text(name, &request.OperationName) {
		return nil, errNotProtocol
	}
	var err error
	if request.Variables, err = object(fields["variables"]); err != nil {
		return nil, err
	}
	if request.Extensions, err = object(fields["extensions"]); err != nil {
		return nil, err
	}
	if document != "" {
		graphqlhttp.NameDocument(request, document)
	}
	return request, nil
}

// text reads a string; a null is none.
func text(raw json.RawMessage, into *string) bool {
	var s *string
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil || s == nil {
		return false
	}
	*into = *s
	return true
}

// object reads an object that may be missing or null, with its numbers as they were written.
func object(raw json.RawMessage) (map[string]any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var out map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if decoder.Decode(&out) != nil {
		return nil, errNotProtocol
	}
	return out, nil
}

// encodeMessage makes a message about an operation; payload appends its JSON, or is nil.
func encodeMessage(kind, id string, payload func([]byte) []byte) []byte {
	quoted, err := json.Marshal(id)
	if err != nil {
		panic(err) // strings can be encoded
	}
	b := append([]byte(`{"id":`), quoted...)
	b = append(b, `,"type":"`...)
	b = append(b, kind...)
	b = append(b, '"')
	if payload != nil {
		b = append(b, `,"payload":`...)
		b = payload(b)
	}
	return append(b, '}')
}
