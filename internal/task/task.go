package task

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"runtime/debug"
	"sync"
	"time"
)

// ErrLost is what renew gives when the lease ran out and another node has taken it, or may have: the task must stop.
var ErrLost = errors.New("the lease of the task was lost")

// Task is something to do every so often.
type Task struct {
	// Name is the same on all nodes and in all versions.
	Name string
	// Every is how long after the beginning of one run the next is due; 0 for never.
	Every time.Duration
	// Do does all that there is to do, in batches that each take much less than the lease, and calls renew between them.
	// It ends with the error of renew.
	Do func(ctx context.Context, renew func() error) error
}

// Store is what the package asks of the tables. All of it is compare-and-set, and all times are of the nodes' clocks.
type Store interface {
	// LeaseTask gives a task to a holder until then: if nobody has a lease that is good at now, and no run that finished
	// began after due. It makes the task when there is none of the name.
	LeaseTask(ctx context.Context, name, holder string, now, until, due time.Time) (bool, error)
	// RenewTask prolongs a holder's lease; false when it is another's.
	RenewTask(ctx context.Context, name, holder string, until time.Time) (bool, error)
	// FinishTask says that a run that began then is finished, and ends its holder's lease; false when it is another's.
	FinishTask(ctx context.Context, name, holder string, began time.Time) (bool, error)
	// ReleaseTask ends a holder's lease of a task that is not finished.
	ReleaseTask(ctx context.Context, name, holder string) error
}

const (
	// Lease is how long a task stays with a node that does not renew it.
	Lease = time.Minute
	// checkAtLeast is how long a task that is due may wait for a node to look, and checkAtMost how often a node looks at most.
	checkAtLeast = time.Minute
	checkAtMost  = time.Second
	// endTimeout bounds how long a node that is told to stop takes to end a lease.
	endTimeout = 5 * time.Second
)

// Runner runs the tasks of one node.
type Runner struct {
	// Observe is told of each run of this node's that has ended, well or with an error; nil for nobody. It is set before
	// the first run.
	Observe func(name string, took time.Duration, err error)

	store Store
	tasks []*scheduled
	now   func() time.Time
	log   *slog.Logger

	ctx  context.Context //nolint:containedctx // ends with Close
	stop context.CancelFunc
	done sync.WaitGroup
}

// scheduled is a task of this node, which the node itself runs once at a time, too.
type scheduled struct {
	Task

	turn chan struct{}
}

// NewRunner makes a Runner of tasks over a store and a clock. It does nothing by itself before Start.
func NewRunner(store Store, tasks []Task, now func() time.Time, log *slog.Logger) *Runner {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := &Runner{store: store, now: now, log: log}
	r.ctx, r.stop = context.WithCancel(context.Background())
	for _, t := range tasks {
		r.tasks = append(r.tasks, &scheduled{Task: t, turn: make(chan struct{}, 1)})
	}
	return r
}

// Start checks every task now, and again and again until Close.
func (r *Runner) Start() {
	for _, t := range r.tasks {
		if t.Every > 0 {
			r.done.Go(func() { r.watch(t) })
		}
	}
}

// Close stops the running tasks, and waits until they have stopped.
func (r *Runner) Close() {
	r.stop()
	r.done.Wait()
}

// Tick checks every task, and runs those that are due, one after the other. When it returns, none of this node's that
// was due is undone, whoever ran it.
func (r *Runner) Tick(ctx context.Context) error {
	var errs []error
	for _, t := range r.tasks {
		if t.Every > 0 {
			errs = append(errs, r.check(ctx, t))
		}
	}
	return errors.Join(errs...)
}

// watch checks one task until Close. A task that takes long holds up no other.
func (r *Runner) watch(t *scheduled) {
	wait := max(checkAtMost, min(t.Every, checkAtLeast))
	for {
		if err := r.check(r.ctx, t); err != nil && r.ctx.Err() == nil {
			r.log.ErrorContext(r.ctx, "a periodic task failed; it will be tried again", "task", t.Name, "error", err)
		}
		select {
		case <-time.After(wait - wait/10 + mathrand.N(wait/5)): //nolint:gosec // keeps nodes apart, no secret
		case <-r.ctx.Done():
			return
		}
	}
}

// check runs a task if it is due and no other node has it.
func (r *Runner) check(ctx context.Context, t *scheduled) (err error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic in task %s: %v\n%s", t.Name, cause, debug.Stack())
		}
	}()
	began, holder := r.now(), rand.Text()
	leased, err := r.store.LeaseTask(ctx, t.Name, holder, began, began.Add(Lease), began.Add(-t.Every))
	if err != nil || !leased {
		return err
	}
	start := time.Now() // not by r.now: how long it took is a matter of the machine
	failed := r.run(ctx, t, holder)
	if r.Observe != nil {
		defer func() { r.Observe(t.Name, time.Since(start), err) }()
	}
	// Also when this node is stopping, so that another, or this one at its next start, need not wait for the lease to end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	if failed != nil {
		return errors.Join(failed, r.store.ReleaseTask(ctx, t.Name, holder))
	}
	// What came due while it ran is for the next run: so it is the beginning that counts.
	finished, err := r.store.FinishTask(ctx, t.Name, holder, began)
	if err == nil && !finished {
		err = ErrLost
	}
	return err
}

// run does the task, and turns a panic in it into an error, so that the lease is given back.
func (r *Runner) run(ctx context.Context, t *scheduled, holder string) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic in task %s: %v\n%s", t.Name, cause, debug.Stack())
		}
	}()
	return t.Do(ctx, func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		held, err := r.store.RenewTask(ctx, t.Name, holder, r.now().Add(Lease))
		if err == nil && !held {
			err = ErrLost
		}
		return err
	})
}
