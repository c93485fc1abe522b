package store

import "runtime"

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
