package main

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	openMost     = 1000 // open invitations of those who sent as many as they may
	receivedMost = 5000 // invitations of those who were sent very many
	manyPart     = 5    // one in so many of all, where there are too few for that
	special      = 20   // of each of the two
	openMean     = 2    // open invitations of the others
	unreadFor    = 30 * 24 * time.Hour
	openFor      = 170 * 24 * time.Hour // how old the oldest is
)

// newPopulation makes all of a network. The same seed makes the same, but for the times, which end with now.
func newPopulation(members int, seed uint64, now time.Time) *population {
	n := &population{graph: newGraph(members, seed), now: now.UTC().Truncate(time.Hour)}
	r := rand.New(rand.NewPCG(seed, ^uint64(members))) //nolint:gosec // the same every time
	many := members / manyPart
	type pair struct{ sender, recipient int }
	pairs := make([]pair, 0, openMean*members)
	add := func(sender, recipient int) bool {
		if sender == recipient || n.connected(sender, recipient) {
			return false
		}
		pairs = append(pairs, pair{sender, recipient})
		return true
	}
	chosen := r.Perm(n.island)[:2*min(special, n.island/manyPart)]
	n.senders, n.recipients = chosen[:len(chosen)/2], chosen[len(chosen)/2:]
	// Those first, in turns of a fixed step, so that none is chosen twice.
	around := func(m, count int, do func(other int) bool) {
		step := max(1, n.island/(2*count)) //nolint:mnd // some are connected already
		for other, done := m+1, 0; done < count && other < m+n.island; other += step {
			if o := other % n.island; !slices.Contains(chosen, o) && do(o) {
				done++
			}
		}
	}
	for _, m := range n.senders {
		around(m, min(openMost, many), func(other int) bool { return add(m, other) })
	}
	for _, m := range n.recipients {
		around(m, min(receivedMost, many), func(other int) bool { return add(other, m) })
	}
	for m := range members {
		if slices.Contains(chosen, m) {
			continue
		}
		for range int(r.ExpFloat64() * openMean) {
			if other := r.IntN(members); !slices.Contains(chosen, other) {
				add(m, other)
			}
		}
	}
	// One a pair, whoever sent it.
	code := func(p pair) uint64 {
		return uint64(min(p.sender, p.recipient))<<32 | uint64(max(p.sender, p.recipient)) //nolint:gosec // positive
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(code(a), code(b)) })
	pairs = slices.CompactFunc(pairs, func(a, b pair) bool { return code(a) == code(b) })
	n.invitations = make([]invitation, len(pairs))
	for i, p := range pairs {
		how := mix(code(p))
		state := "pending"
		switch {
		case slices.Contains(chosen, p.recipient): // all of theirs wait
		case how%20 == 0: //nolint:mnd // one in twenty
			state = "declined"
		case how%10 == 1: //nolint:mnd // one in ten
			state = "ignored"
		}
		ago := time.Duration(float64(openFor) * float64(how>>11) / float64(math.MaxUint64>>11)) //nolint:mnd // a fraction of 53 bits
		n.invitations[i] = invitation{p.sender, p.recipient, state, n.now.Add(-ago).Truncate(time.Millisecond)}
	}
	slices.SortFunc(n.invitations, func(a, b invitation) int { return a.sentAt.Compare(b.sentAt) })
	return n
}
