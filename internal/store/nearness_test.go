package store_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// circle is members and what is between them, as the tables have it.
type circle struct {
	members   []id.Member
	connected map[[2]int]bool // both ways round
	blocked   map[[2]int]bool // both ways round
}

// drawCircle draws one of a few members who know few or many of each other. Some have blocked others, but nobody whom
// they are connected to: that ends a connection.
func drawCircle(r *rapid.T) *circle {
	s := &circle{connected: make(map[[2]int]bool), blocked: make(map[[2]int]bool)}
	n := rapid.IntRange(2, 14).Draw(r, "members")
	for i := range n {
		s.members = append(s.members, id.Member(uuid.NewSHA1(uuid.Nil, []byte(fmt.Sprint(i)))))
	}
	pairs := make([][2]int, 0, n*n)
	for a := range n {
		for b := range a {
			pairs = append(pairs, [2]int{a, b})
		}
	}
	few := rapid.IntRange(1, 6).Draw(r, "one in so many is connected")
	for _, p := range pairs {
		switch rapid.IntRange(0, 2*few).Draw(r, "pair") {
		case 0, 1:
			s.connected[p], s.connected[[2]int{p[1], p[0]}] = true, true
		case 2, 3:
			s.blocked[p], s.blocked[[2]int{p[1], p[0]}] = true, true
		}
	}
	return s
}

func (s *circle) write(r *rapid.T, exec func(string) error) {
	var members, connections, blocks []string
	for a, m := range s.members {
		members = append(members, fmt.Sprintf("('%s', 's%d', 'h%d', 'N', '2026-01-01 00:00:00+00:00')", uuid.UUID(m), a, a))
		for b, other := range s.members {
			row := fmt.Sprintf("('%s', '%s', '2026-01-01 00:00:00+00:00')", uuid.UUID(m), uuid.UUID(other))
			if s.connected[[2]int{a, b}] {
				connections = append(connections, row)
			}
			if a < b && s.blocked[[2]int{a, b}] {
				blocks = append(blocks, row)
			}
		}
	}
	statements := []string{"DELETE FROM connections", "DELETE FROM blocks", "DELETE FROM members",
		"INSERT INTO members (id, subject, handle, name, created_at) VALUES " + strings.Join(members, ",")}
	if len(connections) > 0 {
		statements = append(statements, "INSERT INTO connections (owner_id, peer_id, connected_at) VALUES "+strings.Join(connections, ","))
	}
	if len(blocks) > 0 {
		statements = append(statements, "INSERT INTO blocks (blocker_id, blocked_id, blocked_at) VALUES "+strings.Join(blocks, ","))
	}
	for _, statement := range statements {
		if err := exec(statement); err != nil {
			r.Fatal(err)
		}
	}
}

// degrees goes out from a member, step by step, over those whom no block hides from it.
func (s *circle) degrees(viewer int) map[id.Member]int {
	out, reached, edge := make(map[id.Member]int), map[int]bool{viewer: true}, []int{viewer}
	for degree := 1; degree <= 3; degree++ {
		var next []int
		for _, a := range edge {
			for b, m := range s.members {
				if s.connected[[2]int{a, b}] && !reached[b] {
					reached[b] = true
					out[m] = degree
					if !s.blocked[[2]int{viewer, b}] { // else it is reached, but not passed
						next = append(next, b)
					}
				}
			}
		}
		edge = next
	}
	return out
}

// mutual gives those connected to both, in order.
func (s *circle) mutual(viewer, other int) []id.Member {
	var out []id.Member
	for m, peer := range s.members {
		if s.connected[[2]int{viewer, m}] && s.connected[[2]int{other, m}] {
			out = append(out, peer)
		}
	}
	slices.SortFunc(out, func(a, b id.Member) int { return cmp.Compare(uuid.UUID(a).String(), uuid.UUID(b).String()) })
	return out
}

// Mutual connections, their number and degrees are those that one finds by going from member to member, whichever way the
// statements take: in random circles, with blocks, on both databases.
func TestNearnessAgainstSearch(t *testing.T) {
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		s := storetest.Open(t, address, store.Options{})
		db, _, _ := rawDB(t, address)
		exec := func(query string) error { _, err := db.Exec(query); return err }
		rapid.Check(t, func(r *rapid.T) {
			all := drawCircle(r)
			all.write(r, exec)
			viewer := rapid.IntRange(0, len(all.members)-1).Draw(r, "viewer")
			after := rapid.SampledFrom(append([]id.Member{{}}, all.members...)).Draw(r, "after")
			limit := rapid.IntRange(1, len(all.members)).Draw(r, "limit")
			for _, near := range []network.Store{
				s,
				store.Nearness{Store: s, Counted: 3, Times: 1, Further: 1, Pairs: 2},             // both ways of each
				store.Nearness{Store: s, Counted: 1, Times: 0, Further: 0, Pairs: 0},             // from peer to peer
				store.Nearness{Store: s, Counted: 1000, Times: 1000, Further: 0, Pairs: 10000},   // along, and by pairs
				store.Nearness{Store: s, Counted: 1000, Times: 1000, Further: 100, Pairs: 10000}, // along, in full
			} {
				for from := range all.members {
					all.checkDegrees(r, near, from)
				}
				all.checkMutual(r, near, viewer, after, limit)
			}
		})
	})
}

func (s *circle) checkDegrees(r *rapid.T, near network.Store, viewer int) {
	degrees, err := near.Degrees(context.Background(), s.members[viewer], s.members)
	if want := s.degrees(viewer); err != nil || !maps.Equal(degrees, want) {
		r.Fatalf("degrees from %d: %v (%v), want %v", viewer, degrees, err, want)
	}
}

func (s *circle) checkMutual(r *rapid.T, near network.Store, viewer int, after id.Member, limit int) {
	ctx, member := context.Background(), s.members[viewer]
	pages, err := near.Mutual(ctx, member, s.members, after, limit)
	if err != nil {
		r.Fatal(err)
	}
	counts, err := near.CountMutual(ctx, member, s.members)
	if err != nil {
		r.Fatal(err)
	}
	for other, m := range s.members {
		want := s.mutual(viewer, other)
		if counts[m] != len(want) {
			r.Fatalf("%d mutual connections with %d, want %d", counts[m], other, len(want))
		}
		want = slices.DeleteFunc(want, func(peer id.Member) bool { return !after.Less(peer) })
		if want = want[:min(limit, len(want))]; !slices.Equal(pages[m], want) {
			r.Fatalf("with %d after %v: %v, want %v", other, after, pages[m], want)
		}
	}
}
