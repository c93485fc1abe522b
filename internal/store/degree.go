package store

import (
	"context"
	"strconv"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/id"
)

// isVisible is the condition that no block hides a peer of some range from the viewer.
func isVisible(peer string) string { return peer + ".peer_id NOT IN (SELECT id FROM hidden)" }

// isOfMore is the condition that a peer of some range is one of the member's with more, too.
func isOfMore(peer string) string {
	return "(SELECT TRUE FROM connections own WHERE own.owner_id = o.more AND own.peer_id = " + peer + ".peer_id)"
}

// Degrees implements network.Store. Each further degree is looked for only where the nearer was not found, and every
// look is by the connections' key and ends with the first that is found (see nearness.go for the form of the statement).
//
// Degree 2 looks up the connections of the member with fewer. Degree 3 is a connection between one of the viewer's and one
// of the other's: of each connection of the member with fewer, a step, the connections are gone along beside those of the
// other. In a step that has very many, many times what the other has, each of the other's is looked up instead. So the
// cost is bounded by what the two have, however many those between have.
//
// Where the other has so many that going along them for each step is dear, the steps' connections are looked up there one
// by one: the first hit comes soon, if there is one. It is in full only for members in parts of the network that do not
// touch.
//
// A member whom a block hides from the viewer is no step on the way.
func (s *Store) Degrees(ctx context.Context, member id.Member, others []id.Member) (map[id.Member]int, error) {
	return s.degrees(ctx, usualNearness, member, others)
}

func (s *Store) degrees(ctx context.Context, n nearness, member id.Member, others []id.Member) (map[id.Member]int, error) {
	if len(others) == 0 {
		return map[id.Member]int{}, nil
	}
	steps := rangeOf("o.fewer", s.dialect) + " step"
	meet, few := "o.many < "+strconv.Itoa(n.counted), n.meets()
	if s.dialect != dialect.Postgres { // it joins by look-ups only
		meet, few = "o.few * o.many <= "+strconv.Itoa(n.pairs), linked(s.dialect)
	}
	b := statement(s.dialect)
	hiddenFrom(b, member)
	b.WriteString("SELECT o.id, COALESCE((SELECT 1 FROM connections mine WHERE mine.owner_id = ").Arg(uuid.UUID(member)).
		WriteString(" AND mine.peer_id = o.id), (SELECT 2 FROM " + steps + " WHERE " + isOfMore("step") + " LIMIT 1)," +
			" CASE WHEN " + meet + " THEN (SELECT 3 FROM " + steps + " WHERE " + isVisible("step") + " AND " + few + " LIMIT 1)" +
			" ELSE (SELECT 3 FROM " + steps + " JOIN connections link ON link.owner_id = step.peer_id WHERE " + isVisible("step") +
			" AND " + isVisible("link") + " AND " + isOfMore("link") + " LIMIT 1) END, 0) FROM ")
	n.writeCounted(b, member, others)
	b.WriteString(" WHERE o.id <> ").Arg(uuid.UUID(member))
	query, args := b.Query()
	degrees, err := s.numbers(ctx, query, args, len(others))
	for other, degree := range degrees {
		if degree == 0 {
			delete(degrees, other)
		}
	}
	return degrees, err
}

// meets is the condition that a step is connected to one of the member's with more. Whether they may be known of is asked
// only about those who are met.
func (n nearness) meets() string {
	return "CASE WHEN (SELECT TRUE FROM connections WHERE owner_id = step.peer_id OFFSET " + strconv.Itoa(n.further) + " * o.many LIMIT 1) THEN " +
		linked(dialect.Postgres) + " ELSE (SELECT TRUE FROM (SELECT link.peer_id FROM " + rangeOf("step.peer_id", dialect.Postgres) +
		" link JOIN connections beside ON beside.peer_id = link.peer_id AND beside.owner_id = o.more" + whole(dialect.Postgres) +
		") met WHERE " + isVisible("met") + " LIMIT 1) END"
}

// linked is the same condition by looking up each of those.
func linked(kind string) string {
	return "(SELECT TRUE FROM " + rangeOf("o.more", kind) + " own WHERE " + isVisible("own") +
		" AND (SELECT TRUE FROM connections link WHERE link.owner_id = step.peer_id AND link.peer_id = own.peer_id) LIMIT 1)"
}
