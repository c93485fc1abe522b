package store

import (
	"context"
	"database/sql"
	"strconv"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/id"
)

// The connections of two members are two ranges of one key, each in the order of the peers' ids. What the two share is
// found in one of two ways: one looks up each peer of the member with fewer in the range of the other; or it goes along
// both ranges at once. The first costs some µs for each of the fewer, the second a tenth of that for each of both.
//
// Which is better depends on the two members. The planner cannot know: of a statement that is prepared it makes one plan
// for an average member, and half of what there is in a network is about members who are not. So the statements count
// first, up to a bound, and hold both ways, each in a form that can be run in that way only:
//   - a look-up is a subquery that gives a yes or no, which the planner neither turns round nor hashes;
//   - a range to go along is a subquery in the order of the key that is not taken apart, joined to the key itself, which
//     has each peer once: so neither is sorted, hashed, or kept.
//
// nearness is where one way becomes better than the other.
type nearness struct {
	counted int // up to how many connections are counted
	times   int // how many times as many connections the one may have for going along both to be better
	further int // how many times as many one between them may have for that for degree 3
	pairs   int // up to how many pairs of a connection of each are looked up for it where it cannot go along: on SQLite
	large   int // two who both have so many, up to counted, are counted in memory (peers.go); 0 for nobody
}

var usualNearness = nearness{counted: 1000, times: 6, further: 8, pairs: 10_000, large: 1000}

// whole ends a subquery that must not be taken apart.
func whole(kind string) string {
	if kind == dialect.Postgres {
		return " OFFSET 0"
	}
	return " LIMIT -1 OFFSET 0"
}

// writeOthers writes a table named other of the members with their ids. It is no array on PostgreSQL: of an array that comes
// as a parameter the planner expects ten members, and for fewer it would rather plan the statement anew each time.
func writeOthers(b *entsql.Builder, others []id.Member) {
	postgres := b.Dialect() == dialect.Postgres
	if !postgres {
		b.WriteString("(SELECT column1 AS id FROM ")
	}
	b.WriteString("(VALUES ")
	for i, other := range others {
		if i > 0 {
			b.Comma()
		}
		b.WriteString("(").Arg(uuid.UUID(other))
		if postgres {
			b.WriteString("::uuid")
		}
		b.WriteString(")")
	}
	if postgres {
		b.WriteString(") other(id)")
	} else {
		b.WriteString(")) other")
	}
}

// rangeOf is all peers of a member in the order of the key.
func rangeOf(owner, kind string) string {
	return "(SELECT peer_id FROM connections WHERE owner_id = " + owner + " ORDER BY peer_id" + whole(kind) + ")"
}

// writeCounted writes a table named o of the others: id, and which of it and the viewer has fewer and which more
// connections, and how many those have, up to the bound: few and many.
func (n nearness) writeCounted(b *entsql.Builder, viewer id.Member, others []id.Member) {
	most := strconv.Itoa(n.counted)
	b.WriteString("(SELECT c.id, CASE WHEN c.theirs <= c.mine THEN c.id ELSE c.viewer END AS fewer," +
		" CASE WHEN c.theirs <= c.mine THEN c.viewer ELSE c.id END AS more, CASE WHEN c.theirs <= c.mine THEN c.theirs ELSE c.mine END AS few," +
		" CASE WHEN c.theirs <= c.mine THEN c.mine ELSE c.theirs END AS many FROM (SELECT other.id, ").Arg(uuid.UUID(viewer))
	if b.Dialect() == dialect.Postgres {
		b.WriteString("::uuid")
	}
	b.WriteString(" AS viewer, (SELECT COUNT(*) FROM (SELECT 1 FROM connections WHERE owner_id = other.id LIMIT " + most +
		") c) AS theirs, (SELECT COUNT(*) FROM (SELECT 1 FROM connections WHERE owner_id = ").Arg(uuid.UUID(viewer)).
		WriteString(" LIMIT " + most + ") c) AS mine FROM ")
	writeOthers(b, others)
	b.WriteString(whole(b.Dialect()) + ") c" + whole(b.Dialect()) + ") o")
}

// along is the condition on o for going along both ranges. Of a member who has more than are counted it is not known how
// many more, and so that is done beside another such only.
func (n nearness) along() string {
	most := strconv.Itoa(n.counted)
	return "o.many <= " + strconv.Itoa(n.times) + " * o.few AND (o.many < " + most + " OR o.few >= " + most + ")"
}

