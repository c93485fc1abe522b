package graph

import (
	"context"
	"sync/atomic"
)

// pump is how a subscription's events are sent by whoever has the next one, instead of by a goroutine that waits for it:
// a socket at rest then costs no goroutine for its subscription.
type pump struct {
	ctx  context.Context //nolint:containedctx // of the operation, without all that gqlgen needs to start it
	step func() error
	send send
	used atomic.Bool
}

// send sends n events, whose data is appended by number. It has asked for all of it when it returns.
type send = func(n int, data func(b []byte, i int) []byte)

type pumpKey struct{}

// WithPump lets the subscription that is started in the context have its events sent itself. It calls step whenever its
// next event is ready; step asks for the response, and sends it. When it fails nothing was sent, and the event is tried
// again. Or it calls send with the data of some events. used reports, once the subscription has started, whether it
// will call either.
func WithPump(ctx context.Context, step func() error, send send) (_ context.Context, used func() bool) {
	p := &pump{ctx: ctx, step: step, send: send}
	return context.WithValue(ctx, pumpKey{}, p), p.used.Load
}

func pumpOf(ctx context.Context) *pump {
	p, _ := ctx.Value(pumpKey{}).(*pump)
	return p
}
