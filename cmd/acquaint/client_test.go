package main

import (
	"testing"
	"time"
)

// Subscribers lose their connections time and again, in order or not, and at whatever they were doing; nothing else goes
// wrong. Each comes back with what it has had last, to the one node or the other, and gets what it has missed.
func TestClientsLoseTheirConnections(t *testing.T) {
	const least = 30 // cuts of each subscriber, and of each node, a round
	c, _ := startCluster(t, 2)
	c.cutWithin = 200 * time.Millisecond
	enough := func(round int64) bool {
		for _, s := range c.subscribers {
			if s.cuts.Load() < round*least || s.resumed.Load() < round*least/4 {
				return false
			}
		}
		for _, n := range c.nodes {
			if n.cuts.Load() < round*least {
				return false
			}
		}
		return true
	}
	underLoad(t, c, func() {
		for round := range int64(*rounds) {
			c.during(20)
			c.await("connections to be lost, and subscribers to resume", func() bool { return enough(round + 1) })
		}
	})
	resumed := int64(0)
	for _, s := range c.subscribers {
		resumed += s.resumed.Load()
	}
	t.Logf("subscribers resumed %d times with something to hear of", resumed)
	if failed := c.failed.Load(); failed > 0 {
		t.Errorf("%d requests were not answered, and nothing was wrong with the servers", failed)
	}
}
