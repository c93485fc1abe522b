package realtime

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/acquaint/acquaint/internal/notification"
)

const (
	// readMost is for how many streams one statement reads, and readsMost how many statements run at a time.
	readMost  = 256
	readsMost = 4
	// waitingMost is how many of those that wait for others are given to at a time, as long as none of them is stuck: as
	// many as what they wait for is asked for together, twice.
	waitingMost = 512
	// readTimeout bounds a read, which is of no stream's context: the others must not lose their page when one leaves.
	readTimeout = 10 * time.Second
	// stuckAfter is how long a worker may be busy with one thing before another takes its place.
	stuckAfter = 10 * time.Millisecond
)

// work is what the hub's workers do: they read for streams that are woken, many in a statement, and give to those that
// were read for. There are workers only while there is work, and few: a goroutine for each woken stream would cost each
// a stack that grows. Guarded by the hub's mutex.
type work[E Entry] struct {
	woken   queue[E] // to be read for
	read    queue[E] // to be given to
	waits   queue[E] // to be given to, of those that wait for others
	reading int      // statements that run
	quick   crew     // reads, and gives to quick ones
	waiting crew     // gives to the others
	watched bool     // a timer looks for workers that are stuck
}

// crew is the workers of one kind.
type crew struct {
	most    int // as long as none is stuck
	workers map[*worker]struct{}
	new     int // those that have not taken anything yet
}

// worker is one goroutine at work. What it does may block, as a peer may stop reading.
type worker struct {
	turn, seen int // counts what it took; as of the last look
}

func newCrew(most int) crew { return crew{most: most, workers: make(map[*worker]struct{})} }

// turn notes that a worker takes something, or looks for it.
func (c *crew) turn(w *worker) {
	if w.turn++; w.turn == 1 {
		c.new--
	}
}

// queue is first in, first out.
type queue[E Entry] struct {
	streams []*stream[E]
	head    int
}

func (q *queue[E]) len() int { return len(q.streams) - q.head }

func (q *queue[E]) push(s *stream[E]) { q.streams = append(q.streams, s) }

func (q *queue[E]) pop() *stream[E] {
	s := q.streams[q.head]
	q.streams[q.head] = nil
	q.head++
	switch {
	case q.head == len(q.streams) && cap(q.streams) > queueKept:
		*q = queue[E]{} // a rush is over
	case q.head == len(q.streams):
		q.streams, q.head = q.streams[:0], 0
	}
	return s
}

// queueKept is how long a queue may be kept for the next rush.
const queueKept = 1 << 10

// enqueue has a woken stream read for. h.mu is held.
func (h *Hub[E]) enqueue(s *stream[E]) {
	h.work.woken.push(s)
	h.staff()
}

// staff sees to it that somebody does what is there to do. h.mu is held.
func (h *Hub[E]) staff() { h.staffCrew(&h.work.quick, h.work.wanted(), h.run) }

// staffWaiting is staff for those that wait for others.
func (h *Hub[E]) staffWaiting() { h.staffCrew(&h.work.waiting, h.work.waits.len(), h.runWaiting) }

func (h *Hub[E]) staffCrew(c *crew, wanted int, run func(*worker)) {
	switch {
	case wanted <= c.new:
	case len(c.workers) < c.most:
		c.hire(run)
	case !h.work.watched:
		h.work.watched = true
		time.AfterFunc(stuckAfter, h.look)
	}
}

// wanted is for how many workers there is something to read, or to give to quick ones.
func (w *work[E]) wanted() int {
	n := w.read.len()
	if w.reading < readsMost {
		n += w.woken.len()
	}
	return n
}

func (c *crew) hire(run func(*worker)) {
	w := &worker{}
	c.workers[w] = struct{}{}
	c.new++
	go run(w)
}

// look finds workers that are stuck, as with a peer that does not read, and hires others in their place: twice as many,
// so that many at once hold up the rest for a moment only. They leave when there is nothing to do.
func (h *Hub[E]) look() {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := &h.work
	w.quick.help(w.wanted(), h.run)
	w.waiting.help(w.waits.len(), h.runWaiting)
	if w.watched = w.wanted() > 0 || w.waits.len() > 0; w.watched {
		time.AfterFunc(stuckAfter, h.look)
	}
}

// help hires as many as the stuck ones ask for.
func (c *crew) help(wanted int, run func(*worker)) {
	stuck := 0
	for worker := range c.workers {
		if worker.turn == worker.seen {
			stuck++
		}
		worker.seen = worker.turn
	}
	for wanted > c.new && stuck > 0 && len(c.workers) < c.most+2*stuck {
		c.hire(run)
	}
}

// run works until there is nothing to read, nor to give to quick ones.
func (h *Hub[E]) run(me *worker) {
	batch := make([]*stream[E], 0, readMost)
	var along [1]E
	w := &h.work
	h.mu.Lock()
	for {
		w.quick.turn(me)
		switch {
		case w.read.len() > 0: // first, as their pages are held meanwhile
			s := w.read.pop()
			h.staff()
			h.giveTo(s, along[:])
		case w.woken.len() > 0 && w.reading < readsMost:
			batch = batch[:0]
			for w.woken.len() > 0 && len(batch) < readMost {
				s := w.woken.pop()
				h.counters.reads[s.why].Add(1)
				s.why = forMore // unless it is woken before the next
				s.woken = false // what is committed from now on wakes it again
				batch = append(batch, s)
			}
			w.reading++
			h.mu.Unlock()
			h.read(batch)
			clear(batch)
			h.mu.Lock()
		default:
			delete(w.quick.workers, me)
			h.mu.Unlock()
			return
		}
	}
}

