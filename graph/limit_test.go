package graph

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/acquaint/acquaint/graph/generated"
)

func testLimiter(limits Limits) *limiter {
	return newLimiter(limits, generated.NewExecutableSchema(generated.Config{}).Schema(), newDocuments())
}

// introspection is what every client library sends to read the schema; it must pass.
const introspection = `query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name }
	types { ...FullType } directives { name description locations args { ...InputValue } } } }
fragment FullType on __Type { kind name description
	fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
	inputFields { ...InputValue } interfaces { ...TypeRef } enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }`

// doubling is a document of a few lines whose fragments unfold to 2^n fields.
func doubling(n int) string {
	var b strings.Builder
	b.WriteString("{ viewer { member { ...f0 } } }\n")
	for i := range n {
		fmt.Fprintf(&b, "fragment f%d on Member { ...f%d ...f%d }\n", i, i+1, i+1)
	}
	fmt.Fprintf(&b, "fragment f%d on Member { id }\n", n)
	return b.String()
}

// nested is a document with fields nested so deep.
func nested(depth int) string { return strings.Repeat("{a", depth) + strings.Repeat("}", depth) }

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what      string
		query     string
		variables map[string]any
		refused   string // a word of the message; "" for not
	}{
		{"introspection", introspection, nil, ""},
		{"introspection of itself", `{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }`, nil, "introspection"},
		{"introspection of itself by fragments", `{ __schema { types { ...a } } } fragment a on __Type { possibleTypes { ...b } } fragment b on __Type { interfaces { ...c } } fragment c on __Type { inputFields { name } }`, nil, "introspection"},
		{"15 levels", nested(15), nil, ""},
		{"16 levels", nested(16), nil, "levels"},
		{"16 levels by fragments", `{ a { a { a { a { a { a { a { ...f } } } } } } } } fragment f on X { a { a { a { a { a { a { a { a { a } } } } } } } } }`, nil, "levels"},
		{"a page of the default size", `{ viewer { connections { nodes { id } } } }`, nil, ""},
		{"pages of pages", `{ viewer { connections(first: 100) { nodes { mutualConnections(first: 100) { nodes { id } } } } } }`, nil, "complexity"},
		{"pages of pages by the default size", `{ viewer { connections { nodes { mutualConnections { nodes { mutualConnections { nodes { id } } } } } } } }`, nil, "complexity"},
		{"pages of others' pages", `{ viewer { connections(first: 100) { nodes { connections(first: 100) { nodes { id } } } } } }`, nil, "complexity"},
		{"a page by a variable", `query($n: Int) { viewer { connections(first: $n) { nodes { mutualConnections(first: $n) { nodes { id } } } } } }`, map[string]any{"n": 100}, "complexity"},
		{"a small page by a variable", `query($n: Int) { viewer { connections(first: $n) { nodes { mutualConnections(first: $n) { nodes { id } } } } } }`, map[string]any{"n": 2}, ""},
		{"a page by a variable's default", `query($n: Int = 100) { viewer { connections(first: $n) { nodes { mutualConnections(first: $n) { nodes { id } } } } } }`, nil, "complexity"},
		{"pages of objects by id", `query($i: [ID!]!) { nodes(ids: $i) { ... on Member { mutualConnections(first: 100) { nodes { id } } } } }`, map[string]any{"i": make([]any, 100)}, "complexity"},
		{"pages of a few objects by id", `query($i: [ID!]!) { nodes(ids: $i) { ... on Member { mutualConnections(first: 100) { nodes { id } } } } }`, map[string]any{"i": make([]any, 5)}, ""},
		{"pages of objects by id, in the document", `{ nodes(ids: ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z"]) { ... on Member { mutualConnections(first: 100) { nodes { id } } } } }`, nil, "complexity"},
		{"pages of objects by id, who knows how many", `query($i: [ID!]!) { nodes(ids: $i) { ... on Member { mutualConnections(first: 100) { nodes { id } } } } }`, nil, "complexity"},
		{"pages backward", `{ viewer { notifications(last: 100) { nodes { actor { mutualConnections(first: 100) { totalCount } } } } } }`, nil, "complexity"},
		{"pages of none, which are read, too", pagesOfNone(20), nil, "complexity"},
		{"250 fields of one name", "{ viewer {" + strings.Repeat(" id", 250) + " } }", nil, ""},
		{"251 fields of one name", "{ viewer {" + strings.Repeat(" id", 251) + " } }", nil, "name"},
		{"251 fields of one name by fragments", "{ viewer { ...a ...b } } fragment a on Viewer {" + strings.Repeat(" id", 100) + " } fragment b on Viewer {" + strings.Repeat(" id: id", 151) + " }", nil, "name"},
		{"doubling fragments", doubling(40), nil, "complexity"},
		{"fragments in a circle", `{ viewer { ...a } } fragment a on Viewer { ...b } fragment b on Viewer { ...a }`, nil, ""}, // validation refuses it
		{"30 aliases", "{" + aliases(30) + "}", nil, ""},
		{"31 aliases", "{" + aliases(31) + "}", nil, "aliases"},
		{"31 aliases by a fragment", "{ ...f } fragment f on Query {" + aliases(31) + "}", nil, "aliases"},
		{"200 directives", "{ viewer { id" + strings.Repeat(" @include(if: true)", 200) + " } }", nil, ""},
		{"201 directives", "{ viewer { id" + strings.Repeat(" @include(if: true)", 201) + " } }", nil, "directives"},
		{"nested values", "{ a(x: " + strings.Repeat("[", 16) + strings.Repeat("]", 16) + ") }", nil, "values"},
		{"nested values of a variable's default", "query($v: X = " + strings.Repeat("[", 16) + strings.Repeat("]", 16) + ") { a(x: $v) }", nil, "values"},
		{"nested values of a directive", "query @d(x: " + strings.Repeat("[", 16) + strings.Repeat("]", 16) + ") { a }", nil, "values"},
		{"nested values of a variable's directive", "query($v: X @d(x: " + strings.Repeat("[", 16) + strings.Repeat("]", 16) + ")) { a(x: $v) }", nil, "values"},
		{"201 directives of variables", "query($v: X" + strings.Repeat(" @d", 201) + ") { a(x: $v) }", nil, "directives"},
		{"many tokens", "{" + strings.Repeat(" a", 5000) + "}", nil, "tokens"},
		{"deep beyond any stack", strings.Repeat("{a", 400_000), nil, "tokens"},
		{"values deep beyond any stack", "{a(x:" + strings.Repeat("[", 400_000), nil, "tokens"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			err := testLimiter(DefaultLimits()).MutateOperationParameters(context.Background(), &graphql.RawParams{Query: c.query, Variables: c.variables})
			switch {
			case c.refused == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.refused != "" && (err == nil || err.Extensions["code"] != CodeTooComplex || !strings.Contains(err.Message, c.refused)):
				t.Errorf("got %v, want a refusal for %s", err, c.refused)
			}
		})
	}
}

