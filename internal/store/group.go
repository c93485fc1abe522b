package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/refusal"
)

// How use cases are put together into groups: at most so many, each in no more than a few statements; how long one may
// take; and how much time a use case must have left, so that it does not shorten that for the others.
const (
	groupMost    = 64
	groupTimeout = 4 * time.Second
	groupLeast   = time.Second
)

// groupPatience is how often a use case lets those that came after it go first, as they find their members free and it
// does not. Two members about whom there is always something under way are seldom free at the same time.
const groupPatience = 3

// groupRenew bounds the preparing anew of statements between groups.
const groupRenew = 300 * time.Millisecond

// groupAway is for how long there are no groups when they cannot have a connection.
const groupAway = 5 * time.Second

// errAlone is of a use case that needs a transaction of its own.
var errAlone = errors.New("needs a transaction of its own")

// groups runs use cases about different members in common transactions, on PostgreSQL: a group takes three round trips,
// however many use cases it has, one to lock and read, one to write, and one to commit. Nothing waits for a group to fill.
// One begins as soon as less than a few are under way; those that come meanwhile are the next.
//
// A use case in a group only reads what was read for it, and what it writes is collected (groupTx), so that it may be
// refused, or fail, without the others. Where it wants more, and when the group fails before it is committed, it runs
// again in a transaction of its own.
type groups struct {
	pool   groupPool
	atOnce int
	log    *slog.Logger

	mu      sync.Mutex
	waiting []*job
	busy    map[[16]byte]bool // the members and invitations of the groups under way
	running int
	away    time.Time // until then there are no groups

	forgotten time.Time // when statements that had been prepared were last not there
}

// job is one use case.
type job struct {
	ctx   context.Context //nolint:containedctx // of the caller, who waits
	about network.About
	do    func(context.Context, network.Tx) error

	done  chan struct{} // closed when hints and err are there
	taken bool          // into a group; the caller waits for it then, whatever comes
	after int           // how many groups were taken before it that its members, not its place, kept it from
	hints []notification.Hint
	err   error
}

func newGroups(pool groupPool, atOnce int) *groups {
	return &groups{pool: pool, atOnce: atOnce, log: slog.New(slog.DiscardHandler), busy: make(map[[16]byte]bool)}
}

// run runs a use case in a group, or gives errAlone.
func (g *groups) run(ctx context.Context, about network.About, do func(context.Context, network.Tx) error) ([]notification.Hint, error) {
	j := &job{ctx: ctx, about: about, do: do, done: make(chan struct{})}
	if j.hurried() {
		return nil, errAlone
	}
	g.mu.Lock()
	if time.Now().Before(g.away) {
		g.mu.Unlock()
		return nil, errAlone
	}
	g.waiting = append(g.waiting, j)
	if g.running < g.atOnce {
		g.running++
		go g.work() //nolint:contextcheck // each group has what its use cases have left of time
	}
	g.mu.Unlock()
	select {
	case <-j.done:
	case <-ctx.Done():
		if g.leave(j) {
			return nil, fmt.Errorf("%w: %w", refusal.ErrUnavailable, ctx.Err())
		}
		<-j.done
	}
	return j.hints, j.err
}

// hurried reports whether a job has too little time left for a group.
func (j *job) hurried() bool {
	deadline, ok := j.ctx.Deadline()
	return ok && time.Until(deadline) < groupLeast
}

// leave takes a job out of those that wait; false when it is in a group already.
func (g *groups) leave(j *job) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if j.taken {
		return false
	}
	for i, other := range g.waiting {
		if other == j {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			break
		}
	}
	return true
}

// work runs groups as long as there are jobs that can be.
func (g *groups) work() {
	for {
		g.mu.Lock()
		jobs := g.take()
		if len(jobs) == 0 { // what still waits is about members of other groups, whose workers take it afterwards
			g.running--
			g.mu.Unlock()
			return
		}
		g.mu.Unlock()
		g.runGroup(jobs)
	}
}

// answer gives each job of a group that is over to its caller.
func (g *groups) answer(jobs []*job) {
	g.mu.Lock()
	for _, j := range jobs {
		for _, key := range j.keys() {
			delete(g.busy, key)
		}
	}
	g.mu.Unlock()
	for _, j := range jobs {
		close(j.done)
	}
}

// keys are of what a job is about: of two with a common one, one waits for the other.
func (j *job) keys() [][16]byte {
	if j.about.Invitation != (id.Invitation{}) {
		return [][16]byte{j.about.Invitation}
	}
	return [][16]byte{j.about.Sender, j.about.Recipient}
}

// take takes the jobs of the next group, the first come first. Those that have waited for too long go alone.
func (g *groups) take() []*job {
	var jobs, left []*job
	kept := make(map[[16]byte]bool) // for those that have been patient
	for i, j := range g.waiting {
		if len(jobs) == groupMost {
			left = append(left, g.waiting[i:]...)
			break
		}
		if j.hurried() {
			j.taken, j.err = true, errAlone
			close(j.done)
			continue
		}
		free := true
		for _, key := range j.keys() {
			free = free && !g.busy[key] && !kept[key]
		}
		if !free {
			if j.after++; j.after > groupPatience {
				for _, key := range j.keys() {
					kept[key] = true
				}
			}
			left = append(left, j)
			continue
		}
		for _, key := range j.keys() {
			g.busy[key] = true
		}
		j.taken = true
		jobs = append(jobs, j)
	}
	g.waiting = left
	return jobs
}
