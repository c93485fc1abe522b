package store_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// large is a store that counts in memory what any two share who have a connection each.
func large(s *store.Store) store.Nearness {
	return store.Nearness{Store: s, Counted: 1000, Times: 6, Further: 8, Pairs: 10_000, Large: 1}
}

// Sets of connections are as sets are, whatever entries come.
func TestPeerSet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var sets [2]store.PeerSet
		var want [2]map[id.Member]bool
		for i := range sets {
			sets[i], want[i] = store.NewPeerSet(nil), map[id.Member]bool{}
			for range rapid.IntRange(0, 5).Draw(t, "times") {
				var entries []feed.Draft
				for range rapid.IntRange(0, 12).Draw(t, "entries") {
					e := feed.Draft{Kind: feed.ConnectionAdded, Other: id.Member{byte(rapid.IntRange(0, 9).Draw(t, "member"))}}
					want[i][e.Other] = true
					if rapid.Bool().Draw(t, "removed") {
						e.Kind = feed.ConnectionRemoved
						delete(want[i], e.Other)
					}
					entries = append(entries, e)
				}
				before, had := sets[i], slices.Clone(sets[i].Peers())
				sets[i] = sets[i].After(entries)
				if !slices.Equal(before.Peers(), had) {
					t.Fatal("what was kept of a set has changed")
				}
			}
			got := sets[i].Peers()
			if wanted := slices.SortedFunc(maps.Keys(want[i]), func(a, b id.Member) int { return strings.Compare(a.String(), b.String()) }); !slices.Equal(got, wanted) {
				t.Fatalf("%v, want %v", got, wanted)
			}
		}
		shared := 0
		for m := range want[0] {
			if want[1][m] {
				shared++
			}
		}
		if a, b := sets[0].Shared(sets[1]), sets[1].Shared(sets[0]); a != shared || b != shared {
			t.Fatalf("share %d and %d, want %d", a, b, shared)
		}
	})
}

// Whatever members do, and whichever node they do it through, what is kept of their connections gives the number that the
// tables hold: the feeds tell of every change of connections there is.
func TestCountsFollowFeeds(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		clock := func() time.Time { now = now.Add(time.Second); return now }
		here, there := newSociety(t, address, clock, false), newSociety(t, address, clock, true)
		policy := network.DefaultPolicy()
		for _, s := range []*society{here, there} {
			s.network = network.NewService(s.store, unwoken{}, policy, clock, app.NewID)
		}
		hosts := host.NewService(store.Hosts{Store: here.store}, unwoken{}, unended{}, clock, app.NewID)
		life, counted := 0, 0
		rapid.Check(t, func(t *rapid.T) {
			life++
			const members = 5
			here.populate(t, life, members)
			there.members, there.open = here.members, here.open
			for step := range rapid.IntRange(6, 18).Draw(t, "steps") {
				who := rapid.Permutation([]int{0, 1, 2, 3, 4}).Draw(t, "who")
				through := rapid.SampledFrom([]*society{here, there}).Draw(t, "through")
				switch what := rapid.SampledFrom([]string{"connect", "connect", "connect", "remove", "block", "unblock", "delete"}).Draw(t, "what"); what {
				case "connect":
					through.do(deed{"invite", who[0], who[1]})
					through.do(deed{"accept", who[1], who[0]})
				case "delete":
					if step < 5 {
						continue
					}
					_, err := hosts.Delete(t.Context(), fmt.Sprint(life, "-", who[0]))
					if err == nil && rapid.Bool().Draw(t, "all") {
						err = hosts.FinishErasures(t.Context(), func() error { return nil })
					}
					if err != nil {
						continue // of one who is deleted
					}
				default:
					through.do(deed{what, who[0], who[1]})
				}
				for _, s := range []*society{here, there} {
					counted += checkCounts(t, s, here.members[who[rapid.IntRange(0, 2).Draw(t, "viewer")]])
				}
			}
		})
		if sets, _ := store.PeerSets(here.store); counted == 0 || sets == 0 {
			t.Error("nobody shared anything, or nothing was kept")
		}
	})
}