// pagesOfNone asks under n aliases for n actors, each under n aliases.
func pagesOfNone(n int) string {
	times := func(of string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " x%d: %s", i, of)
		}
		return "{" + b.String() + " }"
	}
	return "{ viewer { notifications(first: 0) " + times("nodes { ...A }") + " } } fragment A on Notification " +
		times("actor { ...M }") + " fragment M on Member " + times("id")
}

func aliases(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d: __typename", i)
	}
	return b.String()
}

// What is in the cache is held to the complexity that its variables make, every time.
func TestLimitsOfCachedDocuments(t *testing.T) {
	t.Parallel()
	l := testLimiter(DefaultLimits())
	const query = `query($n: Int) { viewer { connections(first: $n) { nodes { mutualConnections(first: $n) { nodes { id } } } } } }`
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatal(err)
	}
	l.cache.Add(context.Background(), query, doc)
	for n, refused := range map[int]bool{1: false, 20: false, 100: true} {
		got := l.MutateOperationParameters(context.Background(), &graphql.RawParams{Query: query, Variables: map[string]any{"n": n}})
		if (got != nil) != refused {
			t.Errorf("%d: %v", n, got)
		}
	}
}

// naive counts as the rules are worded, unfolding every fragment at every use; false when that takes too long.
func naive(l *limiter, doc *ast.QueryDocument, set ast.SelectionSet, open map[string]bool, budget *int) (depth, complexity int, ok bool) {
	for _, s := range set {
		if *budget--; *budget < 0 {
			return 0, 0, false
		}
		d, n := 0, 0
		switch s := s.(type) {
		case *ast.Field:
			if d, n, ok = naive(l, doc, s.SelectionSet, open, budget); !ok {
				return 0, 0, false
			}
			d++
			if l.paged[s.Name] {
				c := counter{limiter: l}
				n *= c.items(s.Arguments)
			}
			n++
		case *ast.InlineFragment:
			if d, n, ok = naive(l, doc, s.SelectionSet, open, budget); !ok {
				return 0, 0, false
			}
		case *ast.FragmentSpread:
			definition := doc.Fragments.ForName(s.Name)
			if definition == nil {
				continue
			}
			if open[s.Name] { // a cycle
				return 0, 0, false
			}
			open[s.Name] = true
			d, n, ok = naive(l, doc, definition.SelectionSet, open, budget)
			delete(open, s.Name)
			if !ok {
				return 0, 0, false
			}
		}
		depth, complexity = max(depth, d), complexity+n
	}
	return depth, complexity, true
}

