package realtime

import (
	"context"
	"fmt"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// Stream is one subscription: a cursor over a member's inbox. It is for one goroutine.
type Stream struct {
	hub    *Hub
	member id.Member
	shared *listeners
	cursor int64 // the sequence of the last notification given, or passed over
	start  int64 // the last number there was when the stream started
	rows   []notification.Notification
	woken  chan struct{} // one wake-up, however many came
}

// Listen opens a stream of what is committed from now on, or of everything after a sequence (0 is the beginning). It
// has started when Listen returns. Close it.
func (h *Hub) Listen(ctx context.Context, member id.Member, after *int64) (*Stream, error) {
	s := &Stream{hub: h, member: member, woken: make(chan struct{}, 1)}
	// First listen, then look: what is committed in between wakes the stream, or is seen.
	h.add(s)
	hints, err := h.source.LastNumbers(ctx, []id.Member{member})
	if err == nil && len(hints) != 1 {
		err = fmt.Errorf("member %s has no inbox", member)
	}
	if err != nil {
		h.remove(s)
		return nil, err
	}
	s.start = hints[0].Number
	s.cursor = s.start
	if after != nil {
		s.cursor = *after
	}
	s.shared.mu.Lock()
	s.shared.known = max(s.shared.known, s.start)
	s.shared.mu.Unlock()
	if s.cursor < s.start {
		s.signal()
	}
	return s, nil
}

// Close ends the stream.
func (s *Stream) Close() { s.hub.remove(s) }

func (s *Stream) signal() {
	select {
	case s.woken <- struct{}{}:
	default: // it has one already
	}
}

// Next waits for the next notification. The only error is that of ctx.
func (s *Stream) Next(ctx context.Context) (notification.Notification, error) {
	for {
		for len(s.rows) > 0 {
			next := s.rows[0]
			s.rows = s.rows[1:]
			if next.Sequence <= s.cursor {
				continue
			}
			s.cursor = next.Sequence
			// Held by a pause: it comes to a stream that starts after it and asks for it, and to no other.
			if next.Held && next.Sequence > s.start {
				continue
			}
			return next, nil
		}
		s.rows = nil
		select {
		case <-ctx.Done():
			return notification.Notification{}, ctx.Err()
		case <-s.woken:
		}
		if err := s.pull(ctx); err != nil {
			return notification.Notification{}, err
		}
	}
}

// pull reads the page after the cursor, again until the source gives it.
func (s *Stream) pull(ctx context.Context) error {
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		page, err := s.shared.read(ctx, s)
		if err == nil {
			s.rows = page.rows
			if page.full {
				s.signal() // there may be more beyond the page
			}
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.hub.options.Log.WarnContext(ctx, "cannot read notifications; will try again", "error", err, "wait", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// read gives the page after the stream's cursor: the shared one if it is of this wake-up and begins early enough.
func (l *listeners) read(ctx context.Context, s *Stream) (page, error) {
	l.pulling.Lock()
	defer l.pulling.Unlock()
	l.mu.Lock()
	generation := l.generation
	l.mu.Unlock()
	if l.page.generation == generation && generation > 0 && l.page.from <= s.cursor && !l.page.full {
		return l.page, nil
	}
	rows, err := s.hub.source.NotificationsAfter(ctx, s.member, s.cursor, pageSize)
	if err != nil {
		return page{}, err
	}
	read := page{generation: generation, from: s.cursor, rows: rows, full: len(rows) == pageSize}
	l.page = read
	return read, nil
}
