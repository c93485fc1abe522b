package graph

import (
	"context"
	"sync"
)

// eventIDs are the cursors of the notifications that a subscription has sent and whose events have not been written: the
// first belongs to the next event.
type eventIDs struct {
	mu      sync.Mutex
	waiting []string
}

type (
	eventIDsKey    struct{}
	lastEventIDKey struct{}
)

// WithEventIDs lets a transport ask for the id of each event of the subscription that runs in the context: its cursor,
// or "" for a subscription without cursors. It asks once for every response, in order.
func WithEventIDs(ctx context.Context) (context.Context, func() string) {
	ids := &eventIDs{}
	return context.WithValue(ctx, eventIDsKey{}, ids), func() string {
		ids.mu.Lock()
		defer ids.mu.Unlock()
		if len(ids.waiting) == 0 {
			return ""
		}
		next := ids.waiting[0]
		ids.waiting = ids.waiting[1:]
		return next
	}
}

// noteEventID says that a notification with this cursor is about to be sent. At most two wait: one that is being written
// and one that the subscription is ready to send.
func noteEventID(ctx context.Context, cursor string) {
	ids, ok := ctx.Value(eventIDsKey{}).(*eventIDs)
	if !ok {
		return
	}
	ids.mu.Lock()
	defer ids.mu.Unlock()
	ids.waiting = append(ids.waiting, cursor)
}

// WithLastEventID says which event a reconnecting client has had last: notificationReceived goes on after it, whatever
// its own after says, which is that of the first connection.
func WithLastEventID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, lastEventIDKey{}, id)
}

func lastEventID(ctx context.Context) *string {
	if id, ok := ctx.Value(lastEventIDKey{}).(string); ok {
		return &id
	}
	return nil
}
