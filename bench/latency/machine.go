package main

import (
	"runtime"
	"time"
)

// stalls is how often, and for how long, the machine stopped a processor that had nothing to wait for: other guests of its
// host do so, and other programs. Nothing that it measures can have a shorter hundredth than that.
type stalls struct {
	perSecond float64 // longer than stallLeast
	longest   time.Duration
}

const (
	stallLeast = time.Millisecond
	stallTime  = 3 * time.Second // for how long it is looked for
)

// spin reads the clock until the time is over, on a thread of its own.
func spin() stalls {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var s stalls
	count := 0
	began := time.Now()
	for last := began; last.Sub(began) < stallTime; {
		now := time.Now()
		if gap := now.Sub(last); gap >= stallLeast {
			count++
			s.longest = max(s.longest, gap)
		}
		last = now
	}
	s.perSecond = float64(count) / stallTime.Seconds()
	return s
}
