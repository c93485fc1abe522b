package realtime_test

import (
	"context"
	"sync"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// shelf is a source in memory: as many notifications in each inbox as a test has put there.
type shelf struct {
	mu         sync.Mutex
	last       map[id.Member]int64
	gone       map[int64]bool // numbers that were taken back, of everybody
	statements int
	before     func() error // a read; may be nil
}

func newShelf() *shelf { return &shelf{last: make(map[id.Member]int64)} }

// add adds one to a member's inbox, and gives its number.
func (s *shelf) add(m id.Member) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last[m]++
	return s.last[m]
}

func (s *shelf) read() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.statements
}

// After implements realtime.Source.
func (s *shelf) After(_ context.Context, cursors []notification.Cursor, limit int) (map[notification.Cursor][]notification.Notification, error) {
	if s.before != nil {
		if err := s.before(); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statements++
	out := make(map[notification.Cursor][]notification.Notification)
	for _, c := range cursors {
		for n := c.After + 1; n <= s.last[c.Member] && len(out[c]) < limit; n++ {
			if !s.gone[n] {
				out[c] = append(out[c], notification.Notification{Member: c.Member, Sequence: n})
			}
		}
	}
	return out, nil
}

// LastNumbers implements realtime.Source.
func (s *shelf) LastNumbers(_ context.Context, members []id.Member) ([]notification.Hint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []notification.Hint
	for _, m := range members {
		out = append(out, notification.Hint{Member: m, Number: s.last[m]})
	}
	return out, nil
}

// PausedUntil implements realtime.Source.
func (*shelf) PausedUntil(context.Context, id.Member) (time.Time, error) { return time.Time{}, nil }
