package app

import (
	"context"
	"time"

	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/server"
)

// How often a node looks whose access was ended through another node, and how far back before it last looked: a request
// that was let in just before may open a socket just after, and the clocks of nodes differ.
const (
	accessSweep  = 2 * time.Second
	accessWindow = time.Minute
)

// access ends what members have open on this node.
type access struct {
	authenticator *auth.Authenticator
	server        *server.Server
}

// End implements host.Access.
func (a *access) End(members ...id.Member) {
	a.authenticator.Forget(members...)
	a.server.Forbid(members...)
}

// watchAccess ends, until ctx does, what members have open whose access ended through another node.
func (a *App) watchAccess(ctx context.Context, of *access) {
	ticker := time.NewTicker(accessSweep)
	defer ticker.Stop()
	looked := a.config.Now() // when it last succeeded
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		looked = a.sweepAccess(ctx, of, looked)
	}
}

// sweepAccess looks what has come since it last succeeded, and gives when that is from now on.
func (a *App) sweepAccess(ctx context.Context, of *access, looked time.Time) (now time.Time) {
	defer func() {
		if cause := recover(); cause != nil { // as of a clock that fails: the next sweep may not
			a.log.ErrorContext(ctx, "cannot look whose access has ended", "panic", cause)
			now = looked
		}
	}()
	began := a.config.Now()
	ended, err := a.store.AccessEnded(ctx, looked.Add(-accessWindow))
	if err != nil {
		if ctx.Err() == nil {
			a.log.WarnContext(ctx, "cannot look whose access has ended", "error", err)
		}
		return looked
	}
	of.End(ended...)
	return began
}
