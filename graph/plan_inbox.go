package graph

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/notification"
)

// inboxPlan is what a query writes that asks for nothing but a page of the viewer's notifications, and how many there are.
type inboxPlan struct {
	root          write[inbox]
	page          graphql.CollectedField // whose arguments say which page; the variables in them are each request's own
	actors        bool
	total, unread bool
}

// inbox is what is written: a page, and what else was asked for.
type inbox struct {
	viewer        id.Member
	rows          []notification.Notification
	actors        map[id.Member]*model.Member
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
		return object(p, "Viewer", f.Selections, func(f graphql.CollectedField) write[inbox] { return p.viewer(plan, f) })
	})
	if plan.root == nil || plan.page.Field == nil {
		return nil
	}
	plan.actors = p.actors
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
			in.item = item{&in.rows[i], in.actors[in.rows[i].Actor]}
			b = one(b, &in.item)
		}
		return append(b, ']')
	}
}

// planned answers what has a plan by it. Whatever goes wrong then, gqlgen finds again, and tells as of any other operation.
func (f *face) planned(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op, viewer := graphql.GetOperationContext(ctx), auth.ViewerOf(ctx)
	if viewer == nil || op.Operation.Operation != ast.Query {
		return next(ctx)
	}
	plan := f.resolver.inboxPlans.of(op, (*planner).inbox)
	if plan == nil {
		return next(ctx)
	}
	var rest graphql.ResponseHandler
	// In the context of the operation, which knows what it is part of: next has not been asked for another.
	return func(context.Context) *graphql.Response {
		if rest == nil {
			in := &inbox{viewer: viewer.Member}
			if err := f.safely(ctx, func() error { return f.resolver.readInbox(ctx, plan, op.Variables, in, f.safely) }); err == nil {
				rest = func(context.Context) *graphql.Response { return nil } // that is all
				return &graphql.Response{Data: plan.root(make([]byte, 0, inboxData(len(in.rows))), in)}
			}
			rest = next(ctx)
		}
		return rest(ctx)
	}
}

// inboxData is about how many bytes are written of a page.
func inboxData(rows int) int {
	const each = 256
	return (1 + rows) * each
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

// readInbox reads what a plan writes.
func (r *Resolver) readInbox(ctx context.Context, plan *inboxPlan, variables map[string]any, in *inbox,
	safely func(context.Context, func() error) error,
) error {
	page, err := pageOf(plan.page.ArgumentMap(variables))
	if err != nil {
		return err
	}
	var (
		counting            sync.WaitGroup
		totalErr, unreadErr error
	)
	if plan.total {
		counting.Go(func() {
			totalErr = safely(ctx, func() (err error) { in.total, err = r.Notifications.Count(ctx, in.viewer); return err })
		})
	}
	if plan.unread {
		counting.Go(func() {
			unreadErr = safely(ctx, func() (err error) { in.unread, err = r.Notifications.Unread(ctx, in.viewer); return err })
		})
	}
	err = r.readPage(ctx, plan, in, page)
	counting.Wait()
	return errors.Join(err, totalErr, unreadErr)
}

func (r *Resolver) readPage(ctx context.Context, plan *inboxPlan, in *inbox, page notification.Page) error {
	page.Actors = plan.actors
	list, err := r.Notifications.List(ctx, in.viewer, page)
	if err != nil {
		return err
	}
	in.rows = shownOf(list.Notifications, func(*notification.Notification) bool { return true })
	var ends []string
	if n := len(in.rows); n > 0 {
		ends = []string{notificationCursor(in.rows[0].Sequence), notificationCursor(in.rows[n-1].Sequence)}
	}
	in.info = pageInfoBothWays(ends, list.More, page.Backward, page.After > 0, page.Before > 0)
	in.actors, err = r.visibleOf(ctx, in.viewer, list.Actors)
	return err
}

// visibleOf gives those of some members whom the viewer may know of, with nothing else than what is public of them.
func (r *Resolver) visibleOf(ctx context.Context, viewer id.Member, some map[id.Member]member.Public) (map[id.Member]*model.Member, error) {
	ids, all, shown := make([]id.Member, 0, len(some)), make(map[id.Member]*model.Member, len(some)), make([]model.Member, 0, len(some))
	for key, m := range some {
		shown = append(shown, model.NewPublic(m))
		ids, all[key] = append(ids, key), &shown[len(shown)-1]
	}
	return r.visible(ctx, viewer, ids, all)
}

// pageOf reads the arguments of the inbox as gqlgen does.
func pageOf(arguments map[string]any) (notification.Page, error) {
	first, err := optional(arguments["first"], graphql.UnmarshalInt)
	if err != nil {
		return notification.Page{}, err
	}
	after, err := optional(arguments["after"], graphql.UnmarshalString)
	if err != nil {
		return notification.Page{}, err
	}
	last, err := optional(arguments["last"], graphql.UnmarshalInt)
	if err != nil {
		return notification.Page{}, err
	}
	before, err := optional(arguments["before"], graphql.UnmarshalString)
	if err != nil {
		return notification.Page{}, err
	}
	return notificationPage(first, after, last, before)
}

func optional[T any](value any, read func(any) (T, error)) (*T, error) {
	if value == nil {
		return nil, nil
	}
	v, err := read(value)
	return &v, err
}
