package graphqlws

import (
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
	if !utf8.Valid(raw) || json.Unmarshal(raw, &fields) != nil || !graphqlhttp.Text(fields["type"], &m.kind) {
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
		if !graphqlhttp.Text(fields["id"], &m.id) || m.id == "" || len(m.id) > idMax {
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
	if json.Unmarshal(raw, &fields) != nil {
		return nil, errNotProtocol
	}
	request, bad := graphqlhttp.ParseParams(fields)
	if bad != nil {
		return nil, errNotProtocol
	}
	return request, nil
}

// object reads an object that may be missing or null.
func object(raw json.RawMessage) (map[string]any, error) {
	var out map[string]any
	if len(raw) > 0 && !graphqlhttp.Object(raw, &out) {
		return nil, errNotProtocol
	}
	return out, nil
}

// appendMessage appends a message about an operation; payload appends its JSON, or is nil.
func appendMessage(b []byte, kind, id string, payload func([]byte) []byte) []byte {
	b = append(b, `{"id":`...)
	b = appendText(b, id)
	b = append(b, `,"type":"`...)
	b = append(b, kind...)
	b = append(b, '"')
	if payload != nil {
		b = append(b, `,"payload":`...)
		b = payload(b)
	}
	return append(b, '}')
}

// appendText appends a string as JSON.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic(err) // strings can be encoded
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
