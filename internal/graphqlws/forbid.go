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
		c.mu.Lock()
		key := c.session.Key
		c.mu.Unlock()
		if key != "" && ended(key) {
			go c.close(closeForbidden, "Forbidden") // it may wait for a peer that does not read
		}
	}
}
