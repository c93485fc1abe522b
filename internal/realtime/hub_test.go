package realtime_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/broker"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/realtime"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

func TestMain(m *testing.M) {
	code := storetest.Main(m)
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Println("goroutines left behind:", err)
		code = 1
	}
	os.Exit(code)
}

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// never is a sweep that no test lives to see.
const never = time.Hour

// world is a store with a hub over it, and somebody to notify.
type world struct {
	t       *testing.T
	store   *store.Store
	hub     *realtime.Hub[notification.Notification]
	members *member.Service
	network *network.Service
	ada     id.Member
	senders int
}

func newWorld(t *testing.T, s *store.Store, source realtime.Source[notification.Notification], broker realtime.Broker, sweep time.Duration) *world {
	t.Helper()
	hub := realtime.NewHub(source, broker, realtime.Options{Sweep: sweep})
	t.Cleanup(func() { hub.Close() })
	w := &world{t: t, store: s, hub: hub, members: member.NewService(s, app.Now, app.NewID)}
	w.network = network.NewService(s, hub, network.DefaultPolicy(), app.Now, app.NewID)
	w.ada = w.signIn("ada")
	return w
}

func (w *world) signIn(subject string) id.Member {
	w.t.Helper()
	m, err := w.members.SignIn(context.Background(), member.Claims{Subject: subject})
	if err != nil {
		w.t.Fatal(err)
	}
	return m.ID
}

// notify makes n new members invite ada.
func (w *world) notify(n int) {
	w.t.Helper()
	for range n {
		w.senders++
		if _, err := w.network.Invite(context.Background(), w.signIn(fmt.Sprint("sender", w.senders)), network.InviteInput{Recipient: w.ada}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// stream is what was delivered and not taken yet: it waits for the taker, as a socket for its peer.
type stream struct {
	sequences chan int64
	close     context.CancelFunc
}

func (w *world) listen(after *int64) *stream {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w.t.Cleanup(cancel)
	s := &stream{sequences: make(chan int64), close: cancel}
	err := w.hub.Listen(ctx, w.ada, after, realtime.Waiting, realtime.Each(func(ctx context.Context, n notification.Notification) error {
		select {
		case s.sequences <- n.Sequence:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// take takes the next n sequences of a stream.
func take(t *testing.T, s *stream, n int) []int64 {
	t.Helper()
	var out []int64
	for range n {
		select {
		case next := <-s.sequences:
			out = append(out, next)
		case <-time.After(patience):
			t.Fatalf("nothing more after %v", out)
		}
	}
	return out
}

// numbers are from, from+1 … to.
func numbers(from, to int64) (out []int64) {
	for n := from; n <= to; n++ {
		out = append(out, n)
	}
	return out
}

// remote is a broker whose hints have come from another node: without what was written.
type remote struct{ broker.Local }

func (r *remote) Publish(hints ...notification.Hint) {
	bare := slices.Clone(hints)
	for i := range bare {
		bare[i].Entry = nil
	}
	r.Local.Publish(bare...)
}

// What is committed after the start comes in order and once, whatever was there before and whichever node wrote it.
func TestStreamFromNowOn(t *testing.T) {
	t.Parallel()
	for _, broker := range []func() realtime.Broker{
		func() realtime.Broker { return &broker.Local{} }, func() realtime.Broker { return &remote{} },
	} {
		storetest.EachStore(t, func(t *testing.T, s *store.Store) {
			w := newWorld(t, s, store.Inboxes{Store: s}, broker(), never)
			w.notify(3)
			stream := w.listen(nil)
			w.notify(5)
			if got := take(t, stream, 5); !slices.Equal(got, numbers(4, 8)) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// From a cursor, over several pages of reading.
func TestStreamAfter(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, store.Inboxes{Store: s}, &broker.Local{}, never)
		w.notify(130)
		for _, after := range []int64{0, 1, 64, 65, 129} {
			stream := w.listen(&after)
			if got := take(t, stream, int(130-after)); !slices.Equal(got, numbers(after+1, 130)) {
				t.Errorf("after %d: got %v", after, got)
			}
		}
		beyond, last := int64(1000), int64(130)
		ahead, here := w.listen(&beyond), w.listen(&last)
		w.notify(1)
		if got := take(t, here, 1); got[0] != 131 {
			t.Errorf("after the last: got %v", got)
		}
		select {
		case got := <-ahead.sequences:
			t.Errorf("after what is not there yet: got %d", got)
		default:
		}
	})
}

// unreliable is a broker that repeats and reorders hints, or loses them all.
type unreliable struct {
	broker.Local

	lose atomic.Bool
	old  []notification.Hint
}

func (u *unreliable) Publish(hints ...notification.Hint) {
	if u.lose.Load() {
		return
	}
	u.old = append(u.old, hints...)
	for _, h := range slices.Backward(u.old) {
		u.Local.Publish(h, h)
	}
}

// Hints that come twice and in the wrong order make no duplicate and no disorder.
func TestRepeatedHints(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, store.Inboxes{Store: s}, &unreliable{}, never)
		stream := w.listen(nil)
		w.notify(20)
		if got := take(t, stream, 20); !slices.Equal(got, numbers(1, 20)) {
			t.Errorf("got %v", got)
		}
	})
}

// A hint that is lost costs time only: the sweep finds what it told of.
func TestLostHints(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		broker := &unreliable{}
		broker.lose.Store(true)
		w := newWorld(t, s, store.Inboxes{Store: s}, broker, 10*time.Millisecond)
		stream := w.listen(nil)
		w.notify(3)
		if got := take(t, stream, 3); !slices.Equal(got, numbers(1, 3)) {
			t.Errorf("got %v", got)
		}
	})
}

// What was committed without a wake-up comes to a stream that opens afterwards, and by that to those that were open.
func TestOpeningMakesUpForLostHints(t *testing.T) {
	t.Parallel()
	for _, after := range []*int64{nil, new(int64)} {
		storetest.EachStore(t, func(t *testing.T, s *store.Store) {
			broker := &unreliable{}
			w := newWorld(t, s, store.Inboxes{Store: s}, broker, never)
			open := w.listen(nil)
			w.notify(1)
			if got := take(t, open, 1); got[0] != 1 {
				t.Fatalf("got %v", got)
			}
			broker.lose.Store(true)
			w.notify(1)
			second := w.listen(after)
			if got := take(t, open, 1); got[0] != 2 {
				t.Errorf("the open stream got %v", got)
			}
			if after != nil {
				if got := take(t, second, 2); !slices.Equal(got, numbers(1, 2)) {
					t.Errorf("the new stream got %v", got)
				}
			}
		})
	}
}

// flaky is a source that fails a number of times, and counts what is read.
type flaky struct {
	*store.Store

	failures, reads, largest atomic.Int64
}

var errAway = errors.New("the database is away")

func (f *flaky) After(ctx context.Context, cursors []notification.Cursor, limit int) (map[notification.Cursor][]notification.Notification, error) {
	f.reads.Add(int64(len(cursors)))
	f.largest.Store(max(f.largest.Load(), int64(limit)))
	if f.failures.Add(-1) >= 0 {
		return nil, errAway
	}
	return f.NotificationsAfter(ctx, cursors, limit)
}

// A source that fails is asked again; the stream stays and loses nothing.
func TestSourceFails(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		source := &flaky{Store: s}
		w := newWorld(t, s, source, &remote{}, never)
		stream := w.listen(nil)
		source.failures.Store(2)
		w.notify(3)
		if got := take(t, stream, 3); !slices.Equal(got, numbers(1, 3)) {
			t.Errorf("got %v", got)
		}
	})
}

// The streams of one member that stand at the same place share one read, and no read is larger than a page, however far
// behind its stream is.
func TestSharedReads(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		source := &flaky{Store: s}
		w := newWorld(t, s, source, &remote{}, never)
		const streams, rounds = 10, 5
		var open []*stream
		for range streams {
			open = append(open, w.listen(nil))
		}
		for round := range int64(rounds) {
			w.notify(1)
			for _, stream := range open {
				if got := take(t, stream, 1); got[0] != round+1 {
					t.Fatalf("got %v in round %d", got, round)
				}
			}
		}
		// A stream that comes late, when the others rest again, may read once more.
		if got := source.reads.Load(); got < rounds || got > 3*rounds {
			t.Errorf("%d streams took %d reads for %d notifications", streams, got, rounds)
		}
		w.notify(100)
		take(t, open[0], 100)
		if got := source.largest.Load(); got > 64 {
			t.Errorf("one read was of %d", got)
		}
	})
}

