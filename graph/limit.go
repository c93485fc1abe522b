package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// Limits are how much a document may ask for. They are counted before it is validated, in time linear in its length:
// what a fragment costs is counted once, however often and deeply it is used.
type Limits struct {
	Tokens      int // of the document; also keeps the parser's stack within bounds
	Depth       int // of nested fields, fragments unfolded, and of nested values
	Complexity  int // 1 a field; what is under a paged field counts once per item of its page
	RootAliases int // of the fields of the operation itself
	Directives  int // in the whole document
}

// DefaultLimits are the limits where the operator sets none.
func DefaultLimits() Limits {
	return Limits{Tokens: 5000, Depth: 15, Complexity: 5000, RootAliases: 30, Directives: 200}
}

// introspectionLists are the fields of introspection that each give a list of types with fields of their own; more than
// introspectionDepth of them nested would unfold the schema into itself again and again.
var introspectionLists = map[string]bool{"fields": true, "inputFields": true, "possibleTypes": true, "interfaces": true}

const introspectionDepth = 2

// repetitionsMost is how many fields of a document may have the same key in the response. Validation compares those of one
// place pair by pair.
const repetitionsMost = 250

// limiter is the extension that holds documents to the limits.
type limiter struct {
	limits Limits
	paged  map[string]bool // the names of fields that take first or last
	cache  graphql.Cache[*ast.QueryDocument]
	// limited is told which limit was passed; nil for nobody.
	limited func(limit string)
}

var _ graphql.OperationParameterMutator = (*limiter)(nil)

func newLimiter(limits Limits, schema *ast.Schema, cache graphql.Cache[*ast.QueryDocument]) *limiter {
	l := &limiter{limits: limits, paged: make(map[string]bool), cache: cache}
	for _, t := range schema.Types {
		for _, f := range t.Fields {
			if f.Arguments.ForName("first") != nil || f.Arguments.ForName("last") != nil {
				l.paged[f.Name] = true
			}
		}
	}
	return l
}

// ExtensionName implements graphql.HandlerExtension.
func (*limiter) ExtensionName() string { return "Limits" }

// Validate implements graphql.HandlerExtension.
func (*limiter) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters implements graphql.OperationParameterMutator: it changes nothing, and refuses what is past a
// limit. A document in the cache has passed all but the complexity, which its variables decide.
func (l *limiter) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	err := l.refuse(ctx, params)
	if err != nil && err.Extensions["code"] == CodeTooComplex && l.limited != nil {
		l.limited(err.Rule)
	}
	return err
}

func (l *limiter) refuse(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	doc, known := l.cache.Get(ctx, params.Query)
	if !known {
		var err error
		doc, err = parser.ParseQueryWithTokenLimit(&ast.Source{Input: params.Query}, l.limits.Tokens)
		if err != nil {
			return l.parseError(err)
		}
	}
	return l.check(doc, params.OperationName, params.Variables, known)
}

// parseError is what a document that cannot be parsed gets. Too many tokens are a limit; gqlparser tells it by the text.
func (l *limiter) parseError(err error) *gqlerror.Error {
	if err.Error() == (&gqlerror.Error{Message: fmt.Sprintf("exceeded token limit of %d", l.limits.Tokens)}).Error() {
		return tooComplex(LimitTokens, "tokens", l.limits.Tokens)
	}
	shown := Error(CodeParseFailed, err.Error())
	if g, ok := err.(*gqlerror.Error); ok { //nolint:errorlint // the parser gives it bare
		shown.Message, shown.Locations = g.Message, g.Locations
	}
	return shown
}

