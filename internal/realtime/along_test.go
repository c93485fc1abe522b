package realtime_test

import (
	"context"
	"slices"
	"testing"

	"github.com/acquaint/acquaint/internal/broker"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/realtime"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// What this node has written is not read again for those who wait for it.
func TestOwnEntriesAreNotRead(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		source := &flaky{Store: s}
		w := newWorld(t, s, source, &broker.Local{}, never)
		one, two := w.listen(nil), w.listen(nil)
		for round := range int64(5) {
			w.notify(1)
			for _, stream := range []*stream{one, two} {
				if got := take(t, stream, 1); got[0] != round+1 {
					t.Fatalf("got %v in round %d", got, round)
				}
			}
		}
		// The taker is quicker than the stream that rests after it, so that now and then one reads.
		if got := source.reads.Load(); got > 4 {
			t.Errorf("%d reads for 5 notifications to two streams", got)
		}
	})
}

// An entry that comes along with a hint is given as if it had been read: in its place, once, and not when it was taken
// back.
func TestEntriesThatComeAlong(t *testing.T) {
	t.Parallel()
	m := memberOf(1)
	along := func(n int64) notification.Hint {
		return notification.Hint{Member: m, Number: n, Entry: notification.Notification{Member: m, Sequence: n}}
	}
	told := func(n int64) notification.Hint { return notification.Hint{Member: m, Number: n} }
	for _, c := range []struct {
		what  string
		last  int64
		gone  []int64
		wakes [][]notification.Hint // at once, and one after the other
		want  []int64
		read  bool
	}{
		{"one", 1, nil, [][]notification.Hint{{along(1)}}, []int64{1}, false},
		{"one after the other", 3, nil, [][]notification.Hint{{along(1)}, {along(2)}, {along(3)}}, []int64{1, 2, 3}, false},
		{"repeated", 1, nil, [][]notification.Hint{{along(1), along(1)}, {along(1)}}, []int64{1}, true},
		{"several at once", 3, nil, [][]notification.Hint{{along(1), along(2), along(3)}}, []int64{1, 2, 3}, true},
		{"the later first", 2, nil, [][]notification.Hint{{along(2), along(1)}}, []int64{1, 2}, true},
		{"one was missed", 2, nil, [][]notification.Hint{{along(2)}}, []int64{1, 2}, true},
		{"one was missed and taken back", 2, []int64{1}, [][]notification.Hint{{along(2)}}, []int64{2}, true},
		{"told of before", 1, nil, [][]notification.Hint{{told(1), along(1)}}, []int64{1}, true},
		{"taken back before it is told of", 1, []int64{1}, [][]notification.Hint{{told(1)}, {along(1)}}, nil, true},
		{"taken back before it is given", 2, []int64{1}, [][]notification.Hint{{along(1), told(1)}, {told(2)}}, []int64{2}, true},
		{"of another number", 2, nil, [][]notification.Hint{{{Member: m, Number: 2, Entry: notification.Notification{Member: m, Sequence: 1}}}}, []int64{1, 2}, true},
		{"of another kind", 1, nil, [][]notification.Hint{{{Member: m, Number: 1, Entry: "a text"}}}, []int64{1}, true},
	} {
		for _, manner := range []realtime.Manner{realtime.Quick, realtime.Waiting} {
			source := newShelf()
			source.gone = make(map[int64]bool)
			for _, n := range c.gone {
				source.gone[n] = true
			}
			hub := newHub(t, source, 0)
			got := make(chan int64, 10)
			listen(t, hub, m, manner, realtime.Each(func(_ context.Context, n notification.Notification) error {
				got <- n.Sequence
				return nil
			}))
			source.mu.Lock()
			source.last[m] = c.last
			source.mu.Unlock()
			for _, at := range c.wakes {
				hub.Wake(at...)
				hub.Rest()
			}
			var all []int64
			for len(got) > 0 {
				all = append(all, <-got)
			}
			if !slices.Equal(all, c.want) {
				t.Errorf("%s: got %v, want %v", c.what, all, c.want)
			}
			if read := source.read() > 0; read != c.read {
				t.Errorf("%s: read: %v", c.what, read)
			}
		}
	}
}
