package realtime

import (
	"context"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// Entry is what a log holds: a notification of an inbox, or an entry of a feed.
type Entry interface {
	// Position is its number in the member's log, from 1 on.
	Position() int64
	// OnHold reports whether it was written during a pause: it comes to streams that start after it and ask for it.
	OnHold() bool
	// WrittenAt is when it was written; zero where that is not known.
	WrittenAt() time.Time
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
	Sweep time.Duration
	// Workers is how many goroutines read for the streams and give to quick ones, as long as none of them is stuck.
	Workers int
	Now     func() time.Time
	Logger  *slog.Logger
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
	broker  Broker
	options Options

	counters counters
	began    time.Time // what the hub counts time from

	mu      sync.Mutex // guards what follows, and the state of every stream
	members map[id.Member]*listeners[E]
	work    work[E]
	open    map[string]int // streams, by name
	now     time.Duration  // since it began, as of the hints that are being received

	stop  context.CancelFunc
	early chan struct{} // holds one when the sweep is wanted before its time
	swept chan struct{} // closed when the sweep has ended
}

// listeners is the streams of one member.
type listeners[E Entry] struct {
	streams []*stream[E]
	known   int64 // the greatest number heard of
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
	if options.Workers == 0 {
		options.Workers = defaultWorkers()
	}
	ctx, stop := context.WithCancel(context.Background()) //nolint:gosec // Close calls stop
	h := &Hub[E]{
		source: source, broker: broker, options: options, began: time.Now(), open: make(map[string]int),
		members: make(map[id.Member]*listeners[E]), work: work[E]{quick: newCrew(options.Workers), waiting: newCrew(waitingMost)},
		stop: stop, early: make(chan struct{}, 1), swept: make(chan struct{}),
	}
	broker.Subscribe(h.receive, h.catchUp)
	go h.sweep(ctx)
	return h
}

// Close ends the sweep. Streams end with their own contexts.
func (h *Hub[E]) Close() {
	h.stop()
	<-h.swept
}

// Wake implements notification.Waker: it tells every node, this one included, of changed logs.
func (h *Hub[E]) Wake(hints ...notification.Hint) { h.broker.Publish(hints...) }

// receive wakes the streams of those whose logs changed.
func (h *Hub[E]) receive(hints ...notification.Hint) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = time.Since(h.began)
	for _, hint := range hints {
		if hint.Log != h.options.Log {
			continue
		}
		if l := h.members[hint.Member]; l != nil {
			h.wake(l, hint, forHint)
		}
	}
}

// wake wakes the streams of a member. h.mu is held.
//
// Those that stand right before an entry that comes along are given that, without reading: numbers have no gaps but where
// something was taken back, so what they would read begins with it. Only when nobody has told of this number or a greater
// one before: who takes an entry back tells of the last number, which is no smaller than the entry's, so that after that
// the entry is read, and not found. Taken back later, it is dropped by whoever is about to give it (stream.give).
func (h *Hub[E]) wake(l *listeners[E], hint notification.Hint, because why) {
	entry, along := hint.Entry.(E)
	along = along && hint.Number > l.known && entry.Position() == hint.Number
	l.known = max(l.known, hint.Number)
	for _, s := range l.streams {
		if along && !s.active && s.cursor+1 == hint.Number && s.ctx.Err() == nil {
			s.active, s.along, s.came = true, hint.Entry, max(h.now, 1)
			h.feed(s)
		} else {
			h.wakeLocked(s, because)
		}
	}
}

// heard is told of a number that somebody has seen. If nobody had told of it, the wake-up was lost, and is made up for.
func (h *Hub[E]) heard(hint notification.Hint, because why) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l := h.members[hint.Member]; l != nil && hint.Number > l.known {
		h.wake(l, hint, because)
	}
}

func (h *Hub[E]) add(s *stream[E]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.members[s.member]
	if l == nil {
		l = &listeners[E]{}
		h.members[s.member] = l
	}
	l.streams = append(l.streams, s)
	h.open[s.name]++
}

func (h *Hub[E]) remove(s *stream[E]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.members[s.member]
	l.streams = slices.DeleteFunc(l.streams, func(other *stream[E]) bool { return other == s })
	if len(l.streams) == 0 {
		delete(h.members, s.member)
	}
	h.open[s.name]--
}

// Listening is how many streams are open on this node.
func (h *Hub[E]) Listening() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, l := range h.members {
		n += len(l.streams)
	}
	return n
}

// catchUp makes the hub look for lost wake-ups at once: hints of other nodes may have been lost.
func (h *Hub[E]) catchUp() {
	select {
	case h.early <- struct{}{}:
	default: // it is about to
	}
}

// sweep asks, again and again, for what wake-ups may have been lost.
func (h *Hub[E]) sweep(ctx context.Context) {
	defer close(h.swept)
	ticker := time.NewTicker(h.options.Sweep)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			h.counters.sweeps[0].Add(1)
			h.sweepOnce(ctx, forSweep)
		case <-h.early:
			h.counters.sweeps[1].Add(1)
			h.sweepOnce(ctx, forReconnect)
		}
	}
}

func (h *Hub[E]) sweepOnce(ctx context.Context, because why) {
	defer func() {
		if cause := recover(); cause != nil { // of the source; the next sweep may not
			h.options.Logger.ErrorContext(ctx, "panic while looking for lost wake-ups", "panic", cause, "stack", string(debug.Stack()))
		}
	}()
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
			h.heard(hint, because)
		}
	}
}
