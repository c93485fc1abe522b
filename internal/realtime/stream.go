package realtime

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/acquaint/acquaint/internal/id"
)

// Deliver is given a stream's entries, in order and one at a time. It may block: nothing more is read meanwhile. When it
// fails it is given the same entry again, a little later, unless the context has ended.
type Deliver[E Entry] func(ctx context.Context, entry E) error

// stream is one subscription: a cursor over a member's log. At rest it is this and nothing more; while there is
// something to give, one goroutine gives it.
type stream[E Entry] struct {
	hub     *Hub[E]
	member  id.Member
	shared  *listeners[E]
	deliver Deliver[E]
	ctx     context.Context //nolint:containedctx // a stream lives as long as its context
	start   int64           // the last number there was when the stream started

	cursor int64 // the last number given, or passed over; of the running goroutine alone

	mu      sync.Mutex
	woken   bool
	running bool
	resumes *time.Timer // wakes it when a pause ends
}

// Listen gives deliver what is committed from now on, or everything after a sequence (0 is the beginning), until ctx
// ends. It has started when Listen returns.
func (h *Hub[E]) Listen(ctx context.Context, member id.Member, after *int64, deliver Deliver[E]) error {
	s := &stream[E]{hub: h, member: member, deliver: deliver, ctx: ctx, running: true}
	// First listen, then look: what is committed in between wakes the stream, or is seen. It counts as running so that
	// it waits for its cursor.
	h.add(s)
	hints, err := h.source.LastNumbers(ctx, []id.Member{member})
	if err == nil && len(hints) != 1 {
		err = fmt.Errorf("member %s has no inbox", member)
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
	s.shared.heard(s.start)
	context.AfterFunc(ctx, s.end)

	s.mu.Lock()
	s.running = false
	missed := s.woken || s.cursor < s.start
	s.mu.Unlock()
	if missed {
		s.wake()
	}
	return nil
}

// end lets go of everything when the context is over.
func (s *stream[E]) end() {
	s.hub.remove(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resumes != nil {
		s.resumes.Stop()
	}
}

// wake lets the stream look for what is new. It does not block.
func (s *stream[E]) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.woken = true
	if !s.running && s.ctx.Err() == nil {
		s.running = true
		go s.run()
	}
}

// wakeAt wakes the stream at a time, and no longer at the one it was told before.
func (s *stream[E]) wakeAt(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resumes != nil {
		s.resumes.Stop()
	}
	if s.ctx.Err() != nil { // nobody would stop it
		return
	}
	s.resumes = time.AfterFunc(at.Sub(s.hub.options.Now()), s.wake)
}

// asleep reports whether there is no new wake-up; then the stream is at rest.
func (s *stream[E]) asleep() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.woken && s.ctx.Err() == nil {
		s.woken = false
		return false
	}
	s.running = false
	return true
}

// run gives what there is, page by page, until there is no more.
func (s *stream[E]) run() {
	s.shared.rouse()
	defer s.shared.rest()
	for !s.asleep() {
		read, ok := retry(s, func() (page[E], error) { return s.shared.read(s.ctx, s) })
		if !ok {
			continue // ctx has ended, and so it falls asleep
		}
		given := true
		for _, n := range read.rows {
			if given = s.give(n); !given || s.wokenAgain() {
				break
			}
		}
		if given && read.full {
			s.wake() // there may be more beyond the page
		}
	}
}

// wokenAgain reports whether something has changed since the page was read: what is left of it may have been taken back.
func (s *stream[E]) wokenAgain() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.woken
}

// give delivers one entry, unless it was given before or is not for this stream. False when ctx has ended, or the
// stream has to wait for the end of a pause.
func (s *stream[E]) give(n E) bool {
	if n.Position() <= s.cursor {
		return true
	}
	// Held by a pause: it comes to a stream that starts after it and asks for it, and to no other; and not before the
	// pause is over, as clients ask again by themselves whenever a connection was lost.
	if n.OnHold() && n.Position() <= s.start && s.paused() {
		return false
	}
	if !n.OnHold() || n.Position() <= s.start {
		if _, ok := retry(s, func() (struct{}, error) { return struct{}{}, s.safely(n) }); !ok {
			return false
		}
	}
	s.cursor = n.Position()
	return true
}

// safely delivers, and makes a failure of a panic: this goroutine is nobody's to end the program with.
func (s *stream[E]) safely(n E) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return s.deliver(s.ctx, n)
}

// paused reports whether the member has paused notifications, and sees to it that the stream wakes when that is over. A
// pause that is ended or changed before wakes it, too.
func (s *stream[E]) paused() bool {
	until, ok := retry(s, func() (time.Time, error) { return s.hub.source.PausedUntil(s.ctx, s.member) })
	if !ok || !until.After(s.hub.options.Now()) {
		return !ok
	}
	s.wakeAt(until)
	return true
}

// retry does something until it succeeds, waiting longer and longer; false when ctx has ended.
func retry[E Entry, T any](s *stream[E], do func() (T, error)) (T, bool) {
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		result, err := do()
		if err == nil || s.ctx.Err() != nil {
			return result, s.ctx.Err() == nil
		}
		s.hub.options.Logger.WarnContext(s.ctx, "cannot deliver notifications; will try again", "error", err, "wait", wait)
		select {
		case <-time.After(wait):
		case <-s.ctx.Done():
			return result, false
		}
	}
}