// unended is told whose access ends.
type unended struct{}

func (unended) End(...id.Member) {}

// checkCounts looks at what a member shares with all others, and gives how many connections that are.
func checkCounts(t *rapid.T, s *society, viewer id.Member) (sum int) {
	others := slices.DeleteFunc(slices.Clone(s.members), func(m id.Member) bool { return m == viewer })
	got, err := large(s.store).CountMutual(t.Context(), viewer, others)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range others {
		var want int
		if err := s.db.QueryRow(`SELECT count(*) FROM connections a JOIN connections b ON b.peer_id = a.peer_id WHERE a.owner_id = $1 AND b.owner_id = $2`,
			uuid.UUID(viewer), uuid.UUID(other)).Scan(&want); err != nil {
			t.Fatal(err)
		}
		if got[other] != want {
			t.Fatalf("counted %d, and there are %d", got[other], want)
		}
		sum += want
	}
	return sum
}

// pairOf makes two members, and others who are connected to both.
func pairOf(t *testing.T, s *store.Store, others int) (a, b id.Member, all []id.Member) {
	t.Helper()
	society := &society{store: s}
	society.populate(t, 0, others+2)
	a, b, all = society.members[0], society.members[1], society.members[2:]
	for _, other := range all {
		connectAll(t, s, true, []id.Member{a, b}, []id.Member{other})
	}
	return a, b, all
}

// connectAll makes all connections between two groups of members, or ends them, in one transaction, and tells the feeds.
func connectAll(t testing.TB, s *store.Store, connect bool, some, others []id.Member) {
	t.Helper()
	if _, err := s.Transact(context.Background(), func(ctx context.Context, tx network.Tx) error {
		return change(ctx, tx, connect, some, others)
	}); err != nil {
		t.Fatal(err)
	}
}

