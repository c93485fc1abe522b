package graph

import (
	"context"
	"sync/atomic"
)

// pump is how a subscription's events are executed and sent by whoever has the next one, instead of by a goroutine that
// waits for it: a socket at rest then costs no goroutine for its subscription.
type pump struct {
	step func() error
	used atomic.Bool
}

type pumpKey struct{}

// WithPump lets the subscription that is started in the context call step whenever its next event is ready; step asks
// for the response, and sends it. When it fails nothing was sent, and the event is tried again. used reports, once the
// subscription has started, whether it will.
func WithPump(ctx context.Context, step func() error) (_ context.Context, used func() bool) {
	p := &pump{step: step}
	return context.WithValue(ctx, pumpKey{}, p), p.used.Load
}

func pumpOf(ctx context.Context) *pump {
	p, _ := ctx.Value(pumpKey{}).(*pump)
	return p
}
