package realtime_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/acquaint/acquaint/internal/broker"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/realtime"
)

// asked is a shelf that notes of how many members each statement of a sweep asks.
type asked struct {
	*shelf

	mu   sync.Mutex
	sets []int
}

// LastNumbers implements realtime.Source.
func (a *asked) LastNumbers(ctx context.Context, members []id.Member) ([]notification.Hint, error) {
	a.mu.Lock()
	a.sets = append(a.sets, len(members))
	a.mu.Unlock()
	return a.shelf.LastNumbers(ctx, members)
}

// deaf is a broker whose hints are all lost, until it notices.
type deaf struct {
	broker.Local

	catchUp func()
}

// Publish implements realtime.Broker.
func (*deaf) Publish(...notification.Hint) {}

// Subscribe implements realtime.Broker.
func (d *deaf) Subscribe(_ func(...notification.Hint), catchUp func()) { d.catchUp = catchUp }

// A sweep asks for a thousand members in a statement, and brings what was lost to each of them.
func TestSweepOfMany(t *testing.T) {
	t.Parallel()
	const members = 2500
	source, lossy := &asked{shelf: newShelf()}, &deaf{}
	hub := realtime.NewHub[notification.Notification](source, lossy, realtime.Options{Sweep: never})
	closed := sync.OnceFunc(hub.Close)
	defer closed()
	got := make(chan id.Member, 2*members)
	for i := range members {
		listen(t, hub, memberOf(i), realtime.Quick, realtime.Each(func(_ context.Context, n notification.Notification) error {
			got <- n.Member
			return nil
		}))
	}
	for round := range 2 {
		source.mu.Lock()
		source.sets = nil // no sweep is under way
		source.mu.Unlock()
		for i := range members {
			hub.Wake(notification.Hint{Member: memberOf(i), Number: source.add(memberOf(i))})
		}
		lossy.catchUp()
		had := make(map[id.Member]bool)
		for range members {
			had[arrives(t, got, "what was lost")] = true
		}
		if len(had) != members {
			t.Errorf("round %d: it came to %d members, want %d", round, len(had), members)
		}
		if round == 1 {
			closed() // so that no more of the sweep is to come
		}
		source.mu.Lock()
		if !slices.Equal(source.sets, []int{1000, 1000, 500}) {
			t.Errorf("round %d: a sweep asks for %v members", round, source.sets)
		}
		source.mu.Unlock()
	}
	if len(got) > 0 {
		t.Errorf("something came twice, %d times", len(got))
	}
}
