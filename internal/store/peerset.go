package store

import (
	"bytes"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
)

// peerSet is all connections of a member as they were when its feed had come to a number. It does not change.
type peerSet struct {
	peers   []id.Member // in the order of the ids
	tooMany bool        // there were more than a set may have, and peers is empty
	number  int64
	entry   uuid.UUID // the feed's of that number; zero if that was pruned
	read    time.Time
}

func compareMembers(a, b id.Member) int { return bytes.Compare(a[:], b[:]) }

// isTooMany reports whether it is known that there are more than a set may have.
func (s *peerSet) isTooMany() bool { return s != nil && s.tooMany }

// shared counts those who are in both sets.
func (s *peerSet) shared(with *peerSet) int {
	a, b, n := s.peers, with.peers, 0
	for len(a) > 0 && len(b) > 0 {
		switch compareMembers(a[0], b[0]) {
		case -1:
			a = a[1:]
		case 1:
			b = b[1:]
		default:
			a, b, n = a[1:], b[1:], n+1
		}
	}
	return n
}

// after gives the peers as they are after entries of the feed.
func (s *peerSet) after(entries []feed.Draft) []id.Member {
	if len(entries) == 0 {
		return s.peers
	}
	last := make(map[id.Member]feed.Kind, len(entries)) // what was last told of each
	for _, e := range entries {
		last[e.Other] = e.Kind
	}
	next, rest := make([]id.Member, 0, len(s.peers)+len(last)), s.peers
	for _, other := range slices.SortedFunc(maps.Keys(last), compareMembers) {
		at, there := slices.BinarySearchFunc(rest, other, compareMembers)
		next = append(next, rest[:at]...)
		if rest = rest[at:]; there {
			rest = rest[1:]
		}
		if last[other] == feed.ConnectionAdded {
			next = append(next, other)
		}
	}
	return append(next, rest...)
}

// size is what a set takes of the room for all, in connections. An empty one takes some, too.
func (s *peerSet) size() int {
	const least = 16
	return max(least, len(s.peers))
}

// peerSets are the sets that are kept: those that were asked for last.
type peerSets struct {
	mu      sync.Mutex
	kept    *lru.Cache[id.Member, *peerSet]
	size    int // of all that are kept
	reading chan struct{}

	sizeMost int // setsMost
	most     int // setMost
	now      func() time.Time
}

func newPeerSets() *peerSets {
	p := &peerSets{reading: make(chan struct{}, setReads), sizeMost: setsMost, most: setMost, now: time.Now}
	kept, err := lru.NewWithEvict(setsMost, func(_ id.Member, set *peerSet) { p.size -= set.size() })
	if err != nil {
		panic(err) // the size is positive
	}
	p.kept = kept
	return p
}

// get gives what is kept of a member's connections, or nil.
func (p *peerSets) get(member id.Member) *peerSet {
	p.mu.Lock()
	defer p.mu.Unlock()
	set, ok := p.kept.Get(member)
	if ok && p.now().Sub(set.read) >= setAgeMost {
		p.kept.Remove(member)
		return nil
	}
	return set
}

// keep keeps a set instead of the one before.
func (p *peerSets) keep(member id.Member, set *peerSet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept.Remove(member) // which takes it off the size; putting another in its place does not
	p.kept.Add(member, set)
	for p.size += set.size(); p.size > p.sizeMost; {
		p.kept.RemoveOldest()
	}
}

func (p *peerSets) forget(member id.Member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept.Remove(member)
}

// begin takes a turn to read a set, and reports whether there was one. Who has it gives it back by end.
func (p *peerSets) begin() bool {
	select {
	case p.reading <- struct{}{}:
		return true
	default:
		return false
	}
}

func (p *peerSets) end() { <-p.reading }
