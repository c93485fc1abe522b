package graphqlws

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, raw string
		want      message
	}{
		{"ping", `{"type":"ping"}`, message{kind: typePing}},
		{"members that nobody knows", ` {"x":[], "type" : "ping"} `, message{kind: typePing}},
		{"init", `{"type":"connection_init","payload":{"a":"b"}}`, message{kind: typeInit, init: map[string]any{"a": "b"}}},
		{"complete", `{"type":"complete","id":"é"}`, message{kind: typeComplete, id: "é"}},
		{"complete with a payload", `{"type":"complete","id":"1","payload":[]}`, message{kind: typeComplete, id: "1"}},
		{
			"the longest id", `{"type":"complete","id":"` + strings.Repeat("x", idMax) + `"}`,
			message{kind: typeComplete, id: strings.Repeat("x", idMax)},
		},
		{
			"subscribe", `{"type":"subscribe","id":"1","payload":{"query":"{ a }"}}`,
			message{kind: typeSubscribe, id: "1", request: &graphql.RawParams{Query: "{ a }"}},
		},
		{
			"nulls", `{"type":"subscribe","id":"1","payload":{"query":"{ a }","operationName":null,"variables":null,"extensions":null}}`,
			message{kind: typeSubscribe, id: "1", request: &graphql.RawParams{Query: "{ a }"}},
		},
		{
			"everything, its numbers as they were written",
			`{"type":"subscribe","id":"1","payload":{"query":"{ a }","operationName":"A","variables":{"n":9007199254740993.10},"extensions":{"m":1e2}}}`,
			message{kind: typeSubscribe, id: "1", request: &graphql.RawParams{
				Query: "{ a }", OperationName: "A",
				Variables:  map[string]any{"n": json.Number("9007199254740993.10")},
				Extensions: map[string]any{"m": json.Number("1e2")},
			}},
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			got, err := parse([]byte(c.raw))
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Fatalf("got %+v, %v\nwant %+v", got, err, c.want)
			}
		})
	}
}

// The names of JSON members are of one case: what is written otherwise is another name.
func TestParseNamesAreOfOneCase(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		`{"Type":"ping"}`,
		`{"type":"complete","ID":"1"}`,
		`{"type":"subscribe","id":"1","payload":{"Query":"{ a }"}}`,
	} {
		if got, err := parse([]byte(raw)); err == nil {
			t.Errorf("%s is taken for %+v", raw, got)
		}
	}
	if got, err := parse([]byte(`{"type":"ping","TYPE":"connection_init"}`)); err != nil || got.kind != typePing {
		t.Errorf("a member that nobody knows made a ping %q (%v)", got.kind, err)
	}
}

func TestAppendMessage(t *testing.T) {
	t.Parallel()
	got := appendMessage(nil, typeNext, `a"b`, func(b []byte) []byte { return append(b, `{"data":1}`...) })
	if want := `{"id":"a\"b","type":"next","payload":{"data":1}}`; string(got) != want {
		t.Errorf("got %s", got)
	}
	if got := appendMessage(nil, typeComplete, "1", nil); string(got) != `{"id":"1","type":"complete"}` {
		t.Errorf("got %s", got)
	}
}

// Whatever is sent: no panic, and what is taken is what the protocol allows.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"type":"ping"}`, `{"type":"pong","payload":null}`, `{"type":"connection_init","payload":{"Authorization":"Bearer x"}}`,
		`{"type":"subscribe","id":"1","payload":{"query":"{ a }","variables":{"n":1.50},"operationName":"A","extensions":{}}}`,
		`{"type":"subscribe","id":"","payload":{"query":""}}`, `{"type":"subscribe","id":"1","payload":{"query":"{ a }","variables":[]}}`,
		`{"type":"complete","id":"1"}`, `{"type":null}`, `null`, `[]`, ``, "\xff", `{"type":"ping"}{}`, `{"type":"next","id":"1"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		m, err := parse(raw)
		if !bytes.Equal(raw, before) {
			t.Fatal("parsing changed what it read")
		}
		if err != nil {
			if !reflect.DeepEqual(m, message{}) {
				t.Fatalf("%v, and yet %+v", err, m)
			}
			return
		}
		if !json.Valid(raw) || !utf8.Valid(raw) {
			t.Fatalf("took %q", raw)
		}
		switch m.kind {
		case typeInit, typePing, typePong:
			if m.id != "" || m.request != nil {
				t.Fatalf("a %s with %+v", m.kind, m)
			}
		case typeSubscribe, typeComplete:
			if m.id == "" || len(m.id) > idMax || (m.request != nil) != (m.kind == typeSubscribe) {
				t.Fatalf("a %s with %+v", m.kind, m)
			}
		default:
			t.Fatalf("took a %q", m.kind)
		}
		if reply := appendMessage(nil, typeComplete, m.id, nil); !json.Valid(reply) {
			t.Fatalf("the id %q gave %s", m.id, reply)
		}
	})
}