func (l *limiter) check(doc *ast.QueryDocument, operation string, variables map[string]any, known bool) *gqlerror.Error {
	c := counter{limiter: l, fragments: make(map[string]*counts), doc: doc, variables: variables}
	if !known {
		c.keys = make(map[string]int)
	}
	for _, op := range doc.Operations {
		// The one that will run is held to everything; those beside it are validated, and so must not be too deep.
		chosen := operation == "" && len(doc.Operations) == 1 || op.Name == operation
		c.defaults = op.VariableDefinitions
		n := c.selections(op.SelectionSet)
		c.countDirectives(op.Directives)
		c.countVariables(op.VariableDefinitions)
		switch {
		case !known && n.depth > l.limits.Depth:
			return tooComplex(LimitDepth, "levels", l.limits.Depth)
		case !known && n.introspection > introspectionDepth:
			return tooComplex(LimitIntrospection, "nested lists of introspection", introspectionDepth)
		case !known && c.rootAliases(op.SelectionSet, make(map[string]bool)) > l.limits.RootAliases:
			return tooComplex(LimitAliases, "aliases of root fields", l.limits.RootAliases)
		case chosen && n.complexity > l.limits.Complexity:
			return tooComplex(LimitComplexity, "points of complexity (a page counts its items)", l.limits.Complexity)
		}
		c.fragments = make(map[string]*counts) // variables of the next operation are others
	}
	switch {
	case known:
		return nil
	case c.repeated > repetitionsMost:
		return tooComplex(LimitComplexity, "fields of the same name", repetitionsMost)
	case c.directives > l.limits.Directives:
		return tooComplex(LimitDirectives, "directives", l.limits.Directives)
	case c.valueDepth > l.limits.Depth:
		return tooComplex(LimitValueDepth, "levels of nested values", l.limits.Depth)
	}
	return nil
}

// The limits by their names, as Observer.Limited is told of them.
const (
	LimitTokens        = "tokens"
	LimitDepth         = "depth"
	LimitIntrospection = "introspection"
	LimitAliases       = "aliases"
	LimitComplexity    = "complexity"
	LimitDirectives    = "directives"
	LimitValueDepth    = "value_depth"
)

// tooComplex refuses a document for a limit. The name of the limit is in Rule, which is not sent.
func tooComplex(name, of string, limit int) *gqlerror.Error {
	err := Error(CodeTooComplex, fmt.Sprintf("This document has too many %s; the limit is %d.", of, limit))
	err.Rule = name
	return err
}

// counts are what a selection set comes to. They stop growing at the greatest number instead of overflowing.
type counts struct{ depth, complexity, introspection int }

// counter walks one document.
type counter struct {
	*limiter

	doc        *ast.QueryDocument
	fragments  map[string]*counts // counted already; nil for one that is being counted, which is a cycle
	variables  map[string]any
	defaults   ast.VariableDefinitionList
	directives int
	valueDepth int
	keys       map[string]int // how many fields have each key in the response; nil when that is known to be good
	repeated   int            // the most that one has
}

func (c *counter) selections(set ast.SelectionSet) counts {
	total := counts{}
	for _, s := range set {
		var n counts
		switch s := s.(type) {
		case *ast.Field:
			n = c.field(s)
		case *ast.InlineFragment:
			c.countDirectives(s.Directives)
			n = c.selections(s.SelectionSet)
		case *ast.FragmentSpread:
			c.countDirectives(s.Directives)
			n = c.fragment(s.Name)
		}
		total.depth = max(total.depth, n.depth)
		total.introspection = max(total.introspection, n.introspection)
		total.complexity = saturating(total.complexity, n.complexity)
	}
	return total
}

func (c *counter) field(f *ast.Field) counts {
	c.countDirectives(f.Directives)
	c.countValues(f.Arguments)
	if c.keys != nil {
		c.keys[f.Alias]++
		c.repeated = max(c.repeated, c.keys[f.Alias])
	}
	n := c.selections(f.SelectionSet)
	n.depth++
	if introspectionLists[f.Name] {
		n.introspection++
	}
	if c.paged[f.Name] || f.Arguments.ForName("ids") != nil { // with ids it gives an item for each
		if items := max(c.items(f.Arguments), 1); n.complexity > math.MaxInt32/items { // of none at all it is read, too
			n.complexity = math.MaxInt32
		} else {
			n.complexity *= items
		}
	}
	n.complexity = saturating(n.complexity, 1)
	return n
}

