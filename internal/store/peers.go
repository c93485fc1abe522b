package store

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"strconv"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
)

// How many connections two members share, the database can only tell by going along all of both, and that takes some
// 80 ns for each. So the connections of members with many are kept in memory, in the order of their ids: to go along two
// such sets at once takes a few ns for each.
//
// Nothing out of date is counted. A connection is made and ended in one transaction with an entry in the feeds of both
// members, numbered one after the other: so a set that was read together with the number of its member's last entry is
// brought to any later number by the entries after it. Each count first does that to both sets, in one statement, and is
// what the tables hold as that statement sees them. A set of which the tables do not have that last entry any more, as
// after a failover that lost what was committed, is forgotten.

const (
	// setsMost is how many connections all sets have together at most; 16 bytes each.
	setsMost = 2 << 20
	// setMost is how many connections a set has at most.
	setMost = 1 << 16
	// setAgeMost is for how long a set is brought up to date before it is read anew, for the case that somebody changed
	// the tables past this program. It is far less than feed.Kept, for which entries are there.
	setAgeMost = 10 * time.Minute
	// setReads is how many sets are read at once, and setReadsEach how many for one count, so that nobody waits for long
	// and memory stays within its bounds. Without a set, it is counted in the tables.
	setReads, setReadsEach = 2, 4
	// renewedTogether is how many sets one statement brings up to date besides the viewer's.
	renewedTogether = 8
	// entriesMost is by how many entries of its feed a set is brought up to date; behind by more, it is forgotten.
	entriesMost = 1000
)

// countInMemory counts what a member shares with those of others of whom there are sets, or who may be read now. It gives
// the rest, too.
func (s *Store) countInMemory(ctx context.Context, member id.Member, others []id.Member) (counts map[id.Member]int, rest []id.Member, err error) {
	reads := setReadsEach
	mine, err := s.peersOf(ctx, member, &reads)
	if err != nil || mine == nil {
		return nil, others, err
	}
	sets, had := make(map[id.Member]*peerSet, len(others)), make([]id.Member, 0, len(others))
	for _, other := range others {
		switch theirs, err := s.peersOf(ctx, other, &reads); {
		case err != nil:
			return nil, nil, err
		case theirs != nil:
			sets[other], had = theirs, append(had, other)
		default:
			rest = append(rest, other)
		}
	}
	counts = make(map[id.Member]int, len(had))
	for len(had) > 0 {
		some := had[:min(renewedTogether, len(had))]
		together := map[id.Member]*peerSet{member: mine}
		for _, other := range some {
			together[other] = sets[other]
		}
		if together, err = s.renewPeers(ctx, together); err != nil {
			return nil, nil, err
		}
		if mine = together[member]; mine == nil {
			return counts, append(rest, had...), nil
		}
		had = had[len(some):]
		for _, other := range some {
			if theirs := together[other]; theirs != nil {
				counts[other] = mine.shared(theirs)
			} else {
				rest = append(rest, other)
			}
		}
	}
	return counts, rest, nil
}

// peersOf gives a member's set. It is nil where there can be none, and where it would have to be read and that may not be
// done now.
func (s *Store) peersOf(ctx context.Context, member id.Member, reads *int) (*peerSet, error) {
	set := s.peers.get(member)
	if set == nil && *reads > 0 && s.peers.begin() {
		defer s.peers.end()
		*reads--
		var err error
		if set, err = s.readPeers(ctx, member); err != nil {
			return nil, err
		}
	}
	if set == nil || set.tooMany {
		return nil, nil
	}
	return set, nil
}

// readPeers reads a set and keeps it. Without an inbox, as of who is erased, there is none. It is one statement, so that
// the number is that of the connections; and they come as one value, as rows take forty times as long.
func (s *Store) readPeers(ctx context.Context, member id.Member) (*peerSet, error) {
	all := "string_agg(uuid_send(peer_id), ''::bytea)"
	if s.dialect != dialect.Postgres {
		all = "group_concat(peer_id, '')"
	}
	b := statement(s.dialect)
	b.WriteString("SELECT i.last_change, " + entryOf("i.member_id", "i.last_change") + ", (SELECT " + all +
		" FROM (SELECT peer_id FROM connections WHERE owner_id = ").Arg(uuid.UUID(member)).
		WriteString(" ORDER BY peer_id LIMIT " + strconv.Itoa(s.peers.most+1) + ") c) FROM inboxes i WHERE i.member_id = ").Arg(uuid.UUID(member))
	query, args := b.Query()
	var (
		set    = &peerSet{read: s.peers.now()}
		entry  *uuid.UUID
		joined []byte
	)
	if found, err := scanOne(ctx, s.client, query, args, &set.number, &entry, &joined); err != nil || !found {
		return nil, err
	}
	if entry != nil {
		set.entry = *entry
	}
	var err error
	if set.peers, err = splitPeers(joined, s.dialect); err != nil {
		return nil, err
	}
	if len(set.peers) > s.peers.most {
		set.peers, set.tooMany = nil, true
	}
	s.peers.keep(member, set)
	return set, nil
}

