// Package batch puts together what many ask for at the same time: one question goes out at once, those that come while
// it is being answered go in one. It remembers nothing and delays nothing; it saves round trips exactly when there are
// many.
package batch

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// How questions are put together: at most so many keys in one, and so many at a time; and how long one may take.
const (
	keysMost = 256
	atOnce   = 4
	timeout  = 10 * time.Second
)

// Batcher answers questions about keys by a fetch that takes many of them.
type Batcher[K comparable, V any] struct {
	fetch func(ctx context.Context, keys []K) (map[K]V, error)

	mu      sync.Mutex
	waiting []*question[K, V]
	running int
}

// question is one asker's keys, and what came of them.
type question[K comparable, V any] struct {
	ctx     context.Context //nolint:containedctx // of who asks: nothing is fetched for those who have left
	keys    []K
	done    chan struct{}
	answers map[K]V // of everybody who was answered together
	err     error
}

// New makes a Batcher over a fetch, which gives what it finds: a key may have nothing.
func New[K comparable, V any](fetch func(ctx context.Context, keys []K) (map[K]V, error)) *Batcher[K, V] {
	return &Batcher[K, V]{fetch: fetch}
}

// Get gives what is found for the keys, among other things: look them up, and leave the map as it is. It was fetched
// after Get was called.
func (b *Batcher[K, V]) Get(ctx context.Context, keys ...K) (map[K]V, error) {
	q := &question[K, V]{ctx: ctx, keys: keys, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, q)
	if b.running < atOnce {
		b.running++
		go b.run()
	}
	b.mu.Unlock()
	select {
	case <-q.done:
		return q.answers, q.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run answers those that wait, until nobody does.
func (b *Batcher[K, V]) run() {
	for {
		b.mu.Lock()
		b.waiting = slices.DeleteFunc(b.waiting, func(q *question[K, V]) bool { return q.ctx.Err() != nil })
		if len(b.waiting) == 0 {
			b.running--
			b.waiting = nil
			b.mu.Unlock()
			return
		}
		n, keys := 0, make(map[K]struct{})
		for n < len(b.waiting) && (n == 0 || len(keys)+len(b.waiting[n].keys) <= keysMost) {
			for _, k := range b.waiting[n].keys {
				keys[k] = struct{}{}
			}
			n++
		}
		batch := b.waiting[:n:n]
		b.waiting = b.waiting[n:]
		b.mu.Unlock()
		b.answer(batch, keys)
	}
}

func (b *Batcher[K, V]) answer(batch []*question[K, V], keys map[K]struct{}) {
	all := make([]K, 0, len(keys))
	for k := range keys {
		all = append(all, k)
	}
	// Of nobody's context: the others must not lose their answer when one of them leaves. It is bounded all the same.
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	answers, err := b.safely(ctx, all)
	for _, q := range batch {
		q.answers, q.err = answers, err
		close(q.done)
	}
}

// safely fetches, and makes a failure of a panic: this goroutine is nobody's to end the program with.
func (b *Batcher[K, V]) safely(ctx context.Context, keys []K) (answers map[K]V, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return b.fetch(ctx, keys)
}
