package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// What there is between a member and others, on both databases: connections, blocks of the member's own and not of
// the others', and what is open, whichever of the two sent it; asked about one and about all of them.
func TestBetween(t *testing.T) {
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		s := storetest.Open(t, address, store.Options{})
		db, _, _ := rawDB(t, address)
		exec := func(query string, args ...any) {
			t.Helper()
			if _, err := db.Exec(fmt.Sprintf(query, args...)); err != nil {
				t.Fatal(err)
			}
		}
		const at = "2026-01-02 03:04:05.006+00:00"
		members := make([]id.Member, 9)
		for i := range members {
			members[i] = id.Member(uuid.NewSHA1(uuid.Nil, []byte(fmt.Sprint(i))))
			exec("INSERT INTO members (id, subject, handle, name, created_at) VALUES ('%s', 's%d', 'h%d', 'N', '%s')", uuid.UUID(members[i]), i, i, at)
		}
		connect := func(a, b id.Member) {
			exec("INSERT INTO connections (owner_id, peer_id, connected_at) VALUES ('%s', '%s', '%s'), ('%s', '%s', '%s')",
				uuid.UUID(a), uuid.UUID(b), at, uuid.UUID(b), uuid.UUID(a), at)
		}
		block := func(a, b id.Member) {
			exec("INSERT INTO blocks (blocker_id, blocked_id, blocked_at) VALUES ('%s', '%s', '%s')", uuid.UUID(a), uuid.UUID(b), at)
		}
		sentAt := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
		invite := func(a, b id.Member, state network.State) *network.Invitation {
			lo, hi := a, b
			if hi.Less(lo) {
				lo, hi = hi, lo
			}
			inv := network.Invitation{
				ID: id.Invitation(uuid.New()), Sender: a, Recipient: b, State: state, Acquaintance: network.Other,
				Note: "hello", SentAt: sentAt, ListedAt: sentAt, Reminders: 1, RemindedAt: sentAt,
			}
			exec("INSERT INTO invitations (id, sender_id, recipient_id, pair_lo, pair_hi, state, acquaintance, note, sent_at, listed_at, reminders, reminded_at)"+
				" VALUES ('%s', '%s', '%s', '%s', '%s', '%s', '%s', 'hello', '%s', '%s', 1, '%s')",
				uuid.UUID(inv.ID), uuid.UUID(a), uuid.UUID(b), uuid.UUID(lo), uuid.UUID(hi), state, network.Other, at, at, at)
			return &inv
		}
		ada, others := members[0], members[1:]
		want := map[id.Member]network.Between{}
		connect(ada, others[0])
		want[others[0]] = network.Between{ConnectedAt: sentAt}
		block(ada, others[1])
		want[others[1]] = network.Between{Blocked: true}
		block(others[2], ada)
		want[others[2]] = network.Between{}
		want[others[3]] = network.Between{Open: invite(ada, others[3], network.Declined)}
		want[others[4]] = network.Between{Open: invite(others[4], ada, network.Pending)}
		invite(ada, others[5], network.Withdrawn)
		invite(others[5], ada, network.Accepted)
		want[others[5]] = network.Between{}
		want[others[6]] = network.Between{Open: invite(ada, others[6], network.Ignored)}
		want[others[7]] = network.Between{}
		connect(others[7], others[0]) // of others, not of hers
		invite(others[7], others[4], network.Pending)

		check := func(got map[id.Member]network.Between, asked ...id.Member) {
			t.Helper()
			if len(got) != len(asked) {
				t.Errorf("%d of %d", len(got), len(asked))
			}
			for _, other := range asked {
				g, w := got[other], want[other]
				if g.Blocked != w.Blocked || !g.ConnectedAt.Equal(w.ConnectedAt) || (g.Open == nil) != (w.Open == nil) || g.Open != nil && *g.Open != *w.Open {
					t.Errorf("%+v %+v, want %+v %+v", g, g.Open, w, w.Open)
				}
			}
		}
		all, err := s.Between(t.Context(), ada, others)
		if err != nil {
			t.Fatal(err)
		}
		check(all, others...)
		for _, other := range others {
			one, err := s.Between(t.Context(), ada, []id.Member{other})
			if err != nil {
				t.Fatal(err)
			}
			check(one, other)
		}
	})
}