// Whatever is sent, counting is quick and does not break; and where counting as the rules are worded can be done, it
// comes to the same.
func FuzzLimits(f *testing.F) {
	for _, seed := range []string{
		introspection, doubling(5), doubling(40), nested(20), `{ viewer { ...a } } fragment a on Viewer { ...b id } fragment b on Viewer { ...a }`,
		`query($n: Int = 3) { viewer { connections(first: $n) { nodes { id } } notifications(last: 2) { nodes { id } } } }`,
		`{ a(x: [[{y: [1, 2]}]]) @skip(if: false) { ... on X @include(if: true) { b } ...f } } fragment f on X { c { ...g } d: c { ...g } } fragment g on Y { connections { id } }`,
		`query A { a } query B { connections(first: 100) { connections { connections { id } } } }`, `{`, ``, `{ a(x: "\u0000") }`,
	} {
		f.Add(seed)
	}
	l := testLimiter(Limits{Tokens: 2000, Depth: math.MaxInt32, Complexity: math.MaxInt32, RootAliases: math.MaxInt32, Directives: math.MaxInt32})
	f.Fuzz(func(t *testing.T, query string) {
		began := time.Now()
		_ = l.MutateOperationParameters(context.Background(), &graphql.RawParams{Query: query})
		doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, l.limits.Tokens)
		if err != nil || doc == nil {
			return
		}
		for _, op := range doc.Operations {
			c := counter{limiter: l, doc: doc, fragments: make(map[string]*counts)}
			got := c.selections(op.SelectionSet)
			budget := 100_000
			depth, complexity, ok := naive(l, doc, op.SelectionSet, map[string]bool{}, &budget)
			if ok && complexity < math.MaxInt32 && (got.depth != depth || got.complexity != complexity) {
				t.Errorf("%s\ncounted %+v, want %d and %d", query, got, depth, complexity)
			}
		}
		const far = 30 * time.Second // nothing but exponential time comes near it
		if took := time.Since(began); took > far {
			t.Errorf("%q took %v", query, took)
		}
	})
}
