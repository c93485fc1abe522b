package app_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/server"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

const (
	soakTime      = 5 * time.Second
	soakTimeShort = time.Second
	soakWorkers   = 3
	soakHostiles  = 4  // members among them
	soakSenders   = 60 // honest members who invite each listener once, spread over the time
	// heapMore is how much more may be in use at the end: caches fill, and pools are kept for a while.
	heapMore = 8 << 20
)

// counted is what a server must not grow.
type counted struct {
	goroutines int
	heap       uint64
}

// settled waits until there are at most so many goroutines, and counts.
func settled(most int) counted {
	apptest.CloseIdle()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(apptest.Patience); runtime.NumGoroutine() > most && time.Now().Before(deadline); {
		<-tick.C
	}
	runtime.GC()
	runtime.GC() // pools are emptied by the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return counted{runtime.NumGoroutine(), m.HeapAlloc}
}

// calm waits until the number of goroutines has stayed the same for a while, and gives it.
func calm() int {
	apptest.CloseIdle()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	last, same := runtime.NumGoroutine(), 0
	for deadline := time.Now().Add(apptest.Patience); same < 25 && time.Now().Before(deadline); {
		<-tick.C
		if now := runtime.NumGoroutine(); now == last {
			same++
		} else {
			last, same = now, 0
		}
	}
	return last
}

// honest are members who keep to the protocol among the hostile ones, and must have what is theirs, once.
type honest struct {
	t         *testing.T
	listeners []*apptest.Client
	streams   []*apptest.Stream
	events    *events // of the first listener
	senders   []*apptest.Client
	hostile   []string // ids of members who misbehave, and are told of things all the same
	sent      int
}

// round has one sender invite every listener, and waits for what they hear of it.
func (h *honest) round() {
	h.t.Helper()
	sender := h.senders[h.sent]
	h.sent++
	if got := sender.Invite(h.hostile[h.sent%len(h.hostile)], ""); got.Code() != "" {
		h.t.Fatalf("invite gave %s", got.Code())
	}
	for i, l := range h.listeners {
		if got := sender.Invite(l.ID, ""); got.Code() != "" {
			h.t.Fatalf("invite gave %s", got.Code())
		}
		var event edgeEvent
		h.streams[i].Next(&event)
		if n := event.Edge.Node; n.Sequence != h.sent || n.Actor.ID != sender.ID {
			h.t.Fatalf("listener %d heard of number %d by %s, want %d by %s", i, n.Sequence, n.Actor.ID, h.sent, sender.ID)
		}
		if i == 0 {
			if e := h.events.notification(); e.Node.Sequence != h.sent || e.Node.Actor.ID != sender.ID {
				h.t.Fatalf("over events came number %d by %s", e.Node.Sequence, e.Node.Actor.ID)
			}
		}
	}
}

// silent checks that nothing came twice.
func (h *honest) silent() {
	h.t.Helper()
	for i, s := range h.streams {
		if more := s.Drain(); len(more) > 0 {
			h.t.Errorf("listener %d heard %d things more: %s", i, len(more), more[0].Payload)
		}
	}
}

// Clients that do everything wrong, at random and at once, do not keep honest ones from anything; and when they are gone
// nothing is left of them.
func TestSoak(t *testing.T) { // not in parallel: it counts the goroutines of the whole program
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	lasts := soakTime
	if testing.Short() {
		lasts = soakTimeShort
	}
	log := &records{}
	s := apptest.Start(t, storetest.EmptySQLite(t), func(c *app.Config) {
		c.Log = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))
		c.Limits.SocketMessage = 8 << 10
		c.Limits.Rates = server.Rates{Request: 200, RequestBurst: 1000}
	})
	good := &honest{t: t}
	for i := range 3 {
		l := s.As(t, fmt.Sprint("listener", i))
		good.listeners = append(good.listeners, l)
		good.streams = append(good.streams, l.Connect().Subscribe(subscribeNotifications, nil))
	}
	good.events = listen(t, s, tokenOf(t, "listener0", time.Hour), subscribeNotifications, nil).started()
	for i := range soakSenders {
		good.senders = append(good.senders, s.As(t, fmt.Sprint("sender", i)))
	}
	bad := &hostile{t: t, address: strings.TrimPrefix(s.URL, "http://"), message: 8 << 10}
	for i := range soakHostiles {
		good.hostile = append(good.hostile, s.As(t, fmt.Sprint("hostile", i)).ID)
		bad.tokens = append(bad.tokens, tokenOf(t, fmt.Sprint("hostile", i), time.Hour))
	}

	// Once, so that what is made at first use has been made.
	first := rand.New(rand.NewPCG(seed, 0))
	for _, m := range mischiefs {
		m.do(bad, first)
	}
	good.round()
	bad.leaveAll()
	before := settled(calm())

	counts := make([]map[string]int, soakWorkers)
	var workers sync.WaitGroup
	end := time.Now().Add(lasts)
	for w := range soakWorkers {
		counts[w] = make(map[string]int)
		workers.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(w)+1))
			for time.Now().Before(end) {
				m := mischiefs[r.IntN(len(mischiefs))]
				m.do(bad, r)
				counts[w][m.name]++
			}
		})
	}
	pace := time.NewTicker(lasts / soakSenders)
	for good.sent < soakSenders && time.Now().Before(end) {
		<-pace.C
		good.round()
	}
	pace.Stop()
	workers.Wait()
	bad.leaveAll()
	after := settled(before.goroutines)
	good.silent()

	total := make(map[string]int)
	for _, c := range counts {
		for name, n := range c {
			total[name] += n
		}
	}
	done, _ := json.Marshal(total)
	t.Logf("done: %s, and %d honest rounds", done, good.sent)
	t.Logf("before %+v, after %+v", before, after)
	if after.goroutines != before.goroutines {
		var all strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&all, 1)
		t.Errorf("%d goroutines before, %d after:\n%s", before.goroutines, after.goroutines, all.String())
	}
	if after.heap > before.heap+heapMore {
		t.Errorf("%d bytes in use before, %d after", before.heap, after.heap)
	}
	if text := log.String(); strings.Contains(text, "panic") || strings.Contains(text, `"ERROR"`) {
		t.Errorf("the log tells of trouble: %.3000s", text)
	}
}
