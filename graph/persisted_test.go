package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

func hashOf(query string) string {
	sum := sha256.Sum256([]byte(query))
	return hex.EncodeToString(sum[:])
}

// mutate hands a request to an extension, as the executor does.
func mutate(extension graphql.OperationParameterMutator, params *graphql.RawParams) *gqlerror.Error {
	ctx := graphql.WithOperationContext(context.Background(), &graphql.OperationContext{})
	return extension.MutateOperationParameters(ctx, params)
}

func hashed(query, hash string, version any) *graphql.RawParams {
	return &graphql.RawParams{Query: query, Extensions: map[string]any{
		"persistedQuery": map[string]any{"version": version, "sha256Hash": hash},
	}}
}

func one() json.Number { return json.Number("1") } // as transports decode it

func TestPersisted(t *testing.T) {
	t.Parallel()
	const query = "{ viewer { id } }"
	p := newPersisted()
	if err := mutate(p, hashed("", hashOf(query), one())); err == nil || err.Extensions["code"] != "PERSISTED_QUERY_NOT_FOUND" || err.Message != "PersistedQueryNotFound" {
		t.Fatalf("an unknown hash gave %v", err)
	}
	if err := mutate(p, hashed(query, hashOf(query), one())); err != nil {
		t.Fatal(err)
	}
	params := hashed("", hashOf(query), one())
	if err := mutate(p, params); err != nil || params.Query != query {
		t.Errorf("a known hash gave %q, %v", params.Query, err)
	}
	plain := &graphql.RawParams{Query: query}
	if err := mutate(p, plain); err != nil || plain.Query != query {
		t.Errorf("without a hash: %q, %v", plain.Query, err)
	}
}

func TestPersistedBadInput(t *testing.T) {
	t.Parallel()
	const query = "{ viewer { id } }"
	p := newPersisted()
	for what, bad := range map[string]*graphql.RawParams{
		"hash of another":        hashed(query, hashOf("{ x }"), one()),
		"hash in capitals":       hashed(query, strings.ToUpper(hashOf(query)), one()),
		"no hash":                hashed(query, "", one()),
		"version 2":              hashed(query, hashOf(query), json.Number("2")),
		"no version":             hashed(query, hashOf(query), nil),
		"version 1.5":            hashed(query, hashOf(query), json.Number("1.5")),
		"version beyond numbers": hashed(query, hashOf(query), json.Number("1e400")),
		"a text":                 {Query: query, Extensions: map[string]any{"persistedQuery": "x"}},
		"a list":                 {Query: query, Extensions: map[string]any{"persistedQuery": []any{"x"}}},
		"a number":               {Query: query, Extensions: map[string]any{"persistedQuery": one()}},
		"false":                  {Query: query, Extensions: map[string]any{"persistedQuery": false}},
		"empty":                  {Query: query, Extensions: map[string]any{"persistedQuery": map[string]any{}}},
		"hash no text": {Query: query, Extensions: map[string]any{
			"persistedQuery": map[string]any{"version": one(), "sha256Hash": map[string]any{"x": 1}},
		}},
	} {
		if err := mutate(p, bad); err == nil || err.Extensions["code"] != CodeBadUserInput {
			t.Errorf("%s gave %v", what, err)
		}
		// What was refused is not remembered.
		if err := mutate(p, hashed("", hashOf(query), one())); err == nil || err.Extensions["code"] != "PERSISTED_QUERY_NOT_FOUND" {
			t.Fatalf("after %s: %v", what, err)
		}
	}
}

// longer is a document of so many bytes.
func longer(size int) string { return "{ id }" + strings.Repeat(" ", size-len("{ id }")) }

// What is too long is run, but not kept: in neither cache.
func TestLongDocumentsAreNotKept(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	p, parsed := newPersisted(), newDocuments()
	for size, kept := range map[int]bool{cachedDocumentMax - 1: true, cachedDocumentMax: true, cachedDocumentMax + 1: false} {
		query := longer(size)
		if err := mutate(p, hashed(query, hashOf(query), one())); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		if err := mutate(p, hashed("", hashOf(query), one())); (err == nil) != kept {
			t.Errorf("%d bytes by hash: %v", size, err)
		}
		parsed.Add(ctx, query, &ast.QueryDocument{})
		if _, ok := parsed.Get(ctx, query); ok != kept {
			t.Errorf("%d bytes: parsed and kept is %v", size, ok)
		}
	}
}

// However many documents are sent, so many are kept: those of late.
func TestCachesAreBounded(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	p, parsed := newPersisted(), newDocuments()
	query := func(i int) string { return fmt.Sprintf("{ a%d: __typename }", i) }
	for i := range cachedDocuments + 1 {
		if err := mutate(p, hashed(query(i), hashOf(query(i)), one())); err != nil {
			t.Fatal(err)
		}
		parsed.Add(ctx, query(i), &ast.QueryDocument{})
	}
	known, kept := 0, 0
	for i := range cachedDocuments + 1 {
		if mutate(p, hashed("", hashOf(query(i)), one())) == nil {
			known++
		}
		if _, ok := parsed.Get(ctx, query(i)); ok {
			kept++
		}
	}
	if known != cachedDocuments || kept != cachedDocuments {
		t.Errorf("%d texts and %d documents are kept, want %d", known, kept, cachedDocuments)
	}
	if mutate(p, hashed("", hashOf(query(0)), one())) == nil {
		t.Error("the oldest is kept")
	}
	if _, ok := p.Cache.(texts).Cache.(*lru.LRU[string]); !ok {
		t.Error("the cache is another")
	}
}