func (c *counter) fragment(name string) counts {
	if n, counted := c.fragments[name]; counted {
		if n == nil { // a cycle, which validation refuses
			return counts{}
		}
		return *n
	}
	definition := c.doc.Fragments.ForName(name)
	if definition == nil { // validation refuses it
		return counts{}
	}
	c.fragments[name] = nil
	c.countDirectives(definition.Directives)
	c.countVariables(definition.VariableDefinition)
	n := c.selections(definition.SelectionSet)
	c.fragments[name] = &n
	return n
}

// length is how many values a list has: of a variable, or its default; as many as a page where that is unknown.
func (c *counter) length(v *ast.Value) int {
	if v.Kind != ast.Variable {
		return max(1, len(v.Children)) // a single value is a list of one
	}
	if given, ok := c.variables[v.Raw]; ok {
		if list, ok := given.([]any); ok {
			return len(list)
		}
		return 1
	}
	if d := c.defaults.ForName(v.Raw); d != nil && d.DefaultValue != nil && d.DefaultValue.Kind != ast.Variable {
		return c.length(d.DefaultValue)
	}
	return pageMax
}

// items is how many items the page of a field has at most.
func (c *counter) items(arguments ast.ArgumentList) int {
	items := -1
	if ids := arguments.ForName("ids"); ids != nil {
		return min(c.length(ids.Value), pageMax) // more is refused by the field
	}
	for _, name := range []string{"first", "last"} {
		if a := arguments.ForName(name); a != nil {
			items = max(items, c.number(a.Value))
		}
	}
	if items < 0 {
		return pageDefault
	}
	return min(items, pageMax) // more is refused by the field
}

// number reads a whole number, from a variable or its default where it is one; -1 for anything else.
func (c *counter) number(v *ast.Value) int {
	if v.Kind == ast.Variable {
		given, ok := c.variables[v.Raw]
		if !ok {
			if d := c.defaults.ForName(v.Raw); d != nil && d.DefaultValue != nil {
				return c.number(d.DefaultValue)
			}
		}
		switch given := given.(type) {
		case json.Number:
			return number(string(given))
		case float64:
			return number(strconv.FormatFloat(given, 'f', 0, 64))
		case int:
			return given
		}
		return -1
	}
	if v.Kind != ast.IntValue {
		return -1
	}
	return number(v.Raw)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// rootAliases counts the aliased fields of an operation itself, through fragments, each fragment once.
func (c *counter) rootAliases(set ast.SelectionSet, seen map[string]bool) int {
	n := 0
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if s.Alias != s.Name {
				n++
			}
		case *ast.InlineFragment:
			n += c.rootAliases(s.SelectionSet, seen)
		case *ast.FragmentSpread:
			if definition := c.doc.Fragments.ForName(s.Name); definition != nil && !seen[s.Name] {
				seen[s.Name] = true
				n += c.rootAliases(definition.SelectionSet, seen)
			}
		}
	}
	return n
}

func (c *counter) countDirectives(list ast.DirectiveList) {
	c.directives += len(list)
	for _, d := range list {
		c.countValues(d.Arguments)
	}
}

func (c *counter) countVariables(list ast.VariableDefinitionList) {
	for _, v := range list {
		c.countDirectives(v.Directives)
		if v.DefaultValue != nil {
			c.valueDepth = max(c.valueDepth, valueDepth(v.DefaultValue))
		}
	}
}

func (c *counter) countValues(arguments ast.ArgumentList) {
	for _, a := range arguments {
		c.valueDepth = max(c.valueDepth, valueDepth(a.Value))
	}
}

// valueDepth is how deep lists and objects are nested in a literal.
func valueDepth(v *ast.Value) int {
	deepest := 0
	for _, child := range v.Children {
		deepest = max(deepest, valueDepth(child.Value))
	}
	if v.Kind == ast.ListValue || v.Kind == ast.ObjectValue {
		deepest++
	}
	return deepest
}

// saturating adds without passing the greatest number.
func saturating(a, b int) int {
	if a > math.MaxInt32-b {
		return math.MaxInt32
	}
	return a + b
}
