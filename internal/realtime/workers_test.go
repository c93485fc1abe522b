package realtime_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/broker"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/realtime"
)

func newHub(t *testing.T, source realtime.Source[notification.Notification], workers int) *realtime.Hub[notification.Notification] {
	t.Helper()
	hub := realtime.NewHub(source, &broker.Local{}, realtime.Options{Sweep: never, Workers: workers})
	t.Cleanup(func() { hub.Close() })
	return hub
}

func listen(t *testing.T, hub *realtime.Hub[notification.Notification], m id.Member, manner realtime.Manner, deliver realtime.Deliver[notification.Notification]) {
	t.Helper()
	if err := hub.Listen(t.Context(), m, nil, manner, deliver); err != nil {
		t.Fatal(err)
	}
}

func arrives[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

func memberOf(i int) id.Member { return id.Member{byte(i), byte(i >> 8), 1} }

// Those who are woken while a statement runs are read for in the next, together.
func TestManyAreReadForTogether(t *testing.T) {
	t.Parallel()
	const members = 1000
	source := newShelf()
	busy, free := make(chan struct{}, 10), make(chan struct{})
	source.before = func() error { busy <- struct{}{}; <-free; return nil }
	hub := newHub(t, source, 1)
	got := make(chan id.Member, members)
	for i := range members {
		listen(t, hub, memberOf(i), realtime.Quick, realtime.Each(func(_ context.Context, n notification.Notification) error {
			got <- n.Member
			return nil
		}))
	}
	wake := func(i int) { hub.Wake(notification.Hint{Member: memberOf(i), Number: source.add(memberOf(i))}) }
	wake(0)
	arrives(t, busy, "the first statement")
	for i := 1; i < members; i++ {
		wake(i)
	}
	close(free)
	seen := make(map[id.Member]bool)
	for range members {
		seen[arrives(t, got, "a notification")] = true
	}
	if len(seen) != members {
		t.Errorf("only %d of %d got theirs", len(seen), members)
	}
	if n := source.read(); n > 1+members/200 {
		t.Errorf("%d statements for %d members", n, members)
	}
}

// What waits for one stream is given to it at once, as far as a page goes.
func TestBacklogIsGivenAtOnce(t *testing.T) {
	t.Parallel()
	source := newShelf()
	hub := newHub(t, source, 0)
	m := memberOf(1)
	got := make(chan []int64, 10)
	listen(t, hub, m, realtime.Quick, func(_ context.Context, rows []notification.Notification) (int, error) {
		var all []int64
		for _, n := range rows {
			all = append(all, n.Sequence)
		}
		got <- all
		return len(rows), nil
	})
	for range 100 {
		source.add(m)
	}
	hub.Wake(notification.Hint{Member: m, Number: 100})
	if first, second := arrives(t, got, "a page"), arrives(t, got, "the rest"); !slices.Equal(first, numbers(1, 64)) || !slices.Equal(second, numbers(65, 100)) {
		t.Errorf("got %v and %v", first, second)
	}
}

// What a deliverer has not taken comes again, and what it has does not.
func TestTakingSome(t *testing.T) {
	t.Parallel()
	for _, manner := range []realtime.Manner{realtime.Quick, realtime.Waiting} {
		source := newShelf()
		hub := newHub(t, source, 0)
		m := memberOf(1)
		got := make(chan int64, 100)
		calls := 0
		listen(t, hub, m, manner, func(_ context.Context, rows []notification.Notification) (int, error) {
			calls++
			if calls%3 == 0 {
				panic("on purpose")
			}
			take := min(3, len(rows))
			for _, n := range rows[:take] {
				got <- n.Sequence
			}
			if calls%2 == 0 {
				return take, errors.New("after some")
			}
			return take, nil
		})
		for range 12 {
			source.add(m)
		}
		hub.Wake(notification.Hint{Member: m, Number: 12})
		for want := range int64(12) {
			if n := arrives(t, got, "a notification"); n != want+1 {
				t.Fatalf("got %d instead of %d", n, want+1)
			}
		}
	}
}

// Peers that do not read hold up nobody else, however many they are.
func TestStuckPeersHoldUpNobody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what   string
		manner realtime.Manner
		stuck  int
	}{{"quick", realtime.Quick, 50}, {"waiting", realtime.Waiting, 600}} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			source := newShelf()
			hub := newHub(t, source, 2)
			release, held := make(chan struct{}), make(chan struct{}, c.stuck)
			defer close(release)
			for i := range c.stuck {
				listen(t, hub, memberOf(i), c.manner, func(_ context.Context, rows []notification.Notification) (int, error) {
					held <- struct{}{}
					<-release
					return len(rows), nil
				})
			}
			got := make(chan int64, 10)
			other := memberOf(c.stuck)
			listen(t, hub, other, c.manner, realtime.Each(func(_ context.Context, n notification.Notification) error {
				got <- n.Sequence
				return nil
			}))
			for i := range c.stuck {
				hub.Wake(notification.Hint{Member: memberOf(i), Number: source.add(memberOf(i))})
			}
			hub.Wake(notification.Hint{Member: other, Number: source.add(other)})
			for range c.stuck {
				arrives(t, held, "a peer that does not read")
			}
			arrives(t, got, "the notification of the one that reads")
			hub.Wake(notification.Hint{Member: other, Number: source.add(other)})
			arrives(t, got, "its next")
		})
	}
}

