package graphqlws

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
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
	var outer struct {
		Type    *string         `json:"type"`
		ID      *string         `json:"id"`
		Payload json.RawMessage `json:"payload"`
	}
	if !utf8.Valid(raw) || json.Unmarshal(raw, &outer) != nil || outer.Type == nil {
		return message{}, errNotProtocol
	}
	m := message{kind: *outer.Type}
	switch m.kind {
	case typeInit, typePing, typePong:
		payload, err := object(outer.Payload)
		if err != nil {
			return message{}, errNotProtocol
		}
		m.init = payload
		return m, nil
	case typeSubscribe, typeComplete:
		if outer.ID == nil || *outer.ID == "" || len(*outer.ID) > idMax {
			return message{}, errNotProtocol
		}
		m.id = *outer.ID
	default:
		return message{}, errNotProtocol
	}
	if m.kind == typeSubscribe {
		request, err := parseRequest(outer.Payload)
		if err != nil {
			return message{}, err
		}
		m.request = request
	}
	return m, nil
}

func parseRequest(raw json.RawMessage) (*graphql.RawParams, error) {
	var payload struct {
		Query         *string         `json:"query"`
		OperationName *string         `json:"operationName"`
		Variables     json.RawMessage `json:"variables"`
		Extensions    json.RawMessage `json:"extensions"`
	}
	if json.Unmarshal(raw, &payload) != nil || payload.Query == nil {
		return nil, errNotProtocol
	}
	variables, err := object(payload.Variables)
	if err != nil {
		return nil, err
	}
	extensions, err := object(payload.Extensions)
	if err != nil {
		return nil, err
	}
	request := &graphql.RawParams{Query: *payload.Query, Variables: variables, Extensions: extensions}
	if payload.OperationName != nil {
		request.OperationName = *payload.OperationName
	}
	return request, nil
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
