package graph

import (
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// nullCondition gives a variable that decides a @skip or @include of the operation's document and is null, or "". The
// validation lets a Boolean that may be null stand there if it has a default, and gqlgen panics of an explicit null.
func nullCondition(op *graphql.OperationContext) string {
	null := make(map[string]bool)
	for _, v := range op.Operation.VariableDefinitions {
		if value, given := op.Variables[v.Variable]; given && value == nil && v.Type.NamedType == "Boolean" {
			null[v.Variable] = true
		}
	}
	if len(null) == 0 { // all but always
		return ""
	}
	if found := conditionIn(op.Operation.SelectionSet, null); found != "" {
		return found
	}
	for _, fragment := range op.Doc.Fragments {
		if found := conditionIn(fragment.SelectionSet, null); found != "" {
			return found
		}
	}
	return ""
}

// conditionIn looks for a condition by one of the variables. How deep it goes the limits have bounded.
func conditionIn(set ast.SelectionSet, variables map[string]bool) string {
	for _, selection := range set {
		var (
			directives ast.DirectiveList
			below      ast.SelectionSet
		)
		switch s := selection.(type) {
		case *ast.Field:
			directives, below = s.Directives, s.SelectionSet
		case *ast.InlineFragment:
			directives, below = s.Directives, s.SelectionSet
		case *ast.FragmentSpread:
			directives = s.Directives
		}
		for _, d := range directives {
			if condition := d.Arguments.ForName("if"); condition != nil && condition.Value.Kind == ast.Variable && variables[condition.Value.Raw] {
				return condition.Value.Raw
			}
		}
		if found := conditionIn(below, variables); found != "" {
			return found
		}
	}
	return ""
}
