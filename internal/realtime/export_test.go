package realtime

import "runtime"

// Rest returns when every stream is at rest.
func (h *Hub[E]) Rest() {
	for !h.resting() {
		runtime.Gosched()
	}
}

func (h *Hub[E]) resting() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.members {
		for _, s := range l.streams {
			if s.active {
				return false
			}
		}
	}
	return true
}
