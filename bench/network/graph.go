package main

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"
)

// The shape of the network.
const (
	meanDegree  = 40
	largest     = 30_000 // connections of the two largest members
	largestPart = 0.3    // of all members, where there are too few for that
	islandPart  = 100    // one in so many lives on an island: connected among themselves, and to nobody else
	localMost   = 200    // connections near by that a member seeks at most
	nearby      = 30     // half of the connections near by are within so many
)

// graph is the connections of a network: members 0 to members-1, whose peers are a part of one list.
//
// It is a small world with degrees by a power law. Members stand on a ring. Half of what each seeks is near it on the
// ring, mostly very near, so that the peers of one are often connected; the rest is anywhere, by the degree of whom it
// finds. The two largest share a third of their connections, and are not connected. Some live on an island.
type graph struct {
	members int
	island  int // the first member on the island
	hubs    [2]int
	offsets []uint32 // where a member's peers begin
	peers   []uint32

	marks []uint32 // for degree
	mark  uint32
}

// network makes the graph of a number of members. The same seed makes the same.
type generator struct {
	*rand.Rand

	members, main int // in all, and on the mainland
	degree        int // of the largest
	exponent      float64
	edges         []uint64
	rankStep      uint64 // turns a rank by degree into a member
	ringStep      uint64 // and a place on the ring
	ringBack      uint64
}

func newGraph(members int, seed uint64) *graph {
	island := members / islandPart
	g := &generator{
		Rand:    rand.New(rand.NewPCG(seed, uint64(members))), //nolint:gosec // the same every time
		members: members, main: members - island,
		degree: min(largest, int(largestPart*float64(members))),
	}
	g.exponent = exponentFor(g.main, g.degree)
	g.rankStep, g.ringStep = coprime(g.main, 0.618), coprime(g.main, 0.382) //nolint:mnd // far apart
	g.ringBack = inverse(g.ringStep, uint64(g.main))                        //nolint:gosec // positive
	g.hubsEdges()
	hubs := len(g.edges)
	g.mainEdges(hubs)
	g.islandEdges()
	slices.Sort(g.edges)
	return g.build()
}

// exponentFor gives the exponent b by which the degrees degree·(rank+1)^-b have the mean that is wanted.
func exponentFor(members, degree int) float64 {
	low, high := 0.0, 0.99
	for range 50 {
		b := (low + high) / 2 //nolint:mnd // halves
		if mean := float64(degree) / float64(members) * math.Pow(float64(members), 1-b) / (1 - b); mean > meanDegree {
			low = b
		} else {
			high = b
		}
	}
	return low
}

func (g *generator) ofRank(rank int) int {
	return int(uint64(rank) * g.rankStep % uint64(g.main)) //nolint:gosec // positive
}

// anyone gives a member of the mainland, each as likely as its degree is large.
func (g *generator) anyone() int {
	rank := int(float64(g.main) * math.Pow(g.Float64(), 1/(1-g.exponent)))
	return g.ofRank(min(rank, g.main-1))
}

// neighbour gives a member near another on the ring.
func (g *generator) neighbour(of int) int {
	for {
		away := 1 + int(nearby*(1/max(g.Float64(), 1e-9)-1)) //nolint:mnd // no division by zero
		if away > g.main/3 {                                 //nolint:mnd // not around the ring
			continue
		}
		if g.IntN(2) == 0 { //nolint:mnd // either side
			away = g.main - away
		}
		place := (uint64(of)*g.ringBack + uint64(away)) % uint64(g.main) //nolint:gosec // positive
		return int(place * g.ringStep % uint64(g.main))                  //nolint:gosec // positive
	}
}

// connect notes an edge. Some are noted twice.
func (g *generator) connect(a, b int) {
	if a > b {
		a, b = b, a
	}
	if a != b {
		g.edges = append(g.edges, uint64(a)<<32|uint64(b)) //nolint:gosec // positive
	}
}

func (g *generator) isHub(m int) bool { return m == g.ofRank(0) || m == g.ofRank(1) }

// hubsEdges gives the two largest their connections.
func (g *generator) hubsEdges() {
	first := g.distinct(nil)
	shared := slices.Clone(first)
	g.Shuffle(len(shared), func(i, j int) { shared[i], shared[j] = shared[j], shared[i] })
	second := g.distinct(shared[:len(shared)/3]) //nolint:mnd // a third
	for i := range first {
		g.connect(g.ofRank(0), first[i])
		g.connect(g.ofRank(1), second[i])
	}
}

// distinct gives as many members as the largest has, none twice, beginning with some.
func (g *generator) distinct(begin []int) []int {
	out, seen := slices.Clone(begin), make(map[int]bool, g.degree)
	for _, m := range begin {
		seen[m] = true
	}
	for len(out) < g.degree {
		if m := g.anyone(); !seen[m] && !g.isHub(m) {
			seen[m] = true
			out = append(out, m)
		}
	}
	return out
}

