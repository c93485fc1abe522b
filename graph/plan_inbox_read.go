package graph

import (
	"context"
	"errors"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/notification"
)

// together does several things at the same time, and waits for all.
func (f *face) together(ctx context.Context, all ...func() error) error {
	errs := make([]error, len(all))
	var others sync.WaitGroup
	for i, do := range all[1:] {
		others.Go(func() { errs[1+i] = f.safely(ctx, do) })
	}
	errs[0] = f.safely(ctx, all[0])
	others.Wait()
	return errors.Join(errs...)
}

// readInbox reads what a plan writes.
func (f *face) readInbox(ctx context.Context, plan *inboxPlan, variables map[string]any, in *inbox) error {
	page, err := pageOf(plan.page.ArgumentMap(variables))
	if err != nil {
		return err
	}
	r := f.resolver
	reads := []func() error{func() error { return r.readPage(ctx, plan, in, page) }}
	if plan.total {
		reads = append(reads, func() (err error) { in.total, err = r.Notifications.Count(ctx, in.viewer); return err })
	}
	if plan.unread {
		reads = append(reads, func() (err error) { in.unread, err = r.Notifications.Unread(ctx, in.viewer); return err })
	}
	if err := f.together(ctx, reads...); err != nil {
		return err
	}
	return f.readBeside(f.freshLoaders(ctx), plan, in)
}

func (r *Resolver) readPage(ctx context.Context, plan *inboxPlan, in *inbox, page notification.Page) error {
	page.Actors = plan.wants.actors
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

// readBeside reads what the notifications of a page tell of, by the loaders, so that it is what anybody is shown.
func (f *face) readBeside(ctx context.Context, plan *inboxPlan, in *inbox) error {
	l := loadersOf(ctx)
	var reads []func() error
	if plan.wants.invitations {
		l.member().prime(in.actors) // most invitations are with them
		keys := distinct(in.rows, func(n *notification.Notification) id.Invitation { return n.Invitation })
		reads = append(reads, func() (err error) { in.invitations, err = loadEach(ctx, keys, l.invitation().LoadAll); return err })
	}
	if plan.wants.messages {
		keys := distinct(in.rows, func(n *notification.Notification) id.Message { return n.Message })
		reads = append(reads, func() (err error) { in.messages, err = loadEach(ctx, keys, l.message().LoadAll); return err })
	}
	if plan.wants.publications {
		reads = append(reads, func() (err error) { in.publications, err = loadPublications(ctx, in.rows); return err })
	}
	if len(reads) == 0 {
		return nil
	}
	return f.together(ctx, reads...)
}

// loadPublications gives what notifications tell of that the host application published. It fails when one is missing:
// what it has may not be null.
func loadPublications(ctx context.Context, rows []notification.Notification) (map[id.Publication]*host.Publication, error) {
	var keys []id.Publication
	for i := range rows {
		if n := &rows[i]; model.TypeOf(n.Category) == model.TypeHost {
			keys = append(keys, n.Publication)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	found, err := loadersOf(ctx).publication().LoadAll(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make(map[id.Publication]*host.Publication, len(keys))
	for i := range found {
		out[keys[i]] = &found[i]
	}
	return out, nil
}

// distinct gives what notifications tell of, each once.
func distinct[K comparable](rows []notification.Notification, of func(*notification.Notification) K) []K {
	var (
		none K
		out  []K
		seen = make(map[K]bool)
	)
	for i := range rows {
		if key := of(&rows[i]); key != none && !seen[key] {
			seen[key] = true
			out = append(out, key)
		}
	}
	return out
}

// loadEach gives those of the keys that there is something for.
func loadEach[K comparable, V any](ctx context.Context, keys []K, load func(context.Context, []K) ([]*V, error)) (map[K]*V, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	found, err := load(ctx, keys)
	if err != nil && !onlyMissing(err) {
		return nil, err
	}
	out := make(map[K]*V, len(keys))
	for i, v := range found {
		out[keys[i]] = v
	}
	return out, nil
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
	first, err := optional(arguments["first"], model.UnmarshalInt)
	if err != nil {
		return notification.Page{}, err
	}
	after, err := optional(arguments["after"], graphql.UnmarshalString)
	if err != nil {
		return notification.Page{}, err
	}
	last, err := optional(arguments["last"], model.UnmarshalInt)
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
