package realtime

import (
	"context"
	"slices"
	"sync"

	"github.com/acquaint/acquaint/internal/notification"
)

// How reads are put together: at most so many cursors in one statement, and so many statements at a time. One that comes
// alone is read at once; when many streams wake together, those that wait go in one.
const (
	batchMost       = 256
	batchesAtOnce   = 4
	batchQueueShare = 16 // the capacity that the queue begins with
)

// batcher puts the reads of many streams together.
type batcher struct {
	source Source

	mu      sync.Mutex
	waiting []*read
	running int
}

// read is one stream's, and what came of it.
type read struct {
	cursor notification.Cursor
	done   chan struct{}
	rows   []notification.Notification
	err    error
}

// after gives the page after a cursor.
func (b *batcher) after(ctx context.Context, cursor notification.Cursor) ([]notification.Notification, error) {
	r := &read{cursor: cursor, done: make(chan struct{})}
	b.mu.Lock()
	if b.waiting == nil {
		b.waiting = make([]*read, 0, batchQueueShare)
	}
	b.waiting = append(b.waiting, r)
	if b.running < batchesAtOnce {
		b.running++
		go b.run()
	}
	b.mu.Unlock()
	select {
	case <-r.done:
		return r.rows, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run reads for those that wait, until nobody does.
func (b *batcher) run() {
	for {
		b.mu.Lock()
		n := min(len(b.waiting), batchMost)
		if n == 0 {
			b.running--
			b.waiting = nil
			b.mu.Unlock()
			return
		}
		batch := b.waiting[:n:n]
		b.waiting = b.waiting[n:]
		b.mu.Unlock()
		b.read(batch)
	}
}

func (b *batcher) read(batch []*read) {
	cursors := make([]notification.Cursor, 0, len(batch))
	for _, r := range batch {
		if !slices.Contains(cursors, r.cursor) {
			cursors = append(cursors, r.cursor)
		}
	}
	// Of nobody's context: the others must not lose their read when one of them leaves. It is bounded all the same.
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	rows, err := b.source.NotificationsAfter(ctx, cursors, pageSize)
	for _, r := range batch {
		r.rows, r.err = rows[r.cursor], err
		close(r.done)
	}
}
