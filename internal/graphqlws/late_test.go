package graphqlws_test

import (
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/graphqlws"
)

// A subscription that has started just when it was given up ends with an error, and its id is free.
func TestStartPastTheBound(t *testing.T) {
	t.Parallel()
	options, sources := pumping(graphqlws.Options{OperationTimeout: 20 * time.Millisecond, MaxSubscriptions: 1})
	s := start(t, options)
	c := s.enter("ann")
	c.subscribe("1", `subscription { events(name: "late") }`)
	wait(t, sources, "its source")
	if m := c.next(); !strings.Contains(m, `"error"`) || !strings.Contains(m, "UNAVAILABLE") {
		t.Fatalf("got %s", m)
	}
	c.subscribe("1", subscribeEvents)
	wait(t, sources, "another source")
	c.expectQuiet()
}

// Peers that do not read hold up nobody whose access ends.
func TestForbidWaitsForNobody(t *testing.T) {
	t.Parallel()
	options, sources := pumping(graphqlws.Options{WriteTimeout: time.Minute})
	s := start(t, options)
	for range 3 {
		stuck := s.enter("mallory")
		stuck.subscribe("1", subscribeEvents)
		source := wait(t, sources, "its source")
		stuck.expectQuiet()
		many := make([]string, 2000) // 60 MB: past all buffers of TCP
		for i := range many {
			many[i] = strings.Repeat("x", 30_000)
		}
		go source.send(texts(many...))
	}
	victim := s.enter("suspended")
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.transport.Forbid(func(key string) bool { return key == "suspended" })
	}()
	victim.expectClose(4403)
	wait(t, done, "Forbid to return")
}
