package store

import (
	"time"

	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
)

// The bounds of sets of connections.
const (
	SetMost      = setMost
	SetAgeMost   = setAgeMost
	SetReadsEach = setReadsEach
	EntriesMost  = entriesMost
)

// BoundPeers has a store keep sets of no more than most connections, and all in all, by a clock.
func BoundPeers(s *Store, most int, all int, now func() time.Time) {
	s.peers.most, s.peers.sizeMost, s.peers.now = most, all, now
}

// PeerSets gives how many sets are kept, and how much room they take.
func PeerSets(s *Store) (n, size int) {
	s.peers.mu.Lock()
	defer s.peers.mu.Unlock()
	return s.peers.kept.Len(), s.peers.size
}

// ReadPeers takes all turns to read a set, until the end.
func ReadPeers(s *Store) (end func()) {
	turns := 0
	for s.peers.begin() {
		turns++
	}
	return func() {
		for range turns {
			s.peers.end()
		}
	}
}

// PeerSet is a set of connections.
type PeerSet struct{ set *peerSet }

// NewPeerSet makes one of members in order.
func NewPeerSet(peers []id.Member) PeerSet { return PeerSet{&peerSet{peers: peers}} }

// After is the set after entries.
func (s PeerSet) After(entries []feed.Draft) PeerSet {
	return NewPeerSet(s.set.after(entries))
}

// Shared is how many are in both.
func (s PeerSet) Shared(with PeerSet) int { return s.set.shared(with.set) }

// Peers are the members of the set.
func (s PeerSet) Peers() []id.Member { return s.set.peers }