// runWaiting gives to those that wait for others, until there are none: their stacks grow, and so each is used again.
func (h *Hub[E]) runWaiting(me *worker) {
	var along [1]E
	w := &h.work
	h.mu.Lock()
	for {
		w.waiting.turn(me)
		if w.waits.len() == 0 {
			delete(w.waiting.workers, me)
			h.mu.Unlock()
			return
		}
		s := w.waits.pop()
		h.staffWaiting()
		h.giveTo(s, along[:])
	}
}

// giveTo gives a stream what is there for it, with h.mu unlocked meanwhile. An entry that came along is put into along.
func (h *Hub[E]) giveTo(s *stream[E], along []E) {
	rows := s.page
	if s.along != nil {
		rows, along[0] = along, s.along.(E) //nolint:forcetypeassert // wake has seen to it
		if s.woken {                        // it may have been taken back
			rows = nil
		}
	}
	s.page, s.along = nil, nil
	if rows == nil {
		h.doneLocked(s, true)
		return
	}
	h.mu.Unlock()
	next := s.give(rows)
	h.mu.Lock()
	if next == retrying {
		h.laterLocked(s)
	} else {
		h.doneLocked(s, next == reading)
	}
}

// read reads a page for each of the streams. Those that stand at the same place share it.
func (h *Hub[E]) read(streams []*stream[E]) {
	cursors := make([]notification.Cursor, 0, len(streams))
	seen := make(map[notification.Cursor]struct{}, len(streams))
	for _, s := range streams {
		c := notification.Cursor{Member: s.member, After: s.cursor}
		if _, again := seen[c]; !again && s.ctx.Err() == nil {
			seen[c] = struct{}{}
			cursors = append(cursors, c)
		}
	}
	if len(cursors) > 0 {
		h.counters.statements.Add(1)
	}
	pages, err := h.pages(cursors)
	if err != nil { // told once, as it may be many who wait
		h.options.Logger.Warn("cannot read for subscriptions; will try again", "error", err, "subscriptions", len(streams))
		for _, s := range streams {
			s.backOff()
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.work.reading--
	for _, s := range streams {
		s.page, s.came = pages[notification.Cursor{Member: s.member, After: s.cursor}], 0
		switch {
		case err != nil:
			h.laterLocked(s)
		case len(s.page) == 0: // nothing new after all, or it has left
			s.wait = 0
			h.doneLocked(s, false)
		default:
			h.feed(s)
		}
	}
	h.staff()
}

// feed has a stream given what is on its page. h.mu is held.
func (h *Hub[E]) feed(s *stream[E]) {
	if s.manner == Waiting {
		h.work.waits.push(s)
		h.staffWaiting()
		return
	}
	h.work.read.push(s)
	h.staff()
}

// pages reads, and makes a failure of a panic.
func (h *Hub[E]) pages(cursors []notification.Cursor) (pages map[notification.Cursor][]E, err error) {
	if len(cursors) == 0 {
		return nil, nil
	}
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	return h.source.After(ctx, cursors, pageSize)
}

// done lets a stream rest, unless there is more for it to do.
func (h *Hub[E]) done(s *stream[E], more bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.doneLocked(s, more)
}

func (h *Hub[E]) doneLocked(s *stream[E], more bool) {
	s.active = (more || s.woken) && s.ctx.Err() == nil
	if s.active {
		h.enqueue(s)
	}
}

// laterLocked has a stream read for again when its wait is over. h.mu is held.
func (h *Hub[E]) laterLocked(s *stream[E]) {
	if s.ctx.Err() != nil { // nobody would stop the timer
		s.active = false
		return
	}
	h.setTimer(s, s.wait, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		s.why = forRetry
		h.doneLocked(s, true)
	})
}

// wakeAt wakes a stream at a time, and no longer at the one it was told before.
func (h *Hub[E]) wakeAt(s *stream[E], at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	h.setTimer(s, at.Sub(h.options.Now()), func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.wakeLocked(s, forPause)
	})
}

func (*Hub[E]) setTimer(s *stream[E], wait time.Duration, do func()) {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.timer = time.AfterFunc(wait, do)
}

// changed reports whether something of the member's inbox has changed since the stream was read for.
func (h *Hub[E]) changed(s *stream[E]) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return s.woken
}

// wakeLocked lets a stream look for what is new. It does not block.
func (h *Hub[E]) wakeLocked(s *stream[E], because why) {
	s.woken, s.why = true, because
	if !s.active && s.ctx.Err() == nil {
		s.active = true
		h.enqueue(s)
	}
}

// defaultWorkers is enough to keep the processors busy while some wait for the database.
func defaultWorkers() int { return 2 * runtime.GOMAXPROCS(0) }
