package realtime_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/broker"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/realtime"
)

// What a hub tells of itself: what it gave, why it read, and how long after the commit.
func TestStats(t *testing.T) {
	t.Parallel()
	m, source := memberOf(1), newShelf()
	hub := newHub(t, source, 0)
	var fail atomic.Bool
	ctx, end := context.WithCancel(t.Context())
	listening := func(after *int64) {
		t.Helper()
		if err := hub.ListenAs(ctx, "something", m, after, realtime.Quick,
			realtime.Each(func(context.Context, notification.Notification) error {
				if fail.Swap(false) {
					return errors.New("not now")
				}
				return nil
			})); err != nil {
			t.Fatal(err)
		}
	}
	// One opened behind the last number reads at once, and what it gets is no measure of how quick the hub is.
	source.add(m)
	listening(new(int64))
	hub.Rest()
	want := func(delivered uint64, lags uint64, reads map[string]uint64) {
		t.Helper()
		s := hub.Stats()
		var observed uint64
		for _, n := range s.Lag.Counts {
			observed += n
		}
		if s.Delivered != delivered || observed != lags {
			t.Errorf("delivered %d, %d lags; want %d and %d", s.Delivered, observed, delivered, lags)
		}
		for why, n := range s.Reads {
			if n != reads[why] {
				t.Errorf("%d reads for %q, want %d", n, why, reads[why])
			}
		}
	}
	want(1, 0, map[string]uint64{"opening": 1})

	hub.Wake(notification.Hint{Member: m, Number: source.add(m), Entry: notification.Notification{Member: m, Sequence: 2}})
	hub.Rest()
	want(2, 1, map[string]uint64{"opening": 1}) // it came along

	hub.Wake(notification.Hint{Member: m, Number: source.add(m)})
	hub.Rest()
	// The shelf's entries have no time: what is not known is not measured.
	want(3, 1, map[string]uint64{"opening": 1, "hint": 1})

	fail.Store(true)
	hub.Wake(notification.Hint{Member: m, Number: source.add(m)})
	hub.Rest()
	want(4, 1, map[string]uint64{"opening": 1, "hint": 2, "retry": 1})

	s := hub.Stats()
	if s.Failures != 1 || s.Statements != 4 || s.Listening["something"] != 1 || s.Waiting != 0 {
		t.Errorf("got %+v", s)
	}
	end()
	for deadline := time.Now().Add(patience); hub.Stats().Listening["something"] != 0; {
		if time.Now().After(deadline) {
			t.Fatal("it still counts as listening")
		}
	}
}

// An entry that was read is as late as its time says, by the hub's clock; one from the future is not late.
func TestLag(t *testing.T) {
	t.Parallel()
	m, now := memberOf(1), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for ago, bucket := range map[time.Duration]time.Duration{
		3 * time.Millisecond: 5 * time.Millisecond, 5 * time.Millisecond: 5 * time.Millisecond, time.Minute: 0, -time.Second: 250 * time.Microsecond,
	} {
		source := &dated{shelf: newShelf(), at: now.Add(-ago)}
		hub := realtime.NewHub[notification.Notification](source, &broker.Local{}, realtime.Options{Sweep: never, Now: func() time.Time { return now }})
		listen(t, hub, m, realtime.Quick, realtime.Each(func(context.Context, notification.Notification) error { return nil }))
		hub.Wake(notification.Hint{Member: m, Number: source.add(m)})
		hub.Rest()
		lag := hub.Stats().Lag
		for i, n := range lag.Counts {
			bound := time.Duration(0) // above all
			if i < len(realtime.LagBounds()) {
				bound = realtime.LagBounds()[i]
			}
			if (n == 1) != (bound == bucket) {
				t.Errorf("%v ago: %d up to %v", ago, n, bound)
			}
		}
		if want := max(ago, 0); lag.Sum != want {
			t.Errorf("%v ago: in all %v", ago, lag.Sum)
		}
		hub.Close()
	}
}

// A wake-up that was lost shows as a read for the sweep.
func TestStatsOfSweeps(t *testing.T) {
	t.Parallel()
	m, source := memberOf(1), newShelf()
	hub := realtime.NewHub[notification.Notification](source, &broker.Local{}, realtime.Options{Sweep: time.Millisecond})
	defer hub.Close()
	got := make(chan int64, 1)
	listen(t, hub, m, realtime.Quick, realtime.Each(func(_ context.Context, n notification.Notification) error {
		got <- n.Sequence
		return nil
	}))
	source.add(m)
	<-got
	if s := hub.Stats(); s.Reads["sweep"] != 1 || s.Sweeps["timer"] == 0 || s.Reads["hint"] != 0 {
		t.Errorf("got %+v", s)
	}
}

// dated is a shelf whose notifications were written at a time.
type dated struct {
	*shelf

	at time.Time
}

func (d *dated) After(ctx context.Context, cursors []notification.Cursor, limit int) (map[notification.Cursor][]notification.Notification, error) {
	out, err := d.shelf.After(ctx, cursors, limit)
	for _, list := range out {
		for i := range list {
			list[i].CreatedAt = d.at
		}
	}
	return out, err
}
