package app

import (
	"context"
	"time"

	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/task"
)

// How often feeds are pruned, and how much of them one transaction deletes; how often interrupted erasures are finished.
const (
	pruneEvery = time.Hour
	pruneBatch = 1000
	eraseEvery = time.Minute
)

// tasks are what is done every so often, by one node at a time.
func (a *App) tasks() []task.Task {
	return []task.Task{
		{Name: "prune-feeds", Every: pruneEvery, Do: a.pruneFeeds},
		{Name: "expire-invitations", Every: a.config.ExpirySweep, Do: a.expireInvitations},
		{Name: "evaluate-flags", Every: evaluateEvery(a.config.Policy), Do: a.network.EvaluateFlags},
		{Name: "erase", Every: eraseEvery, Do: a.host.FinishErasures},
	}
}

// startTasks runs them from now on, and looks whose access has ended, until Close.
func (a *App) startTasks(ctx context.Context, of *access) {
	a.runner = task.NewRunner(a.store, a.tasks(), a.config.Now, a.log)
	a.runner.Observe = a.telemetry.Task
	if !a.config.NoTasks {
		a.runner.Start()
		a.watching.Go(func() { a.watchAccess(ctx, of) })
	}
}

// RunTasks runs the periodic tasks that are due now, as tests want it that move the clock; a server runs them itself.
func (a *App) RunTasks(ctx context.Context) error { return a.runner.Tick(ctx) }

// pruneFeeds deletes the feed entries that nobody reads any more.
func (a *App) pruneFeeds(ctx context.Context, renew func() error) error {
	return inBatches(renew, pruneBatch, func(limit int) (int, error) {
		return a.store.PruneFeeds(ctx, a.config.Now().Add(-feed.Kept), limit)
	})
}

// evaluateEvery is how often flags are evaluated. Where they take effect at once, there is still to be seen whose count no
// longer.
func evaluateEvery(p network.Policy) time.Duration {
	if p.FlagEvaluation == 0 {
		return 24 * time.Hour
	}
	return p.FlagEvaluation
}

// expireInvitations closes the invitations whose time is over.
func (a *App) expireInvitations(ctx context.Context, renew func() error) error {
	n, err := a.network.ExpireDue(ctx, renew)
	if n > 0 {
		a.log.InfoContext(ctx, "invitations have expired", "count", n)
	}
	return err
}

// inBatches does a batch of at most limit, which gives how many it did, until one was not full.
func inBatches(renew func() error, limit int, do func(limit int) (int, error)) error {
	for {
		n, err := do(limit)
		if err != nil || n < limit {
			return err
		}
		if err := renew(); err != nil {
			return err
		}
	}
}
