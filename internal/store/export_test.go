package store

import (
	"context"
	"runtime"

	"github.com/acquaint/acquaint/internal/network"
)

// WaitForGroups returns when so many use cases wait for a group.
func (s *Store) WaitForGroups(waiting int) {
	for {
		s.groups.mu.Lock()
		n := len(s.groups.waiting)
		s.groups.mu.Unlock()
		if n == waiting {
			return
		}
		runtime.Gosched()
	}
}

// GroupsAtOnce is how many groups are under way at the same time.
func (s *Store) GroupsAtOnce() int { return s.groups.atOnce }

// Groups is what takes use cases into groups, without anything that runs them.
type Groups struct{ groups *groups }

// NewGroups makes one.
func NewGroups() *Groups { return &Groups{groups: newGroups(groupPool{}, 1)} }

// Wait has a use case wait for a group; alone tells whether it was sent away.
func (g *Groups) Wait(ctx context.Context, about network.About) (alone func() bool) {
	j := &job{ctx: ctx, about: about, done: make(chan struct{})}
	g.groups.waiting = append(g.groups.waiting, j)
	return func() bool {
		select {
		case <-j.done:
			return j.err == errAlone //nolint:errorlint // itself
		default:
			return false
		}
	}
}

// Take takes a group, and gives what it is about and what is to be called at its end.
func (g *Groups) Take() (about []network.About, end func()) {
	jobs := g.groups.take()
	for _, j := range jobs {
		about = append(about, j.about)
	}
	return about, func() {
		for _, j := range jobs {
			for _, key := range j.keys() {
				delete(g.groups.busy, key)
			}
		}
	}
}
