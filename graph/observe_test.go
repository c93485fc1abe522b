package graph

import (
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/acquaint/acquaint/graph/generated"
)

// An operation is named by its root field, whatever its client calls things; and there are few names.
func TestFieldOfOperation(t *testing.T) {
	t.Parallel()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	o := newObserved(nil, schema)
	var bomb strings.Builder // each fragment is used twice by the one before it
	bomb.WriteString(`{ ...F0 }`)
	for i := range 40 {
		fmt.Fprintf(&bomb, " fragment F%d on Query { ...F%d ...F%d }", i, i+1, i+1)
	}
	bomb.WriteString(` fragment F40 on Query { viewer { id } }`)
	for document, want := range map[string]string{
		`{ viewer { id } }`:                              "viewer",
		`query member { a: viewer { id } }`:              "viewer",
		`{ a: viewer { id } b: viewer { id } }`:          "viewer",
		`{ viewer { id } member(handle: "x") { id } }`:   SeveralFields,
		`{ viewer { id } __typename }`:                   "viewer",
		`{ __typename viewer { id } }`:                   "viewer",
		`{ __typename }`:                                 IntrospectField,
		`{ __schema { queryType { name } } __typename }`: IntrospectField,
		`{ ... on Query { ...F } } fragment F on Query { member(handle: "x") { id } }`: "member",
		`mutation { exportMyData { data } }`:                                           "exportMyData",
		`subscription x { networkChanged { kind } }`:                                   "networkChanged",
		bomb.String(): "viewer",
	} {
		doc, errs := gqlparser.LoadQueryWithRules(schema, document, validationRules())
		if errs != nil {
			t.Fatalf("%.80s: %v", document, errs)
		}
		if got := o.fieldOf(doc.Operations[0]); got != want {
			t.Errorf("%.80s is %q, want %q", document, got, want)
		}
	}
	for name := range o.fields {
		if strings.HasPrefix(name, "_") {
			t.Errorf("%s is a name", name)
		}
	}
}

// What came of an operation: a code, whether userErrors were given under whatever key, or nothing special.
func TestOutcome(t *testing.T) {
	t.Parallel()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	const aliased = `mutation { a: exportMyData { why: userErrors { code } data } }`
	for _, c := range []struct {
		document string
		response *graphql.Response
		want     string
	}{
		{`{ viewer { id } }`, nil, OutcomeCancelled},
		{`{ viewer { id } }`, &graphql.Response{Data: []byte(`{}`)}, OutcomeOK},
		{`{ viewer { id } }`, &graphql.Response{Errors: gqlerror.List{Error(CodeUnavailable, "x")}}, CodeUnavailable},
		{`{ viewer { id } }`, &graphql.Response{Errors: gqlerror.List{{Message: "x"}}}, CodeInternal},
		{aliased, &graphql.Response{Data: []byte(`{"a":{"why":[],"data":"\"why\":[{"}}`)}, OutcomeOK},
		{aliased, &graphql.Response{Data: []byte(`{"a":{"why":[{"code":"INVALID"}],"data":""}}`)}, OutcomeUserError},
		{`mutation { exportMyData { data } }`, &graphql.Response{Data: []byte(`{"exportMyData":{"data":"{\"userErrors\":[{"}}`)}, OutcomeOK},
	} {
		doc, errs := gqlparser.LoadQueryWithRules(schema, c.document, validationRules())
		if errs != nil {
			t.Fatal(errs)
		}
		op := &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], Variables: map[string]any{}}
		if got := outcomeOf(op, c.response); got != c.want {
			t.Errorf("%s with %+v: %s, want %s", c.document, c.response, got, c.want)
		}
	}
	if got := outcomeOf(&graphql.OperationContext{Operation: (*ast.OperationDefinition)(nil)}, &graphql.Response{Errors: gqlerror.List{Error(CodeParseFailed, "x")}}); got != CodeParseFailed {
		t.Errorf("without an operation: %s", got)
	}
}
