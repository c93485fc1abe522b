package main

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
)

// A network is as large as it says, its two largest share a third, everybody's peers have it as a peer, and the same seed
// makes the same.
func TestNetwork(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, members := range []int{smallest, 1000, 10_000} {
		n := newPopulation(members, 7, now)
		if got := len(n.peers) / 2; got != members*meanDegree/2 {
			t.Errorf("%d connections of %d members", got, members)
		}
		want := int(largestPart * float64(members))
		a, b := n.hubs[0], n.hubs[1]
		if len(n.of(a)) != want || len(n.of(b)) != want || n.connected(a, b) || n.mutual(a, b) < want/3 {
			t.Errorf("the largest of %d have %d and %d, and share %d", members, len(n.of(a)), len(n.of(b)), n.mutual(a, b))
		}
		for m := range members {
			peers := n.of(m)
			if members > smallest && len(peers) > want || !slices.IsSorted(peers) || len(slices.Compact(slices.Clone(peers))) != len(peers) {
				t.Fatalf("the peers of %d are %v", m, peers)
			}
			for _, peer := range peers {
				if int(peer) == m || !n.connected(int(peer), m) || (int(peer) < n.island) != (m < n.island) {
					t.Fatalf("%d has %d", m, peer)
				}
			}
			if m > 0 && n.member(m-1).String() >= n.member(m).String() {
				t.Fatalf("%d has a greater id than the next", m-1)
			}
		}
		for _, inv := range n.invitations {
			if inv.sender == inv.recipient || n.connected(inv.sender, inv.recipient) {
				t.Fatalf("%+v", inv)
			}
		}
		again := newPopulation(members, 7, now)
		if !slices.Equal(n.peers, again.peers) || !slices.Equal(n.invitations, again.invitations) {
			t.Error("the same seed made something else")
		}
		if other := newPopulation(members, 8, now); slices.Equal(n.peers, other.peers) {
			t.Error("another seed made the same")
		}
	}
}

// Peers of one are much more often connected than any two: there are mutual connections to find.
func TestNetworkIsClustered(t *testing.T) {
	n := newPopulation(10_000, 1, time.Now())
	r := rand.New(rand.NewPCG(1, 1))
	friends, strangers := 0, 0
	for range 20_000 {
		peers := n.of(r.IntN(n.island))
		if a, b := peers[r.IntN(len(peers))], peers[r.IntN(len(peers))]; n.connected(int(a), int(b)) {
			friends++
		}
		if n.connected(r.IntN(n.island), r.IntN(n.island)) {
			strangers++
		}
	}
	if friends < 5*strangers {
		t.Errorf("%d of the pairs of peers are connected, and %d of any", friends, strangers)
	}
}

// The degree by marks is that of a search.
func TestDegree(t *testing.T) {
	n := newPopulation(smallest, 3, time.Now())
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		a, b := r.IntN(n.members), r.IntN(n.members)
		if a == b {
			continue
		}
		want, reached := 0, []int{a}
		for degree := 1; degree <= 3 && want == 0; degree++ {
			var next []int
			for _, m := range reached {
				for _, peer := range n.of(m) {
					next = append(next, int(peer))
				}
			}
			if slices.Contains(next, b) {
				want = degree
			}
			slices.Sort(next)
			reached = slices.Compact(next)
		}
		if got := n.degree(a, b); got != want {
			t.Fatalf("%d and %d are at %d, not %d", a, b, want, got)
		}
	}
}

// Ids are UUIDs of version 7.
func TestKeys(t *testing.T) {
	u := key(kindMember, 5, founded)
	if u.Version() != 7 || u.Variant() != uuid.RFC4122 || u == key(kindInvitation, 5, founded) {
		t.Error(u)
	}
}
