package graph

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/refusal"
)

// inboxPlan is what a query writes that asks for nothing but a page of the viewer's notifications, and how many there are.
type inboxPlan struct {
	root          write[inbox]
	viewer        graphql.CollectedField // that it is of
	page          graphql.CollectedField // whose arguments say which page; the variables in them are each request's own
	wants         wants
	total, unread bool
}

// inbox is what is written: a page, and what else was asked for.
type inbox struct {
	viewer        id.Member
	rows          []notification.Notification
	actors        map[id.Member]*model.Member
	invitations   map[id.Invitation]*model.Invitation
	publications  map[id.Publication]*host.Publication
	messages      map[id.Message]*model.Message
	info          *model.PageInfo
	total, unread int
	item          item // that is being written
}

func (p *planner) inbox() *inboxPlan {
	plan := &inboxPlan{}
	plan.root = object(p, "Query", p.op.Operation.SelectionSet, func(f graphql.CollectedField) write[inbox] {
		if f.Name != "viewer" {
			return nil
		}
		if plan.page.Field == nil { // it may be below this one
			plan.viewer = f
		}
		return object(p, "Viewer", f.Selections, func(f graphql.CollectedField) write[inbox] { return p.viewer(plan, f) })
	})
	if plan.root == nil || plan.page.Field == nil {
		return nil
	}
	plan.wants = p.wants
	return plan
}

func (p *planner) viewer(plan *inboxPlan, f graphql.CollectedField) write[inbox] {
	switch f.Name {
	case "id":
		return leafOf(model.ViewerLeaves[f.Name], func(in *inbox) id.Member { return in.viewer })
	case "unreadNotificationCount":
		plan.unread = true
		return func(b []byte, in *inbox) []byte { return strconv.AppendInt(b, int64(in.unread), 10) }
	case "notifications":
		if plan.page.Field != nil { // by another alias, and maybe another page
			return nil
		}
		plan.page = f
		return object(p, "NotificationConnection", f.Selections, func(f graphql.CollectedField) write[inbox] { return p.connection(plan, f) })
	}
	return nil
}

func (p *planner) connection(plan *inboxPlan, f graphql.CollectedField) write[inbox] {
	switch f.Name {
	case "nodes":
		return listOf(p.node(f.Selections))
	case "edges":
		return listOf(p.edge(f.Selections))
	case "pageInfo":
		return object(p, "PageInfo", f.Selections, func(f graphql.CollectedField) write[inbox] {
			return leafOf(model.PageInfoLeaves[f.Name], func(in *inbox) *model.PageInfo { return in.info })
		})
	case "totalCount":
		plan.total = true
		return func(b []byte, in *inbox) []byte { return strconv.AppendInt(b, int64(in.total), 10) }
	}
	return nil
}

// listOf writes all items of the page, or is nil where there is nothing to write one.
func listOf(one write[item]) write[inbox] {
	if one == nil {
		return nil
	}
	return func(b []byte, in *inbox) []byte {
		b = append(b, '[')
		for i := range in.rows {
			if i > 0 {
				b = append(b, ',')
			}
			n := &in.rows[i]
			in.item = item{n, in.actors[n.Actor], in.invitations[n.Invitation], in.publications[n.Publication], in.messages[n.Message]}
			b = one(b, &in.item)
		}
		return append(b, ']')
	}
}

// planned answers what has a plan by it. What goes wrong then gqlgen finds again, and tells as of any other operation; but
// not that the database is away, or the time over: that is told of the page, whatever was read when it happened. An operation
// that has no time from the start, or whose client is gone, has no response, as from gqlgen.
func (f *face) planned(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op, viewer := graphql.GetOperationContext(ctx), auth.ViewerOf(ctx)
	if viewer == nil || op.Operation.Operation != ast.Query {
		return next(ctx)
	}
	var plan *inboxPlan
	err := f.safely(ctx, func() error { plan = f.resolver.inboxPlanOf(op); return nil })
	if err != nil || plan == nil {
		return next(ctx)
	}
	var rest graphql.ResponseHandler
	// In the context of the operation, which knows what it is part of: next has not been asked for another.
	return func(context.Context) *graphql.Response {
		switch {
		case rest != nil:
			return rest(ctx)
		case ctx.Err() != nil: // it has not begun, as gqlgen says it
			return nil
		}
		var data []byte
		err := f.safely(ctx, func() (err error) { data, err = f.answer(ctx, plan, op.Variables, viewer.Member); return err })
		rest = func(context.Context) *graphql.Response { return nil } // that is all
		switch {
		case err == nil:
			return &graphql.Response{Data: data}
		case errors.Is(ctx.Err(), context.Canceled): // nobody is there to be told
			return nil
		case ctx.Err() != nil || errors.Is(err, refusal.ErrUnavailable): // to ask again would be as vain
			return &graphql.Response{Data: []byte("null"), Errors: gqlerror.List{f.present(plan.at(ctx), err)}}
		}
		rest = next(ctx)
		return rest(ctx)
	}
}

// inboxPlanOf gives the plan of a query, or nil.
func (r *Resolver) inboxPlanOf(op *graphql.OperationContext) *inboxPlan {
	if !strings.Contains(op.RawQuery, "notifications") { // most do not ask for them, and are not to be kept
		return nil
	}
	return r.inboxPlans.of(op, (*planner).inbox)
}

// at is a context of the page, so that an error tells where it belongs.
func (p *inboxPlan) at(ctx context.Context) context.Context {
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Field: p.viewer})
	return graphql.WithFieldContext(ctx, &graphql.FieldContext{Field: p.page})
}

// answer reads what a plan writes, and writes it.
func (f *face) answer(ctx context.Context, plan *inboxPlan, variables map[string]any, viewer id.Member) ([]byte, error) {
	in := &inbox{viewer: viewer}
	if err := f.readInbox(ctx, plan, variables, in); err != nil {
		return nil, err
	}
	const each = 256 // about as many bytes are written of one
	return plan.root(make([]byte, 0, (1+len(in.rows))*each), in), nil
}

// safely does something, and makes a failure of a panic.
func (f *face) safely(ctx context.Context, do func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = f.recovered(ctx, cause)
		}
	}()
	return do()
}