func change(ctx context.Context, tx network.Tx, connect bool, some, others []id.Member) error {
	if _, err := tx.Lock(ctx, append(slices.Clone(some), others...)...); err != nil {
		return err
	}
	for _, a := range some {
		for _, b := range others {
			kind := feed.ConnectionAdded
			if connect {
				if err := tx.Connect(ctx, a, b, time.Now()); err != nil {
					return err
				}
			} else {
				kind = feed.ConnectionRemoved
				if _, err := tx.Disconnect(ctx, a, b); err != nil {
					return err
				}
			}
			for _, d := range []feed.Draft{{Member: a, Kind: kind, Other: b}, {Member: b, Kind: kind, Other: a}} {
				if err := tx.Append(ctx, app.NewID(), d); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// While others come and go for both at once, so that the number stays the same, every count gives that number: it is of
// one moment, and never of the connections of the one before and those of the other after.
func TestCountIsOfOneMoment(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		s := storetest.Open(t, address, store.Options{})
		const readers, swaps, shared = 4, 60, 6
		a, b, all := pairOf(t, s, 2*shared)
		connectAll(t, s, false, []id.Member{a, b}, all[shared:])
		var (
			group   sync.WaitGroup
			over    atomic.Bool
			counted atomic.Int64
		)
		for range readers {
			group.Go(func() {
				for !over.Load() {
					n, err := large(s).CountMutual(context.Background(), a, []id.Member{b})
					if err != nil || n[b] != shared {
						t.Errorf("counted %d (%v), and there are %d", n[b], err, shared)
						return
					}
					counted.Add(1)
				}
			})
		}
		for i := 0; i < swaps || counted.Load() < swaps && !t.Failed(); i++ {
			out, in := all[i%len(all)], all[(i+shared)%len(all)]
			if _, err := s.Transact(t.Context(), func(ctx context.Context, tx network.Tx) error {
				if _, err := tx.Lock(ctx, a, b, out, in); err != nil {
					return err
				}
				if err := change(ctx, tx, false, []id.Member{a, b}, []id.Member{out}); err != nil {
					return err
				}
				return change(ctx, tx, true, []id.Member{a, b}, []id.Member{in})
			}); err != nil {
				t.Error(err)
			}
		}
		over.Store(true)
		group.Wait()
	})
}

// A set is read once, and brought up to date afterwards; nothing else is asked of the tables then.
func TestPeersAreKept(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		var seen atomic.Pointer[[]string]
		s := storetest.Open(t, address, store.Options{Observe: func(query string, _ []any) {
			if list := seen.Load(); list != nil {
				*list = append(*list, query)
			}
		}})
		a, b, all := pairOf(t, s, 3)
		now := time.Now()
		store.BoundPeers(s, store.SetMost, store.SetMost, func() time.Time { return now })
		count := func(what string, want int, statements int) (list []string) {
			t.Helper()
			seen.Store(&list)
			n, err := large(s).CountMutual(t.Context(), a, []id.Member{b})
			seen.Store(nil)
			if err != nil || n[b] != want || len(list) != statements {
				t.Fatalf("%s: %d (%v) with %d statements, want %d with %d", what, n[b], err, len(list), want, statements)
			}
			return list
		}
		count("at first", 3, 4) // how many they have, both sets, and the entries since
		list := count("again", 3, 1)
		if strings.Contains(list[0], "connections") || !strings.Contains(list[0], "feed_entries") {
			t.Errorf("what is kept was not used: %s", list[0])
		}
		connectAll(t, s, false, []id.Member{a}, all[:1])
		count("after a removal", 2, 1)

		now = now.Add(store.SetAgeMost - 1)
		count("before its time is over", 2, 1)
		db, _, _ := rawDB(t, address)
		if _, err := db.Exec("DELETE FROM connections WHERE owner_id = $1 AND peer_id = $2", uuid.UUID(a), uuid.UUID(all[1])); err != nil {
			t.Fatal(err)
		}
		count("of what nobody told", 2, 1)
		now = now.Add(1)
		count("when its time is over", 1, 4)
	})
}

// Entries are there for longer than a set is brought up to date by them.
func TestEntriesOutliveSets(t *testing.T) {
	t.Parallel()
	if 100*store.SetAgeMost > feed.Kept {
		t.Errorf("sets are brought up to date for %v by entries that are kept for %v", store.SetAgeMost, feed.Kept)
	}
}

// The statements about sets read by key, by the plan that PostgreSQL keeps for everybody, of one other and of a page.
func TestPeersGoAlongIndexes(t *testing.T) {
	t.Parallel()
	// Few feeds hold most entries, so that a feed seems to be a good part of the table.
	s := openPlanned(t, populate, populateRules, `
		INSERT INTO feed_entries (id, member_id, number, kind)
			SELECT md5('more' || n || '-' || k)::uuid, md5('m' || n)::uuid, k, 'connection_added' FROM generate_series(1, 20) n, generate_series(21, 2000) k;
		ANALYZE feed_entries`)
	near := large(s.Store)
	for _, others := range []int{1, 8, 20, 100} {
		var page []id.Member
		for n := range others {
			page = append(page, s.member(t, 2+n))
		}
		for range 1 + len(page)/(store.SetReadsEach-1) { // each reads some more sets
			for _, q := range s.statements(t, "counting", func() error { _, err := near.CountMutual(t.Context(), s.member(t, 1), page); return err }) {
				plan := s.explainForAll(t, q)
				if strings.Contains(plan, "Seq Scan") || strings.Contains(q.query, "LATERAL") && !strings.Contains(plan, "number > ") {
					t.Fatalf("%d others: %s\n%s", others, q.query, plan)
				}
			}
		}
	}
	if sets, _ := store.PeerSets(s.Store); sets < 100 {
		t.Errorf("%d sets", sets)
	}
}