// Mutual implements network.Store.
func (s *Store) Mutual(ctx context.Context, member id.Member, others []id.Member, after id.Member, limit int,
) (map[id.Member][]id.Member, error) {
	return s.mutual(ctx, usualNearness, member, others, after, limit)
}

func (s *Store) mutual(ctx context.Context, n nearness, member id.Member, others []id.Member, after id.Member, limit int,
) (map[id.Member][]id.Member, error) {
	out := make(map[id.Member][]id.Member, len(others))
	if len(others) == 0 || limit == 0 {
		return out, nil
	}
	b := statement(s.dialect)
	if s.dialect == dialect.Postgres {
		n.writeMutual(b, member, others, after, limit)
	} else {
		writeMutualOneByOne(b, member, others, after, limit)
	}
	query, args := b.Query()
	err := scanAll(ctx, s.client, query, args, func(rows *sql.Rows) error {
		var other, peer uuid.UUID
		if err := rows.Scan(&other, &peer); err != nil {
			return err
		}
		out[id.Member(other)] = append(out[id.Member(other)], id.Member(peer))
		return nil
	})
	return out, err
}

// writeMutual writes a statement with a limited part for each of others, so that each stops at its limit; a window over
// all would read every intersection to its end. Of its two ways one is gone.
func (n nearness) writeMutual(b *entsql.Builder, member id.Member, others []id.Member, after id.Member, limit int) {
	from := uuid.UUID(after)
	b.WriteString("SELECT o.id, part.peer_id FROM ")
	n.writeCounted(b, member, others)
	b.WriteString(" CROSS JOIN LATERAL (SELECT way.peer_id FROM (" +
		"(SELECT each.peer_id FROM connections each WHERE NOT (" + n.along() + ") AND each.owner_id = o.fewer AND each.peer_id > ").Arg(from).
		WriteString(" AND " + isOfMore("each") + " ORDER BY each.peer_id LIMIT ").Arg(limit).WriteString(") UNION ALL " +
		"(SELECT along.peer_id FROM (SELECT peer_id FROM connections WHERE owner_id = o.fewer AND peer_id > ").Arg(from).
		WriteString(" ORDER BY peer_id OFFSET 0) along JOIN connections beside ON beside.peer_id = along.peer_id AND beside.owner_id = o.more" +
			" AND beside.peer_id > ").Arg(from).
		WriteString(" WHERE " + n.along() + " ORDER BY along.peer_id LIMIT ").Arg(limit).WriteString(")) way ORDER BY way.peer_id) part")
}

// writeMutualOneByOne is for SQLite, which has no LATERAL and joins by look-ups only.
func writeMutualOneByOne(b *entsql.Builder, member id.Member, others []id.Member, after id.Member, limit int) {
	for i, other := range others {
		if i > 0 {
			b.WriteString(" UNION ALL ")
		}
		b.WriteString("SELECT * FROM (SELECT theirs.owner_id, theirs.peer_id").WriteString(mutualOf).Arg(uuid.UUID(other)).
			WriteString(" AND mine.owner_id = ").Arg(uuid.UUID(member))
		if !after.IsZero() {
			b.WriteString(" AND theirs.peer_id > ").Arg(uuid.UUID(after)).
				WriteString(" AND mine.peer_id > ").Arg(uuid.UUID(after))
		}
		b.WriteString(" ORDER BY theirs.peer_id LIMIT ").Arg(limit).WriteString(") part")
	}
}

// mutualOf is the part of a statement after SELECT that gives the members connected to both, as theirs.peer_id.
const mutualOf = ` FROM connections theirs JOIN connections mine ON mine.peer_id = theirs.peer_id WHERE theirs.owner_id = `

// numbers runs a query that gives a number for each of some members.
func (s *Store) numbers(ctx context.Context, query string, args []any, members int) (map[id.Member]int, error) {
	out := make(map[id.Member]int, members)
	err := scanAll(ctx, s.client, query, args, func(rows *sql.Rows) error {
		var (
			member uuid.UUID
			n      int
		)
		if err := rows.Scan(&member, &n); err != nil {
			return err
		}
		out[id.Member(member)] = n
		return nil
	})
	return out, err
}
