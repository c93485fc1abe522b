package graphqlhttp_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/acquaint/acquaint/internal/graphqlhttp"
)

// Whatever is sent: no panic, either a request or a problem, and a request only of a JSON object with a query.
func FuzzParseBody(f *testing.F) {
	for _, seed := range []string{
		`{"query":"{ hello }"}`, `{"query":"{ a }","operationName":"A","variables":{"n":1.50},"extensions":{"x":[null]}}`,
		`{"query":"{ a }","operationName":null,"variables":null,"extensions":null}`, `{"query":""}`, `{"query":null}`,
		`{"query":"{ a }","variables":[]}`, `{"query":"{ a }","variables":"{}"}`, `{"query":"\ud800"}`, `{"QUERY":"{ a }"}`,
		`[]`, ` [`, `null`, `{}`, ``, `{"query":"{ a }"} x`, "\xff", "\ufeff{}", `{"query":"a","query":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		params, problem := graphqlhttp.ParseBody(body)
		if !bytes.Equal(body, before) {
			t.Fatal("parsing changed what it read")
		}
		if (params == nil) == (problem == nil) {
			t.Fatalf("gave %v and %v", params, problem)
		}
		if problem != nil {
			return
		}
		var fields map[string]json.RawMessage
		if !utf8.Valid(body) || json.Unmarshal(body, &fields) != nil || params.Query == "" {
			t.Fatalf("took %q for %+v", body, params)
		}
		var query string
		if json.Unmarshal(fields["query"], &query) != nil || query != params.Query || !utf8.ValidString(params.OperationName) {
			t.Fatalf("took %q for %+v", body, params)
		}
		for name, got := range map[string]map[string]any{"variables": params.Variables, "extensions": params.Extensions} {
			raw := bytes.TrimSpace(fields[name])
			if given := len(raw) > 0 && raw[0] == '{'; given != (got != nil) {
				t.Fatalf("took %s %s for %v", name, raw, got)
			}
			if _, err := json.Marshal(got); err != nil {
				t.Fatal(err)
			}
		}
	})
}