// entryOf is the id of an entry of a feed, or NULL.
func entryOf(member, number string) string {
	return "(SELECT e.id FROM feed_entries e WHERE e.member_id = " + member + " AND e.number = " + number + ")"
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

// feedSince is what a member's feed has come to since a set.
type feedSince struct {
	number        int64
	before, entry uuid.UUID // the entries of the set's number, and of this; zero where there is none
	entries       []feed.Draft
}

// renewPeers brings sets to what their members' feeds have come to, in one statement, and keeps them. What cannot be
// brought there is forgotten, and left out.
func (s *Store) renewPeers(ctx context.Context, sets map[id.Member]*peerSet) (map[id.Member]*peerSet, error) {
	since, err := s.feedsSince(ctx, sets)
	if err != nil {
		return nil, err
	}
	renewed := make(map[id.Member]*peerSet, len(sets))
	for m, set := range sets {
		now, there := since[m]
		if !there || now.number < set.number || now.before != set.entry || len(now.entries) >= entriesMost {
			s.peers.forget(m)
			continue
		}
		if now.number == set.number {
			renewed[m] = set
			continue
		}
		next := &peerSet{peers: set.after(now.entries), number: now.number, entry: now.entry, read: set.read}
		if len(next.peers) > s.peers.most {
			s.peers.forget(m)
			continue
		}
		renewed[m] = next
		s.peers.keep(m, next)
	}
	return renewed, nil
}

func (s *Store) feedsSince(ctx context.Context, sets map[id.Member]*peerSet) (map[id.Member]*feedSince, error) {
	b := statement(s.dialect)
	s.writeFeedsSince(b, sets)
	query, args := b.Query()
	since := make(map[id.Member]*feedSince, len(sets))
	return since, scanAll(ctx, s.client, query, args, func(rows *sql.Rows) error {
		var (
			member               uuid.UUID
			number               int64
			before, entry, other *uuid.UUID
			kind                 *string
		)
		if err := rows.Scan(&member, &number, &before, &entry, &kind, &other); err != nil {
			return err
		}
		one := since[id.Member(member)]
		if one == nil {
			one = &feedSince{number: number, before: *cmp.Or(before, &uuid.Nil), entry: *cmp.Or(entry, &uuid.Nil)}
			since[id.Member(member)] = one
		}
		if kind != nil && other != nil {
			one.entries = append(one.entries, feed.Draft{Kind: feed.Kind(*kind), Other: id.Member(*other)})
		}
		return nil
	})
}

// writeFeedsSince writes a statement about the entries after those of sets, in their order. Of a range without an end the
// planner takes a third of the feed to be in it: it would rather read the whole table, which LATERAL forbids it, or compile
// the statement.
func (s *Store) writeFeedsSince(b *entsql.Builder, sets map[id.Member]*peerSet) {
	postgres := s.dialect == dialect.Postgres
	cast := func(kind string) string {
		if postgres {
			return "::" + kind
		}
		return ""
	}
	b.WriteString("WITH had(member, number) AS (VALUES ")
	for n, m := range slices.SortedFunc(maps.Keys(sets), compareMembers) {
		if n > 0 {
			b.Comma()
		}
		b.WriteString("(").Arg(uuid.UUID(m)).WriteString(cast("uuid")).Comma().Arg(sets[m].number).WriteString(cast("bigint") + ")")
	}
	b.WriteString(") SELECT had.member, i.last_change, " + entryOf("had.member", "had.number") + ", " + entryOf("had.member", "i.last_change") +
		", f.kind, f.other_id FROM had JOIN inboxes i ON i.member_id = had.member LEFT JOIN ")
	const which = ".number > had.number AND f.number <= i.last_change AND f.kind IN ('" +
		string(feed.ConnectionAdded) + "', '" + string(feed.ConnectionRemoved) + "')"
	if postgres {
		b.WriteString("LATERAL (SELECT f.number, f.kind, f.other_id FROM feed_entries f WHERE f.member_id = had.member AND f" + which +
			" ORDER BY f.number LIMIT " + strconv.Itoa(entriesMost) + ") f ON TRUE")
	} else {
		b.WriteString("feed_entries f ON f.member_id = had.member AND f" + which)
	}
	b.WriteString(" ORDER BY had.member, f.number")
}
