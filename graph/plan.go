package graph

import (
	"context"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// A plan is what is to be written for something that is often asked for, worked out once: for each event of
// notificationReceived (plan_event.go), and for a page of notifications (plan_inbox.go). gqlgen works it out again for
// every item, field by field, which takes longer than all the rest. A plan knows the fields that are values of what is
// read (model/leaf.go); a selection with any other has none, and is executed by gqlgen.

// write appends a value of something as JSON.
type write[T any] func(b []byte, of *T) []byte

// plans keeps the plans of one kind: all clients of an app have the same document.
type plans[P any] struct {
	schema            *ast.Schema
	kept              *lru.Cache[planKey, *P]
	document, members int // at most
}

// planKey is an operation of a cached document and what @skip and @include say in it: the values of the Boolean variables.
// The field alone would not do: operations may share it, by a fragment, and select more beside it.
type planKey struct {
	operation *ast.OperationDefinition
	booleans  string
}

// What a plan may cost: the documents of apps are small and few, and need some hundred members of objects; those of others
// are executed, which takes no more than the limits of documents allow.
const (
	keptPlans       = 200
	plannedDocument = 4 << 10 // bytes
	planMembers     = 500     // of objects, those of each type of notification counted
)

func newPlans[P any](schema *ast.Schema) *plans[P] {
	kept, err := lru.New[planKey, *P](keptPlans)
	if err != nil {
		panic(err) // the size is good
	}
	return &plans[P]{schema, kept, plannedDocument, planMembers}
}

// of gives the plan of an operation, or nil where it has to be executed. It makes the plan when it is first asked for.
func (p *plans[P]) of(op *graphql.OperationContext, made func(*planner) *P) *P {
	if len(op.RawQuery) > p.document {
		return nil
	}
	key := planKey{op.Operation, booleans(op)}
	if known, ok := p.kept.Get(key); ok {
		return known
	}
	plan := made(&planner{schema: p.schema, op: op, left: p.members})
	p.kept.Add(key, plan)
	return plan
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
	schema *ast.Schema
	op     *graphql.OperationContext
	wants  wants
	left   int // how many members of objects there may yet be
}

// wants is what is selected that has to be read beside notifications.
type wants struct{ actors, invitations, publications, messages bool }

// object is what is selected of a type, each field as valueOf says. It is nil when there is something that has to be
// executed.
func object[T any](p *planner, name string, set ast.SelectionSet, valueOf func(graphql.CollectedField) write[T]) write[T] {
	definition := p.schema.Types[name]
	type member struct {
		key   string
		value write[T]
	}
	var members []member
	fields := graphql.CollectFields(p.op, set, append([]string{name}, definition.Interfaces...))
	if p.left -= 1 + len(fields); p.left < 0 {
		return nil
	}
	for i, f := range fields {
		if len(f.Deferrables) > 0 {
			return nil
		}
		value := valueOf(f)
		if f.Name == "__typename" {
			quoted := `"` + name + `"`
			value = func(b []byte, _ *T) []byte { return append(b, quoted...) }
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
	return func(b []byte, of *T) []byte {
		b = append(b, '{')
		for _, m := range members {
			b = m.value(append(b, m.key...), of)
		}
		return append(b, '}')
	}
}

// leafOf writes a leaf, or is nil where there is none.
func leafOf[T, L any](leaf model.Leaf[L], of func(*T) L) write[T] {
	if leaf == nil {
		return nil
	}
	return func(b []byte, t *T) []byte { return leaf(b, of(t)) }
}

// item is what is written of one notification: it and, where the plan wants it, what it tells of; nil for none.
type item struct {
	notification *notification.Notification
	actor        *model.Member
	invitation   *model.Invitation
	publication  *host.Publication
	message      *model.Message
}

// edge is an item in its place in a list, as NotificationEdge.
func (p *planner) edge(set ast.SelectionSet) write[item] {
	return object(p, "NotificationEdge", set, func(f graphql.CollectedField) write[item] {
		switch f.Name {
		case "node":
			return p.node(f.Selections)
		case "cursor":
			return func(b []byte, i *item) []byte {
				return append(appendNotificationCursor(append(b, '"'), i.notification.Sequence), '"')
			}
		}
		return nil
	})
}

// node is a notification, of any type that there is.
func (p *planner) node(set ast.SelectionSet) write[item] {
	types := make(map[string]write[item])
	for _, definition := range p.schema.PossibleTypes["Notification"] {
		leaves, ok := model.NotificationLeaves[definition.Name]
		if !ok {
			return nil
		}
		written := object(p, definition.Name, set, func(f graphql.CollectedField) write[item] {
			if leaf, ok := leaves[f.Name]; ok {
				return leafOf(leaf, func(i *item) *notification.Notification { return i.notification })
			}
			return p.beside(f)
		})
		if written == nil {
			return nil
		}
		types[definition.Name] = written
	}
	categories := make(map[notification.Category]write[item])
	for _, c := range notification.Categories() {
		categories[c] = types[model.TypeOf(c)]
	}
	return func(b []byte, i *item) []byte { return categories[i.notification.Category](b, i) }
}

// beside is a field of a notification that is something which is read beside it.
func (p *planner) beside(f graphql.CollectedField) write[item] {
	switch f.Name {
	case "actor":
		p.wants.actors = true
		return optionalObject(p, "Member", f.Selections, model.MemberLeaves, func(i *item) *model.Member { return i.actor })
	case "invitation":
		p.wants.invitations = true
		return optionalObject(p, "Invitation", f.Selections, model.InvitationLeaves, func(i *item) *model.Invitation { return i.invitation })
	case "message":
		p.wants.messages = true
		return optionalObject(p, "Message", f.Selections, model.MessageLeaves, func(i *item) *model.Message { return i.message })
	}
	leaf, ok := model.PublicationLeaves[f.Name]
	p.wants.publications = p.wants.publications || ok
	return leafOf(leaf, func(i *item) *host.Publication { return i.publication })
}

// optionalObject is an object of nothing but leaves, or null.
func optionalObject[L any](p *planner, name string, set ast.SelectionSet, leaves map[string]model.Leaf[*L], of func(*item) *L) write[item] {
	written := object(p, name, set, func(f graphql.CollectedField) write[item] { return leafOf(leaves[f.Name], of) })
	if written == nil {
		return nil
	}
	return func(b []byte, i *item) []byte {
		if of(i) == nil {
			return append(b, "null"...)
		}
		return written(b, i)
	}
}

// actorsOf gives those of the actors whom the viewer may see, as in any other response.
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
