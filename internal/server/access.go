package server

import (
	"context"
	"slices"
	"sync"

	"github.com/acquaint/acquaint/internal/id"
)

// Forbid ends what members have open whose access has ended: sockets close with 4403, streams of events end.
func (s *Server) Forbid(members ...id.Member) {
	if len(members) == 0 {
		return
	}
	keys := make([]string, len(members))
	for i, m := range members {
		keys[i] = m.String()
	}
	ended := func(key string) bool { return slices.Contains(keys, key) }
	s.ws.Forbid(ended)
	s.streams.end(ended)
}

// streams are the open streams of events, by the viewers that they are of.
type streams struct {
	mu   sync.Mutex
	open map[*stream]struct{}
}

type stream struct {
	viewer string
	cancel context.CancelFunc
}

// add notes a stream; the function it gives forgets it.
func (s *streams) add(viewer string, cancel context.CancelFunc) func() {
	added := &stream{viewer, cancel}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = make(map[*stream]struct{})
	}
	s.open[added] = struct{}{}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, added)
	}
}

// end ends the streams of some viewers.
func (s *streams) end(of func(viewer string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for open := range s.open {
		if of(open.viewer) {
			open.cancel()
		}
	}
}
