package store_test

import (
	"database/sql"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// counting is two members with others between them, whose counts are compared with what there is.
type counting struct {
	*store.Store

	t    *testing.T
	db   *sql.DB
	a, b id.Member
	all  []id.Member
	seen *atomic.Int64 // statements
}

func newCounting(t *testing.T, address string, others int) *counting {
	t.Helper()
	c := &counting{t: t, seen: &atomic.Int64{}}
	c.Store = storetest.Open(t, address, store.Options{Observe: func(string, []any) { c.seen.Add(1) }})
	c.db, _, _ = rawDB(t, address)
	c.a, c.b, c.all = pairOf(t, c.Store, others)
	return c
}

func (c *counting) exec(query string, args ...any) {
	c.t.Helper()
	if _, err := c.db.Exec(query, args...); err != nil {
		c.t.Fatal(err)
	}
}

// wants counts what the two share, with so many statements, and looks at how many sets are kept then.
func (c *counting) wants(what string, want int, statements int64, sets int) {
	c.t.Helper()
	c.seen.Store(0)
	n, err := large(c.Store).CountMutual(c.t.Context(), c.a, []id.Member{c.b})
	if kept, _ := store.PeerSets(c.Store); err != nil || n[c.b] != want || c.seen.Load() != statements || kept != sets {
		c.t.Fatalf("%s: %v (%v) with %d statements, and %d sets; want %d with %d, and %d", what, n, err, c.seen.Load(), kept, want, statements, sets)
	}
}

// How many statements a count takes: to count in the tables; and to ask how many they have, read both sets, and what has
// happened since.
const inTables, andInMemory = 1, 4

// Of members with too many connections there is no set, and that is known after the first time.
func TestSetsThatWouldBeTooLarge(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		c := newCounting(t, address, 4)
		store.BoundPeers(c.Store, 3, 1000, time.Now)
		c.wants("too many", 4, 3, 1) // how many they have, the viewer's set, and in the tables
		c.wants("known to be too many", 4, inTables, 1)
		connectAll(t, c.Store, false, []id.Member{c.a, c.b}, c.all[:1])
		store.BoundPeers(c.Store, 3, 1000, func() time.Time { return time.Now().Add(store.SetAgeMost) })
		c.wants("no longer too many", 3, andInMemory, 2)
		connectAll(t, c.Store, true, []id.Member{c.a}, c.all[:1])
		c.wants("too many once more", 3, inTables+1, 1)
	})
}

// The sets have so much room, and those that were asked for last have it.
func TestSetsHaveSoMuchRoom(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		c := newCounting(t, address, 40)
		store.BoundPeers(c.Store, 1000, 60, time.Now)
		c.wants("no room for both", 40, andInMemory, 1)
		store.BoundPeers(c.Store, 1000, 80, time.Now)
		c.wants("room for both", 40, andInMemory-1, 2)
		if _, size := store.PeerSets(c.Store); size != 80 {
			t.Errorf("40 and 40 take the room of %d", size)
		}
		for i := range 10 { // each brings both up to date, which must not take more room
			connectAll(t, c.Store, i%2 == 1, []id.Member{c.a, c.b}, c.all[:1])
			c.wants("up to date", 39+i%2, 1, 2)
		}
		if _, size := store.PeerSets(c.Store); size > 80 {
			t.Errorf("40 and 40 take the room of %d", size)
		}
	})
}

// Who comes while as many sets are read as may be does not wait, but counts in the tables. For one count no more are read
// than four.
func TestSetsAreReadByFew(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		c := newCounting(t, address, 2)
		end := store.ReadPeers(c.Store)
		c.wants("while others read", 2, inTables+1, 0)
		end()
		c.wants("afterwards", 2, andInMemory, 2)
	})
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		c := newCounting(t, address, 9)
		c.seen.Store(0)
		counts, err := large(c.Store).CountMutual(t.Context(), c.a, append([]id.Member{c.b}, c.all...))
		// How many they have, four sets, what has happened since, and the others in the tables.
		if n := c.seen.Load(); n != 1+store.SetReadsEach+1+1 {
			t.Errorf("%d statements", n)
		}
		if err != nil || counts[c.b] != 9 || counts[c.all[8]] != 0 || len(counts) != 10 {
			t.Errorf("%v (%v)", counts, err)
		}
		if sets, _ := store.PeerSets(c.Store); sets != store.SetReadsEach {
			t.Errorf("%d sets were read", sets)
		}
	})
}

// What a failover lost is not counted, whatever was written since; nor what entries told that are pruned already.
func TestSetsOfLostHistory(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		c := newCounting(t, address, 4)
		lose := func() { // the last connection of each, and the entry about it
			c.exec("DELETE FROM connections WHERE owner_id IN ($1, $2) AND peer_id IN ($1, $2)", uuid.UUID(c.a), uuid.UUID(c.all[3]))
			c.exec("DELETE FROM feed_entries WHERE member_id = $1 AND number = (SELECT last_change FROM inboxes WHERE member_id = $1)", uuid.UUID(c.a))
			c.exec("UPDATE inboxes SET last_change = last_change - 1 WHERE member_id = $1", uuid.UUID(c.a))
		}
		c.wants("at first", 4, andInMemory, 2)
		lose()
		c.wants("less is there", 3, 2, 1)
		c.wants("after it", 3, andInMemory-1, 2)

		connectAll(t, c.Store, true, []id.Member{c.a}, c.all[3:])
		c.wants("again", 4, 1, 2)
		lose()
		connectAll(t, c.Store, false, []id.Member{c.a}, c.all[:1]) // with the number of what was lost
		c.wants("as much is there, of something else", 2, 2, 1)

		c.wants("after that", 2, andInMemory-1, 2)
		connectAll(t, c.Store, false, []id.Member{c.a}, c.all[1:2])
		connectAll(t, c.Store, true, []id.Member{c.a}, c.all[:1])
		c.exec("DELETE FROM feed_entries")
		c.wants("entries are pruned", 2, 2, 0)
	})
}

// A set that is behind by very many entries is forgotten; bringing it up to date would take longer than reading it.
func TestSetsFarBehind(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		c := newCounting(t, address, 2)
		c.wants("at first", 2, andInMemory, 2)
		fill := func(entries int) {
			for from := range entries {
				c.exec("UPDATE inboxes SET last_change = last_change + 1 WHERE member_id = $1", uuid.UUID(c.a))
				c.exec(`INSERT INTO feed_entries (id, member_id, number, kind, other_id)
					SELECT $1, member_id, last_change, 'connection_added', $2 FROM inboxes WHERE member_id = $3`,
					uuid.UUID(app.NewID()), uuid.UUID(c.all[from%2]), uuid.UUID(c.a))
			}
		}
		fill(store.EntriesMost - 1)
		c.wants("just not too many", 2, 1, 2)
		fill(store.EntriesMost)
		c.wants("too many", 2, 2, 1)
		c.wants("read anew", 2, andInMemory-1, 2)
	})
}

// Of a member without an inbox, as who is being erased, there is no set.
func TestSetsOfErasedMembers(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		c := newCounting(t, address, 3)
		c.wants("at first", 3, andInMemory, 2)
		c.exec("DELETE FROM inboxes WHERE member_id = $1", uuid.UUID(c.b))
		c.exec("DELETE FROM connections WHERE owner_id = $1 AND peer_id = $2", uuid.UUID(c.b), uuid.UUID(c.all[2]))
		c.wants("being erased", 2, 2, 1)
		c.wants("and again", 2, 3, 1) // how many they have, no inbox, and in the tables
	})
}
