package realtime

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/acquaint/acquaint/internal/batch"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// Entry is what a log holds: a notification of an inbox, or an entry of a feed.
type Entry interface {
	// Position is its number in the member's log, from 1 on.
	Position() int64
	// OnHold reports whether it was written during a pause: it comes to streams that start after it and ask for it.
	OnHold() bool
}

// Source is where streams read from: the table of one kind of log.
type Source[E Entry] interface {
	// After gives, for each cursor, up to limit of the entries of the member's log after it, in order.
	After(ctx context.Context, cursors []notification.Cursor, limit int) (map[notification.Cursor][]E, error)
	// LastNumbers gives the last number of each member's log.
	LastNumbers(ctx context.Context, members []id.Member) ([]notification.Hint, error)
	// PausedUntil is until when the member has paused notifications; it may have passed.
	PausedUntil(ctx context.Context, member id.Member) (time.Time, error)
}

// Options are the numbers of a Hub; a zero takes the default.
type Options struct {
	// Log is which of the members' logs the hub serves; hints of others pass it by.
	Log notification.Log
	// Sweep is how often the hub asks for the last numbers of all listening members: what a lost wake-up costs at most.
	Sweep  time.Duration
	Now    func() time.Time
	Logger *slog.Logger
}

const (
	defaultSweep = 5 * time.Second
	// pageSize is how many notifications one pull reads, and so what a stream that is not read holds.
	pageSize = 64
	// sweepBatch is how many members one statement of the sweep asks for.
	sweepBatch = 1000
	// How long a stream waits before it asks a failing source again: the first time, and at most.
	retryFirst = 100 * time.Millisecond
	retryMost  = 5 * time.Second
)

// Hub knows who listens to one kind of log on this node, and wakes them.
type Hub[E Entry] struct {
	source  Source[E]
	reads   *batch.Batcher[notification.Cursor, []E]
	broker  Broker
	options Options

	mu      sync.Mutex
	members map[id.Member]*listeners[E]

	stop context.CancelFunc
	done chan struct{}
}

// listeners is the streams of one member, and the page they share.
type listeners[E Entry] struct {
	mu      sync.Mutex
	streams map[*stream[E]]struct{}
	known   int64 // the greatest number heard of
	// generation counts the wake-ups and the streams that came. A page is shared only within one: what was taken back
	// is gone from the next, and a new stream sees nothing that was read before it.
	generation uint64
	awake      int // streams that have something to give
	page       page[E]

	pulling sync.Mutex // held while reading, so that the others wait for the page instead of reading it again
}

// read gives the page after a stream's cursor: the shared one if it is of this wake-up and begins early enough.
func (l *listeners[E]) read(ctx context.Context, s *stream[E]) (page[E], error) {
	l.pulling.Lock()
	defer l.pulling.Unlock()
	l.mu.Lock()
	generation, shared := l.generation, l.page
	l.mu.Unlock()
	if shared.generation == generation && shared.from <= s.cursor && !shared.full {
		return shared, nil
	}
	cursor := notification.Cursor{Member: s.member, After: s.cursor}
	found, err := s.hub.reads.Get(ctx, cursor)
	if err != nil {
		return page[E]{}, err
	}
	rows := found[cursor]
	read := page[E]{generation: generation, from: s.cursor, rows: rows, full: len(rows) == pageSize}
	l.mu.Lock()
	l.page = read
	l.mu.Unlock()
	return read, nil
}

// page is one read of an inbox, shared by streams that stand at from or later.
type page[E Entry] struct {
	generation uint64
	from       int64
	rows       []E
	full       bool // there may be more beyond it
}

// NewHub starts a hub over a source and a broker. Close ends it.
func NewHub[E Entry](source Source[E], broker Broker, options Options) *Hub[E] {
	if options.Sweep == 0 {
		options.Sweep = defaultSweep
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	h := &Hub[E]{
		source: source, broker: broker, options: options,
		members: make(map[id.Member]*listeners[E]), stop: stop, done: make(chan struct{}),
	}
	h.reads = batch.New(func(ctx context.Context, cursors []notification.Cursor) (map[notification.Cursor][]E, error) {
		return source.After(ctx, cursors, pageSize)
	})
	broker.Subscribe(h.receive)
	go h.sweep(ctx)
	return h
}

// Close ends the sweep. Streams end with their own contexts.
func (h *Hub[E]) Close() {
	h.stop()
	<-h.done
}

// Wake implements notification.Waker: it tells every node, this one included, of changed logs.
func (h *Hub[E]) Wake(hints ...notification.Hint) { h.broker.Publish(hints...) }

// receive wakes the streams of those whose logs changed.
func (h *Hub[E]) receive(hints ...notification.Hint) {
	for _, hint := range hints {
		if hint.Log != h.options.Log {
			continue
		}
		if l := h.listenersOf(hint.Member); l != nil {
			l.wake(hint.Number)
		}
	}
}

func (h *Hub[E]) listenersOf(member id.Member) *listeners[E] {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.members[member]
}

func (l *listeners[E]) wake(number int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.generation++
	l.known = max(l.known, number)
	for s := range l.streams {
		s.wake()
	}
}

// heard is told of a number that somebody has seen. If nobody had told of it, the wake-up was lost, and is made up for.
func (l *listeners[E]) heard(number int64) {
	if l.isNews(number) {
		l.wake(number)
	}
}

// rouse and rest count the streams that have something to give. When the last rests, the page that they shared goes.
func (l *listeners[E]) rouse() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.awake++
}

func (l *listeners[E]) rest() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.awake--; l.awake == 0 {
		l.page = page[E]{}
	}
}

func (h *Hub[E]) add(s *stream[E]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.members[s.member]
	if l == nil {
		l = &listeners[E]{streams: make(map[*stream[E]]struct{})}
		h.members[s.member] = l
	}
	s.shared = l
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams[s] = struct{}{}
	l.generation++
}

func (h *Hub[E]) remove(s *stream[E]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.shared.mu.Lock()
	defer s.shared.mu.Unlock()
	delete(s.shared.streams, s)
	if len(s.shared.streams) == 0 {
		delete(h.members, s.member)
	}
}

// Listening is how many streams are open on this node.
func (h *Hub[E]) Listening() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, l := range h.members {
		l.mu.Lock()
		n += len(l.streams)
		l.mu.Unlock()
	}
	return n
}

// sweep asks, again and again, for what wake-ups may have been lost.
func (h *Hub[E]) sweep(ctx context.Context) {
	defer close(h.done)
	ticker := time.NewTicker(h.options.Sweep)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			h.sweepOnce(ctx)
		}
	}
}

func (h *Hub[E]) sweepOnce(ctx context.Context) {
	h.mu.Lock()
	members := make([]id.Member, 0, len(h.members))
	for member := range h.members {
		members = append(members, member)
	}
	h.mu.Unlock()
	for len(members) > 0 {
		batch := members[:min(sweepBatch, len(members))]
		members = members[len(batch):]
		hints, err := h.source.LastNumbers(ctx, batch)
		if err != nil {
			if ctx.Err() == nil {
				h.options.Logger.WarnContext(ctx, "cannot look for lost wake-ups; will try again", "error", err)
			}
			return
		}
		for _, hint := range hints {
			if l := h.listenersOf(hint.Member); l != nil {
				l.heard(hint.Number)
			}
		}
	}
}

func (l *listeners[E]) isNews(number int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return number > l.known
}
