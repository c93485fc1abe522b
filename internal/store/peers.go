package store

import (
	"bytes"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
)

// How many connections two members share, the database can only tell by going along all of both, and that takes some
// 80 ns for each. So the connections of the members with the most are kept in memory, in the order of their ids, where
// going along them takes a tenth of that.
//
// Nothing out of date is ever counted. A connection is made and ended in one transaction with an entry in the feeds of
// both members, numbered one after the other: so a set that was read together with the number of its member's last entry
// is brought to any later number by the entries after it. Each count first does that to both sets, in one statement, and
// is what the tables hold as that statement sees them.

const (
	// peerSetsMost is how many sets are kept; of members with 30,000 connections, about 30 MB.
	peerSetsMost = 64
	// peersMost is how many connections a set has at most.
	peersMost = 1 << 16
	// peersKept is for how long a set is brought up to date before it is read anew. It is far less than feed.Kept, for
	// which entries are there; and not long, for the case that tables were changed past this program, or lost in a
	// failover what had been committed.
	peersKept = 10 * time.Minute
)

// peerSet is all connections of a member as they were when its feed had come to a number. It does not change.
type peerSet struct {
	peers  []id.Member // in the order of the ids
	number int64
	read   time.Time
}

func compareMembers(a, b id.Member) int { return bytes.Compare(a[:], b[:]) }

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

// after gives the set as it is after entries of the feed, up to a number.
func (s *peerSet) after(entries []feed.Draft, number int64) *peerSet {
	if number == s.number {
		return s
	}
	next := &peerSet{s.peers, number, s.read}
	if len(entries) > 0 {
		next.peers = slices.Clone(s.peers)
	}
	for _, e := range entries {
		at, there := slices.BinarySearchFunc(next.peers, e.Other, compareMembers)
		switch {
		case e.Kind == feed.ConnectionAdded && !there:
			next.peers = slices.Insert(next.peers, at, e.Other)
		case e.Kind == feed.ConnectionRemoved && there:
			next.peers = slices.Delete(next.peers, at, at+1)
		}
	}
	return next
}

// peerSets are the sets that are kept: those that were asked for last.
type peerSets struct {
	kept *lru.Cache[id.Member, *peerSet]
	most int // peersMost
	now  func() time.Time
}

func newPeerSets() *peerSets {
	kept, err := lru.New[id.Member, *peerSet](peerSetsMost)
	if err != nil {
		panic(err) // the size is positive
	}
	return &peerSets{kept, peersMost, time.Now}
}

// get gives a member's set, or nil.
func (p *peerSets) get(member id.Member) *peerSet {
	set, ok := p.kept.Get(member)
	if !ok || p.now().Sub(set.read) >= peersKept {
		return nil
	}
	return set
}

// peersOf gives the sets of members as one statement sees them all. There is none of who has too many connections, or no
// feed any more.
func (s *Store) peersOf(ctx context.Context, members []id.Member) (map[id.Member]*peerSet, error) {
	sets := make(map[id.Member]*peerSet, len(members))
	for _, m := range members {
		set := s.peers.get(m)
		if set == nil {
			var err error
			if set, err = s.readPeers(ctx, m); err != nil {
				return nil, err
			}
		}
		if set != nil {
			sets[m] = set
		}
	}
	return s.renewPeers(ctx, sets)
}

// readPeers reads a set, or gives nil. It is one statement, so that the number is that of the connections; and they come
// as one value, as rows take forty times as long.
func (s *Store) readPeers(ctx context.Context, member id.Member) (*peerSet, error) {
	all := "string_agg(uuid_send(peer_id), ''::bytea)"
	if s.dialect != dialect.Postgres {
		all = "group_concat(peer_id, '')"
	}
	b := statement(s.dialect)
	b.WriteString("SELECT i.last_change, (SELECT " + all + " FROM (SELECT peer_id FROM connections WHERE owner_id = ").
		Arg(uuid.UUID(member)).WriteString(" ORDER BY peer_id LIMIT " + strconv.Itoa(s.peers.most+1) + ") c) FROM inboxes i WHERE i.member_id = ").
		Arg(uuid.UUID(member))
	query, args := b.Query()
	set, joined := &peerSet{read: s.peers.now()}, []byte(nil)
	if found, err := scanOne(ctx, s.client, query, args, &set.number, &joined); err != nil || !found {
		return nil, err
	}
	var err error
	if set.peers, err = splitPeers(joined, s.dialect); err != nil || len(set.peers) > s.peers.most {
		return nil, err
	}
	return set, nil
}

// splitPeers takes apart what readPeers reads, and puts it in order: that a sum of rows keeps theirs is nowhere promised.
func splitPeers(joined []byte, kind string) ([]id.Member, error) {
	size := len(id.Member{})
	if kind != dialect.Postgres {
		size = len(uuid.UUID{}.String())
	}
	peers := make([]id.Member, 0, len(joined)/size)
	for one := range slices.Chunk(joined, size) {
		var (
			peer uuid.UUID
			err  error
		)
		if kind == dialect.Postgres {
			peer, err = uuid.FromBytes(one)
		} else {
			peer, err = uuid.ParseBytes(one)
		}
		if err != nil {
			return nil, err
		}
		peers = append(peers, id.Member(peer))
	}
	slices.SortFunc(peers, compareMembers)
	return peers, nil
}

// renewPeers brings sets to what their members' feeds have come to, in one statement, and keeps them. What cannot be
// brought there is forgotten, and left out.
func (s *Store) renewPeers(ctx context.Context, sets map[id.Member]*peerSet) (map[id.Member]*peerSet, error) {
	if len(sets) == 0 {
		return sets, nil
	}
	b := statement(s.dialect)
	b.WriteString("WITH had(id, number) AS (VALUES ")
	first := true
	for m, set := range sets {
		if !first {
			b.Comma()
		}
		first = false
		b.WriteString("(").Arg(uuid.UUID(m))
		if s.dialect == dialect.Postgres {
			b.WriteString("::uuid")
		}
		b.Comma().Arg(set.number)
		if s.dialect == dialect.Postgres {
			b.WriteString("::bigint")
		}
		b.WriteString(")")
	}
	b.WriteString(") SELECT had.id, i.last_change, f.kind, f.other_id FROM had JOIN inboxes i ON i.member_id = had.id" +
		" LEFT JOIN feed_entries f ON f.member_id = had.id AND f.number > had.number AND f.kind IN ('" +
		string(feed.ConnectionAdded) + "', '" + string(feed.ConnectionRemoved) + "') ORDER BY had.id, f.number")
	query, args := b.Query()
	numbers, entries := make(map[id.Member]int64, len(sets)), make(map[id.Member][]feed.Draft)
	err := scanAll(ctx, s.client, query, args, func(rows *sql.Rows) error {
		var (
			member uuid.UUID
			number int64
			kind   *string
			other  *uuid.UUID
		)
		err := rows.Scan(&member, &number, &kind, &other)
		m := id.Member(member)
		numbers[m] = number
		if kind != nil && other != nil {
			entries[m] = append(entries[m], feed.Draft{Kind: feed.Kind(*kind), Other: id.Member(*other)})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	renewed := make(map[id.Member]*peerSet, len(sets))
	for m, set := range sets {
		number, there := numbers[m]
		if !there || number < set.number { // erased; or a database that lost what it had
			s.peers.kept.Remove(m)
			continue
		}
		renewed[m] = set.after(entries[m], number)
		s.peers.kept.Add(m, renewed[m])
	}
	return renewed, nil
}
