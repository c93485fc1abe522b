package graphqlws

import (
	"maps"
	"slices"
)

// Forbid closes, with 4403, the connections of sessions that ended before their time.
func (t *Transport) Forbid(ended func(key string) bool) {
	t.mu.Lock()
	open := slices.Collect(maps.Keys(t.connections))
	t.mu.Unlock()
	for _, c := range open {
		// Without c.mu, which is held while something is written: a peer that does not read must not hold up the others.
		if key := c.key.Load(); key != nil && *key != "" && ended(*key) {
			c.forbidden.Store(true)
			go c.close(closeForbidden, "Forbidden") // it may wait for a peer that does not read
		}
	}
}
