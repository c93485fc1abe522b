package graph

import (
	"context"
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/realtime"
)

// errPassOver is what show gives for a notification that is not for this stream.
var errPassOver = errors.New("not for this stream")

// stream sends what show makes of the entries of a log of the viewer's, from now on or after a number, until ctx ends.
// When show fails the hub asks again until it does not: a database that is away must not cost an event. The stream has
// started when stream returns. The channel is never closed; gqlgen, too, stops with ctx.
func stream[E realtime.Entry, T any](ctx context.Context, hub *realtime.Hub[E], after *int64, show func(context.Context, E) (T, error)) (<-chan T, error) {
	pump := pumpOf(ctx)
	out := make(chan T, 1) // with a pump, the event waits here until the pump has it sent
	if pump == nil {
		out = make(chan T)
	}
	deliver := func(ctx context.Context, entry E) error {
		shown, err := show(ctx, entry)
		if errors.Is(err, errPassOver) {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case out <- shown:
		case <-ctx.Done():
			return ctx.Err()
		}
		if pump != nil {
			return pump.step()
		}
		return nil
	}
	err := hub.ListenAs(ctx, nameOf(ctx), viewerKey(ctx), after, realtime.Waiting, realtime.Each(deliver))
	if err == nil {
		noteStarted(ctx)
		if pump != nil {
			pump.used.Store(true)
		}
	}
	return out, err
}

// streamNotifications is notificationReceived.
func (r *Resolver) streamNotifications(ctx context.Context, after *string, categories []model.NotificationCategory) (<-chan *model.NotificationEdge, error) {
	if categories != nil && len(categories) == 0 {
		return nil, errBadInput("categories names none; leave it out for all.")
	}
	if last := lastEventID(ctx); last != nil {
		after = last
	}
	var from *int64
	if after != nil {
		from = new(int64) // "" is the very beginning
		if *after != "" {
			var err error
			if *from, err = sequenceOf(*after); err != nil {
				return nil, err
			}
		}
	}
	wanted := func(n *notification.Notification) bool {
		return categories == nil || slices.Contains(categories, model.NewCategory(n.Category))
	}
	if pump := pumpOf(ctx); pump != nil {
		if plan := r.eventPlanOf(ctx); plan != nil {
			return r.streamPlanned(ctx, pump, plan, from, wanted)
		}
	}
	return stream(ctx, r.Inboxes, from, func(ctx context.Context, n notification.Notification) (*model.NotificationEdge, error) {
		if !wanted(&n) {
			return nil, errPassOver
		}
		edge, err := notificationEdge(n)
		if err == nil {
			noteEventID(ctx, edge.Cursor)
		}
		return edge, err
	})
}

// streamPlanned sends those of the viewer's notifications that are wanted by a plan, all that there are at once. Nothing
// comes over its channel. The stream lives in the context of the operation, and so holds nothing of what started it.
func (r *Resolver) streamPlanned(ctx context.Context, pump *pump, plan *eventPlan, after *int64,
	wanted func(*notification.Notification) bool,
) (<-chan *model.NotificationEdge, error) {
	manner := realtime.Quick
	if plan.actors {
		manner = realtime.Waiting
	}
	send, viewer := pump.send, viewerKey(ctx)
	deliver := func(ctx context.Context, rows []notification.Notification) (int, error) {
		if err := r.sendPlanned(ctx, viewer, send, plan, shownOf(rows, wanted)); err != nil {
			return 0, err
		}
		return len(rows), nil
	}
	err := r.Inboxes.ListenAs(pump.ctx, nameOf(ctx), viewer, after, manner, deliver) //nolint:contextcheck // the pump's is the operation's
	if err == nil {
		noteStarted(ctx)
		pump.used.Store(true)
	}
	return make(chan *model.NotificationEdge), err
}

// shownOf gives those of the notifications that are wanted and that a type shows: mostly all, and then the same slice.
func shownOf(rows []notification.Notification, wanted func(*notification.Notification) bool) []notification.Notification {
	shown := func(n *notification.Notification) bool { return model.TypeOf(n.Category) != "" && wanted(n) }
	for i := range rows {
		if shown(&rows[i]) {
			continue
		}
		some := slices.Clone(rows[:i])
		for j := range rows[i:] {
			if n := &rows[i+j]; shown(n) {
				some = append(some, *n)
			}
		}
		return some
	}
	return rows
}

// nameOf is the field that is subscribed to, by the schema's text: the document's would keep all of that.
func nameOf(ctx context.Context) string { return graphql.GetFieldContext(ctx).Field.Definition.Name }

// streamInvitations is invitationReceived and invitationAccepted: the invitations that notifications of a category tell
// of, as they happen. One that was withdrawn meanwhile is passed over, as its notification is gone.
func (r *Resolver) streamInvitations(ctx context.Context, category notification.Category) (<-chan *model.Invitation, error) {
	return stream(ctx, r.Inboxes, nil, func(ctx context.Context, n notification.Notification) (*model.Invitation, error) {
		if n.Category != category || n.Reminder { // a reminder brings nothing new
			return nil, errPassOver
		}
		found, err := r.Network.Invitations(ctx, n.Member, []id.Invitation{n.Invitation})
		if err != nil {
			return nil, err
		}
		if len(found) == 0 || found[0].TakenBack() {
			return nil, errPassOver
		}
		other := otherSide(n.Member, found[0])
		seen, err := r.membersFor(ctx, n.Member, []id.Member{other})
		if err != nil {
			return nil, err
		}
		if seen[other] == nil {
			return nil, errPassOver
		}
		return model.NewInvitation(n.Member, found[0]), nil
	})
}

func notificationEdge(n notification.Notification) (*model.NotificationEdge, error) {
	node := model.NewNotification(n)
	if node == nil {
		return nil, errPassOver
	}
	return &model.NotificationEdge{Cursor: notificationCursor(n.Sequence), Node: node}, nil
}