// No page outlives what it holds: after a withdrawal nobody gets its notification any more, not even who had it read
// and was waiting to give it.
func TestTakenBackWhileWaiting(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, store.Inboxes{Store: s}, &broker.Local{}, never)
		beginning := int64(0)
		w.notify(1)
		ben := w.signIn("ben")
		sent, err := w.network.Invite(context.Background(), ben, network.InviteInput{Recipient: w.ada})
		if err != nil {
			t.Fatal(err)
		}
		quick, slow := w.listen(&beginning), w.listen(&beginning) // both read a page with both
		take(t, quick, 2)
		if _, err := w.network.Withdraw(context.Background(), ben, sent.ID); err != nil {
			t.Fatal(err)
		}
		w.notify(1)
		if got := take(t, slow, 2); !slices.Equal(got, []int64{1, 3}) {
			t.Errorf("got %v, and 2 was taken back", got)
		}
	})
}

// A hub forgets members whose streams are closed.
func TestCloseForgets(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.EmptySQLite(t), store.Options{})
	w := newWorld(t, s, store.Inboxes{Store: s}, &broker.Local{}, never)
	a := w.listen(nil)
	if got := w.hub.Listening(); got != 1 {
		t.Errorf("%d listen", got)
	}
	a.close()
	for deadline := time.Now().Add(patience); w.hub.Listening() != 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d listen after closing", w.hub.Listening())
		}
	}
	err := w.hub.Listen(context.Background(), id.Member{9}, nil, realtime.Waiting, nil)
	if err == nil || w.hub.Listening() != 0 {
		t.Errorf("a member that is not there: %v, and %d listen", err, w.hub.Listening())
	}
}

// A delivery that fails is tried again: nothing is skipped.
func TestDeliveryFails(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, store.Inboxes{Store: s}, &broker.Local{}, never)
		got := make(chan int64, 10)
		failures := 2
		ctx, cancel := context.WithCancel(context.Background())
		t.Cleanup(cancel)
		if err := w.hub.Listen(ctx, w.ada, nil, realtime.Waiting, realtime.Each(func(_ context.Context, n notification.Notification) error {
			if failures--; failures >= 0 {
				return errAway
			}
			got <- n.Sequence
			return nil
		})); err != nil {
			t.Fatal(err)
		}
		w.notify(2)
		if all := take(t, &stream{sequences: got}, 2); !slices.Equal(all, numbers(1, 2)) {
			t.Errorf("got %v", all)
		}
	})
}
