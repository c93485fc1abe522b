package realtime

import (
	"maps"
	"sync/atomic"
	"time"
)

// Stats is what a hub has done since it started, and has in hands, for those who run it.
type Stats struct {
	Listening map[string]int // open streams, by the names they listen under
	Waiting   int            // streams that wait to be read for
	Delivered uint64         // entries given
	Failures  uint64         // deliveries that failed, and are tried again
	// Reads counts pages read for streams, by why, and Statements what that took of the source.
	Reads      map[string]uint64
	Statements uint64
	// Sweeps counts looks for lost wake-ups, by what for: "timer", or "reconnect" of the broker.
	Sweeps map[string]uint64
	Lag    Lag // from commit to the end of a delivery
}

// Lag is a histogram: Counts[i] of the durations were up to LagBounds()[i], and above the bound before; the last count
// has those above all bounds.
type Lag struct {
	Counts []uint64
	Sum    time.Duration
}

// lagBounds are the upper bounds of the histogram's buckets.
var lagBounds = [...]time.Duration{
	250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond,
	500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

// LagBounds gives the bounds.
func LagBounds() []time.Duration { return lagBounds[:] }

// why is why a stream is read for.
type why uint8

const (
	forOpening   why = iota // it was opened behind the last number
	forHint                 // a hint told of news
	forSweep                // the sweep found what no hint had told of
	forReconnect            // so, after the broker had lost its connection
	forMore                 // the page before was full, or news came while it was given
	forRetry                // the try before failed
	forPause                // a pause ended
	whys                    // how many there are
)

var whyNames = [whys]string{"opening", "hint", "sweep", "reconnect", "more", "retry", "pause"}

// counters are counted on the hot path: atomics, and nothing that is looked up.
type counters struct {
	delivered, failures, statements atomic.Uint64
	reads                           [whys]atomic.Uint64
	sweeps                          [2]atomic.Uint64 // by the timer, and after the broker was connected again
	lag                             [len(lagBounds) + 1]atomic.Uint64
	lagSum                          atomic.Int64
}

func (c *counters) observe(lag time.Duration) {
	lag = max(lag, 0) // clocks of nodes differ
	i := 0
	for i < len(lagBounds) && lag > lagBounds[i] {
		i++
	}
	c.lag[i].Add(1)
	c.lagSum.Add(int64(lag))
}

// Stats gives a snapshot.
func (h *Hub[E]) Stats() Stats {
	c := &h.counters
	s := Stats{
		Delivered: c.delivered.Load(), Failures: c.failures.Load(), Statements: c.statements.Load(),
		Reads:  make(map[string]uint64, whys),
		Sweeps: map[string]uint64{"timer": c.sweeps[0].Load(), "reconnect": c.sweeps[1].Load()},
		Lag:    Lag{Counts: make([]uint64, len(c.lag)), Sum: time.Duration(c.lagSum.Load())},
	}
	for i, name := range whyNames {
		s.Reads[name] = c.reads[i].Load()
	}
	for i := range c.lag {
		s.Lag.Counts[i] = c.lag[i].Load()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s.Listening, s.Waiting = maps.Clone(h.open), h.work.woken.len()
	return s
}

// given counts entries that a stream's listener has taken. What was there before the stream began is as old as it is, and
// says nothing of how quick the hub was.
func (s *stream[E]) given(entries []E) {
	c := &s.hub.counters
	c.delivered.Add(uint64(len(entries)))
	if s.came != 0 { // handed over by who wrote it
		c.observe(time.Since(s.hub.began) - s.came)
		return
	}
	var now time.Time
	for _, e := range entries {
		at := e.WrittenAt()
		if at.IsZero() || e.Position() <= s.start {
			continue
		}
		if now.IsZero() {
			now = s.hub.options.Now()
		}
		c.observe(now.Sub(at))
	}
}
