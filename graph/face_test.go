package graph

import (
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// An event in which something failed has its errors where clients look for them, and no null where none may be.
func TestAtRoot(t *testing.T) {
	t.Parallel()
	node := ast.PathName("node")
	for _, c := range []struct {
		what, data, want string
		path, placed     ast.Path
	}{
		{"a failed event", `{"e":null}`, `null`, ast.Path{node}, ast.Path{ast.PathName("e"), node}},
		{"a failed event without a path", `{"e":null}`, `null`, nil, ast.Path{ast.PathName("e")}},
		{"an event with a hole", `{"e":{"node":null}}`, `{"e":{"node":null}}`, ast.Path{node}, ast.Path{ast.PathName("e"), node}},
		{"one with its path", `{"e":null}`, `null`, ast.Path{ast.PathName("e"), node}, ast.Path{ast.PathName("e"), node}},
	} {
		response := &graphql.Response{Data: []byte(c.data), Errors: gqlerror.List{{Path: c.path}}}
		atRoot(response, "e")
		if string(response.Data) != c.want || response.Errors[0].Path.String() != c.placed.String() {
			t.Errorf("%s: %s, %v", c.what, response.Data, response.Errors[0].Path)
		}
	}
	good := &graphql.Response{Data: []byte(`{"e":{}}`)}
	if atRoot(good, "e"); string(good.Data) != `{"e":{}}` || good.Errors != nil {
		t.Errorf("a good event became %+v", good)
	}
}
