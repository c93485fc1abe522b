package graph

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// plan is what notificationReceived is to write for each event, worked out once when the subscription starts. gqlgen
// works it out again for every event, field by field, which takes longer than the rest of a delivery. A plan knows the
// fields that are values of the notification, and those that are values of its actor (model/leaf.go); a selection with
// any other has none, and is executed by gqlgen.
type plan struct {
	root   write
	actors bool // events want their actors
}

// event is what is written: a notification and, where the plan wants it, its actor.
type event struct {
	notification *notification.Notification
	actor        *model.Member // nil for none
}

// write appends a value of an event as JSON.
type write func(b []byte, e *event) []byte

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
		switch f.Name {
		case "node":
			return p.node(f.Selections)
		case "cursor":
			return func(b []byte, e *event) []byte {
				return append(appendNotificationCursor(append(b, '"'), e.notification.Sequence), '"')
			}
		}
		return nil
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
	types := make(map[string]write)
	for _, definition := range p.schema.PossibleTypes["Notification"] {
		leaves, ok := model.NotificationLeaves[definition.Name]
		if !ok {
			return nil
		}
		object := p.object(definition.Name, set, func(f graphql.CollectedField) write {
			if f.Name == "actor" {
				return p.actor(f.Selections)
			}
			return leafOf(leaves[f.Name], func(e *event) *notification.Notification { return e.notification })
		})
		if object == nil {
			return nil
		}
		types[definition.Name] = object
	}
	categories := make(map[notification.Category]write)
	for _, c := range notification.Categories() {
		categories[c] = types[model.TypeOf(c)]
	}
	return func(b []byte, e *event) []byte { return categories[e.notification.Category](b, e) }
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
	return func(b []byte, e *event) []byte { return leaf(b, of(e)) }
}

// sending is some events on their way by a plan. They are used again, as there are many and each is short.
type sending struct {
	plan   *plan
	rows   []notification.Notification
	actors map[id.Member]*model.Member
	event  event
	data   func(b []byte, i int) []byte // append, made once
}

var sendings = sync.Pool{New: func() any {
	s := &sending{}
	s.data = s.append
	return s
}}

// append appends the data of the response for one of the events.
func (s *sending) append(b []byte, i int) []byte {
	s.event = event{notification: &s.rows[i]}
	if s.plan.actors {
		s.event.actor = s.actors[s.rows[i].Actor]
	}
	return s.plan.root(b, &s.event)
}

// sendPlanned sends the events of some notifications by a plan. The viewer sees their actors as in any other response.
func (r *Resolver) sendPlanned(ctx context.Context, viewer id.Member, send send, plan *plan, rows []notification.Notification) error {
	var actors map[id.Member]*model.Member
	if plan.actors {
		var err error
		if actors, err = r.actorsOf(ctx, viewer, rows); err != nil {
			return err
		}
	}
	s := sendings.Get().(*sending) //nolint:forcetypeassert // that is what is in there
	s.plan, s.rows, s.actors = plan, rows, actors
	send(len(rows), s.data)
	*s = sending{data: s.data}
	sendings.Put(s)
	return nil
}

// actorsOf gives those of the actors whom the viewer may see.
func (r *Resolver) actorsOf(ctx context.Context, viewer id.Member, rows []notification.Notification) (map[id.Member]*model.Member, error) {
	keys := make([]id.Member, 0, len(rows))
	for i := range rows {
		if key := rows[i].Actor; !key.IsZero() {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	return r.membersFor(ctx, viewer, keys)
}
