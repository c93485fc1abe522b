package broker_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/broker"
)

// What a node sends and hears is counted, and so is what is lost and how often it was connected again.
func TestStats(t *testing.T) {
	t.Parallel()
	eachNetwork(t, func(t *testing.T, n network) {
		a := listen(t, n)
		if !n.between {
			a.Publish(hint(1, 1))
			if s := a.Stats(); s != (broker.Stats{}) {
				t.Errorf("a node alone counts %+v", s)
			}
			return
		}
		b := listen(t, n)
		a.Publish(hint(1, 1), hint(2, 1))
		b.next(t)
		b.next(t)
		if s := b.Stats(); s.Received != 2 || s.Sent != 0 || s.Reconnects != 0 {
			t.Errorf("the one that hears counts %+v", s)
		}
		counts(t, a, func(s broker.Stats) bool { return s.Sent == 2 && s.Received == 0 && s.Lost == 0 })
		n.cut(t)
		a.connected(t, false)
		a.Publish(hint(1, 2))
		counts(t, a, func(s broker.Stats) bool { return s.Lost == 1 && s.Failures == 1 })
		n.mend(t)
		a.connected(t, true)
		counts(t, a, func(s broker.Stats) bool { return s.Reconnects >= 1 })
	})
}

// counts waits until a node counts what is wanted: it counts after it has sent.
func counts(t *testing.T, e *ear, want func(broker.Stats) bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !want(e.Stats()); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("counts %+v", e.Stats())
		}
	}
}