// mainEdges gives the others theirs, after those that there are, until the mean is right.
func (g *generator) mainEdges(hubs int) {
	size := g.members - g.main
	island := size * min(meanDegree/4, max(0, size-1)/2) //nolint:mnd // as in islandEdges
	want := g.members*meanDegree/2 - hubs - island
	seeks := func(m int, share float64) {
		for i := range int(math.Round(share)) {
			var other int
			if i%2 == 0 && i < 2*localMost {
				other = g.neighbour(m)
			} else {
				other = g.anyone()
			}
			if !g.isHub(other) {
				g.connect(m, other)
			}
		}
	}
	for rank := 2; rank < g.main; rank++ {
		degree := float64(g.degree) * math.Pow(float64(rank+1), -g.exponent)
		seeks(g.ofRank(rank), degree*g.Float64()) // half of it in the mean: the rest finds the member
	}
	for {
		main := g.edges[hubs:]
		slices.Sort(main)
		main = slices.Compact(main)
		g.edges = g.edges[:hubs+len(main)]
		if len(main) >= want {
			break
		}
		for range want - len(main) + 1 {
			if m := g.ofRank(2 + g.IntN(g.main-2)); true { //nolint:mnd // no hub
				seeks(m, 1)
			}
		}
	}
	// What is too much goes, evenly.
	main := g.edges[hubs:]
	for i := range want {
		main[i] = main[i*len(main)/want]
	}
	g.edges = g.edges[:hubs+want]
}

// islandEdges connects the members of the island with those next to them.
func (g *generator) islandEdges() {
	size := g.members - g.main
	for m := range size {
		for away := 1; away <= min(meanDegree/4, (size-1)/2); away++ { //nolint:mnd // each is found as often as it seeks
			g.connect(g.main+m, g.main+(m+away)%size)
		}
	}
}

// build makes the lists of peers, each in order, of the edges in order.
func (g *generator) build() *graph {
	out := &graph{
		members: g.members, island: g.main, hubs: [2]int{g.ofRank(0), g.ofRank(1)},
		offsets: make([]uint32, g.members+1), peers: make([]uint32, 2*len(g.edges)), //nolint:mnd // either side
	}
	for _, e := range g.edges {
		out.offsets[e>>32+1]++
		out.offsets[e&math.MaxUint32+1]++
	}
	for m := range g.members {
		out.offsets[m+1] += out.offsets[m]
	}
	next := slices.Clone(out.offsets)
	put := func(owner, peer uint64) {
		out.peers[next[owner]] = uint32(peer) //nolint:gosec // a member
		next[owner]++
	}
	for _, e := range g.edges { // first those below, which come in order
		put(e&math.MaxUint32, e>>32)
	}
	for _, e := range g.edges {
		put(e>>32, e&math.MaxUint32)
	}
	return out
}

func (g *graph) of(m int) []uint32 { return g.peers[g.offsets[m]:g.offsets[m+1]] }

func (g *graph) connected(a, b int) bool {
	_, found := slices.BinarySearch(g.of(a), uint32(b)) //nolint:gosec // a member
	return found
}

// mutual counts those connected to both.
func (g *graph) mutual(a, b int) int {
	n := 0
	for _, peer := range g.of(a) {
		if g.connected(int(peer), b) {
			n++
		}
	}
	return n
}

// degree tells how far two are apart, 1 to 3, or 0 for farther: it marks the peers of the one, and looks for a mark among
// the peers of the other and theirs.
func (g *graph) degree(a, b int) int {
	if len(g.of(b)) > len(g.of(a)) {
		a, b = b, a
	}
	if g.marks == nil {
		g.marks = make([]uint32, g.members)
	}
	g.mark++
	for _, peer := range g.of(a) {
		g.marks[peer] = g.mark
	}
	if g.marks[b] == g.mark {
		return 1
	}
	for _, peer := range g.of(b) {
		if g.marks[peer] == g.mark {
			return 2
		}
	}
	for _, peer := range g.of(b) {
		for _, further := range g.of(int(peer)) {
			if g.marks[further] == g.mark {
				return 3
			}
		}
	}
	return 0
}

// coprime gives a step of about a part of n that reaches all of n.
func coprime(n int, part float64) uint64 {
	for step := uint64(float64(n)*part) | 1; ; step++ {
		if inverse(step, uint64(n)) != 0 { //nolint:gosec // positive
			return step
		}
	}
}

// inverse gives the x by which step·x is 1 modulo n, or 0 for none.
func inverse(step, n uint64) uint64 {
	r0, r1, x0, x1 := int64(n), int64(step), int64(0), int64(1) //nolint:gosec // small
	for r1 != 0 {
		q := r0 / r1
		r0, r1, x0, x1 = r1, r0-q*r1, x1, x0-q*x1
	}
	if r0 != 1 {
		return 0
	}
	return uint64((x0 + int64(n)) % int64(n)) //nolint:gosec // positive
}

// mix scatters a number: the same in, the same out.
func mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// The years that the network is old.
const (
	joining  = 3 * 365 * 24 * time.Hour
	oldInAll = 5 * 365 * 24 * time.Hour
)

// key is the id of the nth thing of a kind: a UUID of version 7 of the time when it came, so that those who came later
// have greater ones.
func key(kind byte, n int, at time.Time) uuid.UUID {
	var u uuid.UUID
	binary.BigEndian.PutUint64(u[:], uint64(at.UnixMilli())<<16)
	binary.BigEndian.PutUint64(u[8:], mix(uint64(kind)<<56|uint64(n)))                //nolint:gosec // positive
	binary.BigEndian.PutUint16(u[6:], 0x7000|uint16(mix(uint64(n)+uint64(kind))>>52)) //nolint:gosec // twelve bits
	u[8] = u[8]&0x3f | 0x80
	return u
}
