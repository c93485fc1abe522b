package batch_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/acquaint/acquaint/internal/batch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source answers with the double of a key, waits for leave to do so, and keeps what it was asked.
type source struct {
	mu    sync.Mutex
	asked [][]int
	began chan struct{}
	leave chan struct{}
	err   error
}

func (s *source) fetch(_ context.Context, keys []int) (map[int]int, error) {
	s.began <- struct{}{}
	<-s.leave
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(keys)
	s.asked = append(s.asked, keys)
	out := make(map[int]int, len(keys))
	for _, k := range keys {
		if k >= 0 {
			out[k] = 2 * k
		}
	}
	return out, s.err
}

func newSource() *source {
	return &source{began: make(chan struct{}, 1000), leave: make(chan struct{}, 1000)}
}

// Questions that come while others are being answered go together, each key once, and each asker has its answers.
func TestTogether(t *testing.T) {
	t.Parallel()
	const atOnce, askers = 4, 1000
	s := newSource()
	b := batch.New(s.fetch)
	var done sync.WaitGroup
	ask := func(k int) {
		done.Go(func() {
			if got, err := b.Get(context.Background(), k, k+1, -1); err != nil || got[k] != 2*k || got[k+1] != 2*k+2 {
				t.Errorf("%d: %v %v", k, got, err)
			}
		})
	}
	for k := range atOnce { // one after the other, so that each is a question of its own
		ask(1000 * (k + 1))
		<-s.began
	}
	var queued sync.WaitGroup
	for k := range askers {
		queued.Add(1)
		go func() { queued.Done(); ask(k) }()
	}
	queued.Wait()
	for range askers + atOnce {
		s.leave <- struct{}{}
	}
	done.Wait()
	if n := len(s.asked); n < atOnce+askers/256 || n > askers/2 {
		t.Errorf("%d fetches for %d askers", n, askers+atOnce)
	}
	for _, keys := range s.asked {
		if len(keys) > 256 || len(slices.Compact(slices.Clone(keys))) != len(keys) {
			t.Errorf("a fetch of %d keys: %v", len(keys), keys)
		}
	}
}

// Nothing is fetched for those who have left, and a panic is a failure.
func TestLeftAndPanic(t *testing.T) {
	t.Parallel()
	s := newSource()
	b := batch.New(s.fetch)
	busy := make(chan struct{}, 4)
	for k := range 4 {
		go func() { _, _ = b.Get(context.Background(), k); busy <- struct{}{} }()
		<-s.began
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	for k := range 100 {
		if _, err := b.Get(gone, 1000+k); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	for range 100 {
		s.leave <- struct{}{}
	}
	for range 4 {
		<-busy
	}
	if n := len(s.asked); n != 4 {
		t.Errorf("%d fetches, some for nobody", n)
	}
	p := batch.New(func(context.Context, []int) (map[int]int, error) { panic("on purpose") })
	if _, err := p.Get(context.Background(), 1); err == nil {
		t.Error("a panic is no failure")
	}
}

// A failure is everybody's who was in it; an asker that leaves takes nobody along.
func TestFailureAndLeaving(t *testing.T) {
	t.Parallel()
	s := newSource()
	s.err = errors.New("away")
	b := batch.New(s.fetch)
	ctx, cancel := context.WithCancel(context.Background())
	left := make(chan error)
	go func() { _, err := b.Get(ctx, 1); left <- err }()
	<-s.began
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the one who left got %v", err)
	}
	s.leave <- struct{}{}
	s.leave <- struct{}{}
	if _, err := b.Get(context.Background(), 2); !errors.Is(err, s.err) {
		t.Errorf("got %v", err)
	}
}
