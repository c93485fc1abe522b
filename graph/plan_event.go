package graph

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// eventPlan is what notificationReceived is to write for each event.
type eventPlan struct {
	root   write[item]
	actors bool // events want their actors
}

// eventPlanOf gives the plan of the subscription field that is being resolved, or nil.
func (r *Resolver) eventPlanOf(ctx context.Context) *eventPlan {
	field := graphql.GetFieldContext(ctx).Field
	return r.eventPlans.of(graphql.GetOperationContext(ctx), func(p *planner) *eventPlan { return p.event(field) })
}

func (p *planner) event(root graphql.CollectedField) *eventPlan {
	edge := p.edge(root.Selections)
	if edge == nil || p.wants.invitations || p.wants.publications || p.wants.messages { // those are read for each event anyway
		return nil
	}
	head := `{"` + root.Alias + `":`
	return &eventPlan{actors: p.wants.actors, root: func(b []byte, i *item) []byte {
		return append(edge(append(b, head...), i), '}')
	}}
}

// sending is some events on their way by a plan. They are used again, as there are many and each is short.
type sending struct {
	plan   *eventPlan
	rows   []notification.Notification
	actors map[id.Member]*model.Member
	item   item
	data   func(b []byte, i int) []byte // append, made once
}

var sendings = sync.Pool{New: func() any {
	s := &sending{}
	s.data = s.append
	return s
}}

// append appends the data of the response for one of the events.
func (s *sending) append(b []byte, i int) []byte {
	s.item = item{notification: &s.rows[i]}
	if s.plan.actors {
		s.item.actor = s.actors[s.rows[i].Actor]
	}
	return s.plan.root(b, &s.item)
}

// sendPlanned sends the events of some notifications by a plan.
func (r *Resolver) sendPlanned(ctx context.Context, viewer id.Member, send send, plan *eventPlan, rows []notification.Notification) error {
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
