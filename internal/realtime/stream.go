package realtime

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/acquaint/acquaint/internal/id"
)

// Deliver is given a stream's entries, in order: at least one, and as many as there are to give just now. It says
// how many it has taken. It may block: nothing more is read for this stream meanwhile. When it fails it is given what
// it has not taken again, a little later, unless the context has ended.
type Deliver[E Entry] func(ctx context.Context, entries []E) (taken int, err error)

// Each makes a Deliver that is given one entry at a time.
func Each[E Entry](deliver func(ctx context.Context, entry E) error) Deliver[E] {
	return func(ctx context.Context, entries []E) (int, error) {
		if err := deliver(ctx, entries[0]); err != nil {
			return 0, err
		}
		return 1, nil
	}
}

// Manner is how a Deliver wants to be called.
type Manner uint8

const (
	// Waiting is for one that waits for others, as for the database: hundreds of goroutines call these, so that those of
	// many streams wait together.
	Waiting Manner = iota
	// Quick is for one that waits for nothing but its peer, and for that seldom: few workers call all of these.
	Quick
)

// stream is one subscription: a cursor over a member's log. At rest it is this and nothing more.
//
// It is in one place at a time: at rest, in a queue of the hub, in the hands of the goroutine that reads for it or gives
// to it, or waiting for its timer after a failure. So nothing of it is given twice or out of order.
type stream[E Entry] struct {
	hub     *Hub[E]
	member  id.Member
	name    string // what it listens as; for the operators
	deliver Deliver[E]
	ctx     context.Context //nolint:containedctx // a stream lives as long as its context
	start   int64           // the last number there was when the stream started

	// Of whoever has the stream in hands.
	cursor int64         // the last number given, or passed over
	page   []E           // what was read after the cursor
	along  any           // instead of a page, the entry after the cursor, which came with a hint
	came   time.Duration // when that was, since the hub began; 0 for a page that was read
	wait   time.Duration // before the next try, after a failure

	manner Manner

	// Guarded by the hub's mutex.
	woken  bool        // something may have changed since it was last read for
	active bool        // it is not at rest
	why    why         // of the next read
	timer  *time.Timer // of the next try, or of the end of a pause
}

// Listen gives deliver what is committed from now on, or everything after a sequence (0 is the beginning), until ctx
// ends. It has started when Listen returns.
func (h *Hub[E]) Listen(ctx context.Context, member id.Member, after *int64, manner Manner, deliver Deliver[E]) error {
	return h.ListenAs(ctx, "", member, after, manner, deliver)
}

// ListenAs is Listen under a name, as of the subscription that listens. Names are few: each is counted apart.
func (h *Hub[E]) ListenAs(ctx context.Context, name string, member id.Member, after *int64, manner Manner, deliver Deliver[E]) error {
	s := &stream[E]{hub: h, name: name, member: member, deliver: deliver, manner: manner, ctx: ctx, active: true}
	// First listen, then look: what is committed in between wakes the stream, or is seen. It counts as active so that
	// nobody reads for it before it has its cursor.
	h.add(s)
	hints, err := h.source.LastNumbers(ctx, []id.Member{member})
	if err == nil && len(hints) != 1 {
		err = fmt.Errorf("member %s has no log", member)
	}
	if err != nil {
		h.remove(s)
		return err
	}
	s.start = hints[0].Number
	s.cursor = s.start
	if after != nil {
		s.cursor = *after
	}
	h.heard(hints[0], forOpening)
	context.AfterFunc(ctx, s.end)
	h.done(s, s.cursor < s.start)
	return nil
}

// end lets go of everything when the context is over.
func (s *stream[E]) end() {
	s.hub.remove(s)
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
}

// next is what a stream wants when it was given to.
type next int

const (
	resting  next = iota
	reading       // there may be more
	retrying      // a little later
)

// give gives what was read, and says what is to come of the rest.
func (s *stream[E]) give(rows []E) next {
	full := len(rows) == pageSize
	for len(rows) > 0 {
		taken, state := s.giveSome(rows)
		rows = rows[taken:]
		switch {
		case state == failing:
			return retrying
		case state == pausing:
			return resting
		case len(rows) > 0 && s.hub.changed(s): // what is left may have been taken back
			return reading
		}
	}
	s.wait = 0
	if full { // there may be more beyond the page
		return reading
	}
	return resting
}

// state is how giving went.
type state int

const (
	going state = iota
	pausing
	failing
)

// pausedUntil asks the source, and makes a failure of a panic.
func (s *stream[E]) pausedUntil() (until time.Time, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return s.hub.source.PausedUntil(s.ctx, s.member)
}

// giveSome gives the first of the rows, and says how many it is done with.
func (s *stream[E]) giveSome(rows []E) (int, state) {
	if s.ctx.Err() != nil {
		return len(rows), going
	}
	first := rows[0]
	switch {
	case first.Position() <= s.cursor:
		return 1, going
	case first.OnHold() && first.Position() > s.start:
		s.cursor = first.Position()
		return 1, going
	case first.OnHold():
		// Held by a pause: it comes to a stream that starts after it and asks for it, and to no other; and not before the
		// pause is over, as clients ask again by themselves whenever a connection was lost.
		until, err := s.pausedUntil()
		if err != nil {
			s.failed(err)
			return 0, failing
		}
		if until.After(s.hub.options.Now()) {
			s.hub.wakeAt(s, until)
			return 0, pausing
		}
		rows = rows[:1]
	default:
		n := 1
		for n < len(rows) && !rows[n].OnHold() {
			n++
		}
		rows = rows[:n]
	}
	taken, err := s.safely(rows)
	if taken > 0 {
		s.cursor = rows[taken-1].Position()
		s.wait = 0
		s.given(rows[:taken])
	}
	if err != nil && s.ctx.Err() == nil {
		s.failed(err)
		return taken, failing
	}
	return taken, going
}

// safely delivers, and makes a failure of a panic: this goroutine is nobody's to end the program with.
func (s *stream[E]) safely(rows []E) (taken int, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			taken, err = 0, fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	taken, err = s.deliver(s.ctx, rows)
	if err == nil && (taken < 1 || taken > len(rows)) {
		return 0, fmt.Errorf("took %d of %d", taken, len(rows))
	}
	return taken, err
}

// failed lets the next try wait longer than the one before.
func (s *stream[E]) failed(err error) {
	s.backOff()
	s.hub.counters.failures.Add(1)
	s.hub.options.Logger.WarnContext(s.ctx, "cannot deliver to a subscription; will try again", "error", err, "wait", s.wait)
}

func (s *stream[E]) backOff() { s.wait = min(max(2*s.wait, retryFirst), retryMost) }
