package graph

import (
	"context"
	"reflect"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/id"
)

// plan is what notificationReceived is to write for each event, worked out once when the subscription starts. gqlgen
// works it out again for every event, field by field, which takes longer than the rest of a delivery. A plan knows the
// fields that are values of the notification, and those that are values of its actor (model/leaf.go); a selection with
// any other has none, and is executed by gqlgen.
type plan struct {
	root   write
	actors bool // events want their actors
}

// event is what is written: an edge and, where the plan wants it, the node's actor.
type event struct {
	edge  *model.NotificationEdge
	actor *model.Member // nil for none
}

// write appends a value of an event as JSON.
type write func(b []byte, e *event) []byte

// append appends the data of the response for an event.
func (p *plan) append(b []byte, e *event) []byte { return p.root(b, e) }

// plans makes plans, and keeps them: all clients of an app have the same document.
type plans struct {
	schema *ast.Schema
	kept   *lru.Cache[planKey, *plan]
}

// planKey is an operation of a cached document and what @skip and @include say in it: the values of the Boolean variables.
// The field alone would not do: operations may share it, by a fragment, and select more beside it.
type planKey struct {
	operation *ast.OperationDefinition
	booleans  string
}

func newPlans(schema *ast.Schema) *plans {
	kept, err := lru.New[planKey, *plan](cachedDocuments)
	if err != nil {
		panic(err) // the size is good
	}
	return &plans{schema, kept}
}

// of gives the plan of the subscription field that is being resolved, or nil.
func (p *plans) of(ctx context.Context) *plan {
	op, field := graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field
	key := planKey{op.Operation, booleans(op)}
	if known, ok := p.kept.Get(key); ok {
		return known
	}
	made := (&planner{plans: p, op: op}).plan(field)
	if len(op.RawQuery) <= cachedDocumentMax { // it holds its document
		p.kept.Add(key, made)
	}
	return made
}

func booleans(op *graphql.OperationContext) string {
	var b strings.Builder
	for _, v := range op.Operation.VariableDefinitions {
		if value, ok := op.Variables[v.Variable].(bool); ok {
			b.WriteString(v.Variable + "=" + strconv.FormatBool(value) + ";")
		}
	}
	return b.String()
}

// planner makes one plan.
type planner struct {
	*plans

	op     *graphql.OperationContext
	actors bool
}

// plan gives nil when there is something in a selection that has to be executed.
func (p *planner) plan(root graphql.CollectedField) *plan {
	edge := p.object("NotificationEdge", root.Selections, func(f graphql.CollectedField) write {
		if f.Name == "node" {
			return p.node(f.Selections)
		}
		return leafOf(model.EdgeLeaves[f.Name], func(e *event) *model.NotificationEdge { return e.edge })
	})
	if edge == nil {
		return nil
	}
	head := `{"` + root.Alias + `":`
	return &plan{actors: p.actors, root: func(b []byte, e *event) []byte {
		return append(edge(append(b, head...), e), '}')
	}}
}

// node is a notification, of any type that there is.
func (p *planner) node(set ast.SelectionSet) write {
	types := make(map[reflect.Type]write)
	for _, definition := range p.schema.PossibleTypes["Notification"] {
		known, ok := model.NotificationTypes[definition.Name]
		if !ok {
			return nil
		}
		object := p.object(definition.Name, set, func(f graphql.CollectedField) write {
			if f.Name == "actor" {
				return p.actor(f.Selections)
			}
			return leafOf(known.Leaves[f.Name], func(e *event) model.Notification { return e.edge.Node })
		})
		if object == nil {
			return nil
		}
		types[known.Type] = object
	}
	return func(b []byte, e *event) []byte { return types[reflect.TypeOf(e.edge.Node)](b, e) }
}

func (p *planner) actor(set ast.SelectionSet) write {
	p.actors = true
	member := p.object("Member", set, func(f graphql.CollectedField) write {
		return leafOf(model.MemberLeaves[f.Name], func(e *event) *model.Member { return e.actor })
	})
	if member == nil {
		return nil
	}
	return func(b []byte, e *event) []byte {
		if e.actor == nil {
			return append(b, "null"...)
		}
		return member(b, e)
	}
}

// object is what is selected of a type, each field as valueOf says.
func (p *planner) object(name string, set ast.SelectionSet, valueOf func(graphql.CollectedField) write) write {
	definition := p.schema.Types[name]
	type member struct {
		key   string
		value write
	}
	var members []member
	for i, f := range graphql.CollectFields(p.op, set, append([]string{name}, definition.Interfaces...)) {
		if len(f.Deferrables) > 0 {
			return nil
		}
		value := valueOf(f)
		if f.Name == "__typename" {
			quoted := `"` + name + `"`
			value = func(b []byte, _ *event) []byte { return append(b, quoted...) }
		}
		if value == nil {
			return nil
		}
		key := `"` + f.Alias + `":`
		if i > 0 {
			key = "," + key
		}
		members = append(members, member{key, value})
	}
	return func(b []byte, e *event) []byte {
		b = append(b, '{')
		for _, m := range members {
			b = m.value(append(b, m.key...), e)
		}
		return append(b, '}')
	}
}

// leafOf writes a leaf, or is nil where there is none.
func leafOf[T any](leaf model.Leaf[T], of func(*event) T) write {
	if leaf == nil {
		return nil
	}
	return func(b []byte, e *event) []byte {
		w := appender(b)
		leaf(of(e)).MarshalGQL(&w)
		return w
	}
}

// appender is a writer to the end of a slice.
type appender []byte

// Write implements io.Writer.
func (a *appender) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}

// WriteString implements io.StringWriter.
func (a *appender) WriteString(s string) (int, error) {
	*a = append(*a, s...)
	return len(s), nil
}

// sendPlanned sends the events of some edges by a plan. The viewer sees their actors as in any other response.
func (r *Resolver) sendPlanned(ctx context.Context, viewer id.Member, send send, plan *plan, edges []*model.NotificationEdge) error {
	var keys []id.Member
	for _, e := range edges {
		if key := model.ActorOf(e.Node); plan.actors && !key.IsZero() {
			keys = append(keys, key)
		}
	}
	var actors map[id.Member]*model.Member
	if len(keys) > 0 {
		var err error
		if actors, err = r.membersFor(ctx, viewer, keys); err != nil {
			return err
		}
	}
	send(len(edges), func(b []byte, i int) []byte {
		e := event{edge: edges[i]}
		if plan.actors {
			e.actor = actors[model.ActorOf(e.edge.Node)]
		}
		return plan.append(b, &e)
	})
	return nil
}
