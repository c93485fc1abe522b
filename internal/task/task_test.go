package task_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
	"github.com/acquaint/acquaint/internal/task"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// clock is what the nodes of a test take for the time.
type clock struct{ ahead atomic.Int64 }

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func (c *clock) now() time.Time          { return noon.Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// tick has a node check its tasks.
func tick(t *testing.T, r *task.Runner) {
	t.Helper()
	if err := r.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// once makes a task that counts its runs.
func once(every time.Duration, runs *atomic.Int64) []task.Task {
	return []task.Task{{Name: "count", Every: every, Do: func(context.Context, func() error) error {
		runs.Add(1)
		return nil
	}}}
}

// Of many nodes that look at the same moment, one runs a task that is due; and again when it is due again.
func TestOneNodeAtATime(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		var (
			c     clock
			runs  atomic.Int64
			nodes []*task.Runner
		)
		for range 2 {
			s := storetest.Open(t, database, store.Options{})
			for range 2 {
				nodes = append(nodes, task.NewRunner(s, once(time.Hour, &runs), c.now, nil))
			}
		}
		for round := range int64(10) {
			var done sync.WaitGroup
			for _, r := range nodes {
				done.Go(func() {
					if err := r.Tick(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			done.Wait()
			if got := runs.Load(); got != round+1 {
				t.Fatalf("%d runs when %d were due", got, round+1)
			}
			c.advance(time.Hour - time.Millisecond)
			tick(t, nodes[0])
			if got := runs.Load(); got != round+1 {
				t.Fatalf("run before it was due")
			}
			c.advance(time.Millisecond)
		}
	})
}

// A task that is long overdue, as after downtime, is run at once, and once; one that is never due is never run.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		var (
			c           clock
			runs, never atomic.Int64
		)
		tasks := append(once(time.Hour, &runs), task.Task{Name: "never", Do: func(context.Context, func() error) error {
			never.Add(1)
			return nil
		}})
		tick(t, task.NewRunner(s, tasks, c.now, nil))
		c.advance(30 * 24 * time.Hour)
		again := task.NewRunner(s, tasks, c.now, nil)
		tick(t, again)
		tick(t, again)
		if runs.Load() != 2 || never.Load() != 0 {
			t.Errorf("%d runs, and %d of what is never due", runs.Load(), never.Load())
		}
	})
}

// A node that dies with a task is succeeded when its lease has run out; should it live after all, its next renewal fails,
// and what its successor finished stays finished.
func TestLostLease(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		var (
			c       clock
			runs    atomic.Int64
			started = make(chan struct{})
			resume  = make(chan struct{})
			renewed = make(chan error, 2)
		)
		slow := task.NewRunner(storetest.Open(t, database, store.Options{}), []task.Task{{
			Name: "count", Every: time.Hour, Do: func(_ context.Context, renew func() error) error {
				c.advance(task.Lease / 2)
				renewed <- renew()
				close(started)
				<-resume
				err := renew()
				renewed <- err
				return err
			},
		}}, c.now, nil)
		ended := make(chan error)
		go func() { ended <- slow.Tick(context.WithoutCancel(t.Context())) }()
		<-started
		if err := <-renewed; err != nil {
			t.Fatalf("renewing in time: %v", err)
		}

		other := task.NewRunner(storetest.Open(t, database, store.Options{}), once(time.Hour, &runs), c.now, nil)
		c.advance(task.Lease - time.Millisecond) // of the renewed lease
		tick(t, other)
		if runs.Load() != 0 {
			t.Fatal("two nodes have the same task")
		}
		c.advance(time.Millisecond)
		tick(t, other)
		if runs.Load() != 1 {
			t.Fatal("nobody took over from a node that is gone")
		}

		close(resume)
		if err := <-renewed; !errors.Is(err, task.ErrLost) {
			t.Errorf("renewing a lost lease gave %v", err)
		}
		if err := <-ended; !errors.Is(err, task.ErrLost) {
			t.Errorf("a run that lost its lease ended with %v", err)
		}
		tick(t, other)
		if runs.Load() != 1 {
			t.Error("a node that lost its lease had the task run again")
		}
	})
}

// What fails, or panics, is run again at the next check, and the node's other tasks are run all the same.
func TestFailure(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		var (
			c        clock
			runs     atomic.Int64
			failures = []func() error{
				func() error { return errors.New("no luck") },
				func() error { panic("worse") },
				func() error { return nil },
			}
			tries int
		)
		r := task.NewRunner(s, append([]task.Task{{Name: "fail", Every: time.Hour, Do: func(context.Context, func() error) error {
			tries++
			return failures[tries-1]()
		}}}, once(time.Hour, &runs)...), c.now, nil)
		for _, want := range []string{"no luck", "worse"} {
			if err := r.Tick(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
		tick(t, r)
		tick(t, r)
		if tries != 3 || runs.Load() != 1 {
			t.Errorf("tried %d times; the other ran %d times", tries, runs.Load())
		}
	})
}

// A runner that was started runs what is due without being asked, and Close stops what runs, waits for it, and leaves the
// task to others at once.
func TestStartAndClose(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		var (
			c       clock
			runs    atomic.Int64
			stopped atomic.Bool
			started = make(chan struct{})
		)
		r := task.NewRunner(s, []task.Task{{Name: "count", Every: time.Hour, Do: func(ctx context.Context, renew func() error) error {
			close(started)
			<-ctx.Done()
			stopped.Store(true)
			return renew()
		}}}, c.now, nil)
		r.Start()
		<-started
		r.Close()
		if !stopped.Load() {
			t.Error("Close did not wait")
		}
		tick(t, task.NewRunner(s, once(time.Hour, &runs), c.now, nil))
		if runs.Load() != 1 {
			t.Error("the task of a node that was stopped was not free")
		}
	})
}

// Who observes is told of each run that ended, and how; of nothing that was not due.
func TestObserve(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		var (
			c    clock
			told []string
			fail = errors.New("no luck")
		)
		r := task.NewRunner(s, []task.Task{{Name: "try", Every: time.Hour, Do: func(context.Context, func() error) error {
			return fail
		}}}, c.now, nil)
		r.Observe = func(name string, took time.Duration, err error) {
			told = append(told, fmt.Sprintf("%s %v %v", name, took >= 0, err))
		}
		if err := r.Tick(t.Context()); !errors.Is(err, fail) {
			t.Fatal(err)
		}
		fail = nil
		tick(t, r)
		tick(t, r)
		if want := []string{"try true no luck", "try true <nil>"}; !slices.Equal(told, want) {
			t.Errorf("told %v", told)
		}
	})
}