func TestTrusted(t *testing.T) {
	t.Parallel()
	const listed, other, stranger = "query A { viewer { id } }", "query B { __typename }", "{ node(id: 1) { id } }"
	documents := newTrusted(TrustedDocuments{"one": listed, hashOf(other): other})
	extensions := func(pairs ...any) map[string]any {
		out := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i].(string)] = pairs[i+1]
		}
		return out
	}
	persistedQuery := func(hash any) map[string]any { return map[string]any{"version": one(), "sha256Hash": hash} }
	for _, c := range []struct {
		what       string
		query      string
		extensions map[string]any
		want       string // "" is FORBIDDEN
	}{
		{"in full", listed, nil, listed},
		{"by id", "", extensions("documentId", "one"), listed},
		{"by id and in full", listed, extensions("documentId", "one"), listed},
		{"by hash", "", extensions("persistedQuery", persistedQuery(hashOf(other))), other},
		{"by hash and in full", other, extensions("persistedQuery", persistedQuery(hashOf(other))), other},
		{"in full, with an unknown hash", listed, extensions("persistedQuery", persistedQuery(hashOf(listed))), listed},
		{"in full, with an unknown id", listed, extensions("documentId", "x"), listed},
		{"id before hash", "", extensions("documentId", "one", "persistedQuery", persistedQuery(hashOf(other))), listed},
		{"an id that is no text", listed, extensions("documentId", 1), listed},
		{"another text", stranger, nil, ""},
		{"the text and a blank", listed + " ", nil, ""},
		{"another text with a known id", stranger, extensions("documentId", "one"), ""},
		{"another trusted text with a known id", other, extensions("documentId", "one"), ""},
		{"another text with a known hash", stranger, extensions("persistedQuery", persistedQuery(hashOf(other))), ""},
		{"another text with its hash", stranger, extensions("persistedQuery", persistedQuery(hashOf(stranger))), ""},
		{"an unknown id", "", extensions("documentId", "x"), ""},
		{"an unknown hash", "", extensions("persistedQuery", persistedQuery(hashOf(stranger))), ""},
		{"an empty id", "", extensions("documentId", ""), ""},
		{"nothing", "", nil, ""},
		{"a hash that is no text", "", extensions("persistedQuery", persistedQuery([]any{"one"})), ""},
		{"an extension that is no object", "", extensions("persistedQuery", "one"), ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			params := &graphql.RawParams{Query: c.query, Extensions: c.extensions}
			err := mutate(documents, params)
			switch {
			case c.want != "" && (err != nil || params.Query != c.want):
				t.Errorf("gave %q, %v", params.Query, err)
			case c.want == "" && (err == nil || err.Extensions["code"] != CodeForbidden):
				t.Errorf("gave %q, %v", params.Query, err)
			case err != nil && (strings.Contains(err.Message, "node") || strings.Contains(err.Message, "viewer")):
				t.Errorf("the refusal tells of the documents: %s", err.Message)
			}
		})
	}
}

func TestReadTrustedDocuments(t *testing.T) {
	t.Parallel()
	write := func(content string) string {
		path := filepath.Join(t.TempDir(), "documents.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	got, err := ReadTrustedDocuments(write(`{"a": "{ x }", "b": "{ y }"}`))
	if err != nil || len(got) != 2 || got["a"] != "{ x }" || got["b"] != "{ y }" {
		t.Errorf("%v, %v", got, err)
	}
	for what, content := range map[string]string{
		"empty": "", "null": "null", "no documents": "{}", "a list": `["{ x }"]`, "broken": `{"a": "{ x }"`,
		"no text": `{"a": {"text": "{ x }"}}`, "null document": `{"a": null}`, "trailing garbage": `{"a": "{ x }"} x`,
		"an empty document": `{"a": ""}`, "an empty id": `{"": "{ x }"}`,
	} {
		path := write(content)
		if got, err := ReadTrustedDocuments(path); err == nil {
			t.Errorf("%s gave %q", what, got)
		} else if strings.Count(err.Error(), path) != 1 {
			t.Errorf("%s: %v does not name the file once", what, err)
		}
	}
	if _, err := ReadTrustedDocuments(filepath.Join(t.TempDir(), "none")); !os.IsNotExist(err) {
		t.Errorf("no file gave %v", err)
	}
}

// A document that nobody could run is found at the start, by its id.
func TestCheckTrusted(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"a": "query A { viewer { id } }", "two": "query A { __typename } query B { viewer { id } }",
		"paged": "query($n: Int) { viewer { connections(first: $n) { nodes { mutualConnections(first: $n) { nodes { id } } } } } }",
		"live":  "subscription { notificationReceived { cursor } }", "schema": introspection,
	}
	if err := TrustedDocuments(good).Check(Limits{}); err != nil {
		t.Error(err)
	}
	for what, c := range map[string]struct{ text, reason string }{
		"no GraphQL":           {"query {", "Expected Name"},
		"an unknown field":     {"query A { viewer { nonsense } }", "nonsense"},
		"an unused variable":   {"query A($x: Int) { viewer { id } }", "never used"},
		"no operation":         {"fragment F on Query { viewer { id } }", "no operation"},
		"too deep":             {nested(16), "levels"},
		"too long":             {"{" + strings.Repeat(" a", 5000) + "}", "tokens"},
		"one bad of two":       {"query A { viewer { id } } query B { nonsense }", "nonsense"},
		"endless nesting":      {strings.Repeat("{a", 400_000), "tokens"},
		"fragments in circles": {"{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "itself"},
	} {
		documents := TrustedDocuments(maps.Clone(good))
		documents["the bad one"] = c.text
		err := documents.Check(Limits{})
		if err == nil || !strings.Contains(err.Error(), `"the bad one"`) || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s gave %v", what, err)
		}
	}
}
