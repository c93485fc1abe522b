package store

import (
	"time"

	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
)

// The bounds of sets of connections.
const (
	PeersMost = peersMost
	PeersKept = peersKept
)

// BoundPeers has a store keep sets of no more than most connections, by a clock.
func BoundPeers(s *Store, most int, now func() time.Time) { s.peers.most, s.peers.now = most, now }

// KeptPeers gives how many sets are kept.
func KeptPeers(s *Store) int { return s.peers.kept.Len() }

// PeerSet is a set of connections.
type PeerSet struct{ set *peerSet }

// NewPeerSet makes one of members in order.
func NewPeerSet(peers []id.Member) PeerSet { return PeerSet{&peerSet{peers: peers}} }

// After is the set after entries.
func (s PeerSet) After(entries []feed.Draft) PeerSet {
	return PeerSet{s.set.after(entries, s.set.number+1)}
}

// Shared is how many are in both.
func (s PeerSet) Shared(with PeerSet) int { return s.set.shared(with.set) }

// Peers are the members of the set.
func (s PeerSet) Peers() []id.Member { return s.set.peers }