// Those who wait for others wait together: there is a goroutine for each, up to hundreds.
func TestWaitingTogether(t *testing.T) {
	t.Parallel()
	const members = 100
	source := newShelf()
	hub := newHub(t, source, 1)
	var together sync.WaitGroup
	together.Add(members)
	done := make(chan struct{}, members)
	for i := range members {
		listen(t, hub, memberOf(i), realtime.Waiting, realtime.Each(func(context.Context, notification.Notification) error {
			together.Done()
			together.Wait()
			done <- struct{}{}
			return nil
		}))
	}
	for i := range members {
		hub.Wake(notification.Hint{Member: memberOf(i), Number: source.add(memberOf(i))})
	}
	for range members {
		arrives(t, done, "everybody")
	}
}

// A rush of events to quick deliverers costs a few goroutines, not one each, and none of them stays.
func TestFewWorkers(t *testing.T) { // not in parallel: it counts the goroutines of the whole program
	const members, workers = 2000, 4
	source := newShelf()
	hub := newHub(t, source, workers)
	var most, left atomic.Int64
	left.Store(members)
	done := make(chan struct{})
	before := runtime.NumGoroutine()
	for i := range members {
		listen(t, hub, memberOf(i), realtime.Quick, realtime.Each(func(context.Context, notification.Notification) error {
			most.Store(max(most.Load(), int64(runtime.NumGoroutine()-before)))
			if left.Add(-1) == 0 {
				close(done)
			}
			return nil
		}))
	}
	hints := make([]notification.Hint, members)
	for i := range hints {
		hints[i] = notification.Hint{Member: memberOf(i), Number: source.add(memberOf(i))}
	}
	hub.Wake(hints...)
	arrives(t, done, "all")
	if got := most.Load(); got > 10*workers { // one that the processor was taken from looks stuck, and gets help
		t.Errorf("%d goroutines for %d members", got, members)
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines stay", runtime.NumGoroutine()-before)
		}
	}
}

// Whatever comes at the same time as whatever: each stream gets everything, in order and once.
func TestStormOfWakes(t *testing.T) {
	t.Parallel()
	const members, streams, rounds = 20, 3, 200
	source := newShelf()
	var reads atomic.Int64
	source.before = func() error {
		if reads.Add(1)%50 == 0 {
			return errors.New("away")
		}
		return nil
	}
	hub := newHub(t, source, 3)
	var all sync.WaitGroup
	for i := range members * streams {
		m := memberOf(i % members)
		next := int64(1)
		all.Add(1)
		manner := []realtime.Manner{realtime.Quick, realtime.Waiting}[i%2]
		listen(t, hub, m, manner, func(_ context.Context, rows []notification.Notification) (int, error) {
			taken := 1 + rand.IntN(len(rows))
			for _, n := range rows[:taken] {
				if n.Sequence != next || n.Member != m {
					t.Errorf("%d came instead of %d", n.Sequence, next)
				}
				if next++; next == rounds+1 {
					all.Done()
				}
			}
			return taken, nil
		})
	}
	for m := range members {
		go func() {
			for range rounds {
				n := source.add(memberOf(m))
				var entry any
				if rand.IntN(2) == 0 {
					entry = notification.Notification{Member: memberOf(m), Sequence: n}
				}
				hub.Wake(notification.Hint{Member: memberOf(m), Number: n, Entry: entry}, notification.Hint{Member: memberOf(m), Number: n - 1})
			}
		}()
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	arrives(t, done, "everything")
}

// What is committed while something is being given comes afterwards, although nobody wakes the stream again.
func TestWokenWhileGiven(t *testing.T) {
	t.Parallel()
	for _, manner := range []realtime.Manner{realtime.Quick, realtime.Waiting} {
		source := newShelf()
		hub := newHub(t, source, 0)
		m := memberOf(1)
		got, release := make(chan int64), make(chan struct{})
		listen(t, hub, m, manner, realtime.Each(func(_ context.Context, n notification.Notification) error {
			got <- n.Sequence
			<-release
			return nil
		}))
		hub.Wake(notification.Hint{Member: m, Number: source.add(m)})
		arrives(t, got, "the first")
		hub.Wake(notification.Hint{Member: m, Number: source.add(m)})
		release <- struct{}{}
		arrives(t, got, "the second")
		close(release)
	}
}
