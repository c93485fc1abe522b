package store

import (
	"context"
	"strconv"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/id"
)

// rangeOf begins a member's range of the key in that statement. The functions are the conditions on a peer of some range.
const rangeOf = "(SELECT peer_id FROM connections WHERE owner_id = "

// isMine wants the viewer, and the bracket closed, after it.
func isMine(peer string) string {
	return "(SELECT TRUE FROM connections own WHERE own.peer_id = " + peer + ".peer_id AND own.owner_id = "
}

func isTheirs(peer string) string {
	return "(SELECT TRUE FROM connections own WHERE own.peer_id = " + peer + ".peer_id AND own.owner_id = o.id)"
}

func isVisible(peer string) string { return peer + ".peer_id NOT IN (SELECT id FROM hidden)" }

// Degrees implements network.Store. Each further degree is looked for only where the nearer was not found, and every
// look is by the connections' key and ends with the first that is found (see nearness.go for the form of the statement).
//
// Degree 2 looks up the connections of the member with fewer. Degree 3 is a connection between one of the viewer's and one
// of the other's. For most members it is looked up for each pair of those: that has a bound whatever those have, which may
// be very many. With more pairs than that, it goes through the connections of the connections of the member with fewer and
// looks each up with the other: they are so many that the first hit comes soon, if there is one. It is in full only for
// members in parts of the network that do not touch.
//
// A member whom a block hides from the viewer is no step on the way. That can be the second step only: the first is
// connected to the viewer.
func (s *Store) Degrees(ctx context.Context, member id.Member, others []id.Member) (map[id.Member]int, error) {
	return s.degrees(ctx, usualNearness, member, others)
}

func (s *Store) degrees(ctx context.Context, n nearness, member id.Member, others []id.Member) (map[id.Member]int, error) {
	if len(others) == 0 {
		return map[id.Member]int{}, nil
	}
	viewer := uuid.UUID(member)
	b := statement(s.dialect)
	endOfRange := " ORDER BY peer_id" + whole(s.dialect) + ")"
	rangeOfTheirs := rangeOf + "o.id" + endOfRange + " theirs"
	hiddenFrom(b, member)
	b.WriteString("SELECT o.id, COALESCE((SELECT 1 FROM connections mine WHERE mine.owner_id = ").Arg(viewer).
		WriteString(" AND mine.peer_id = o.id), CASE WHEN o.theirs <= o.mine THEN" +
			" (SELECT 2 FROM " + rangeOfTheirs + " WHERE " + isMine("theirs")).Arg(viewer).
		WriteString(") LIMIT 1) ELSE (SELECT 2 FROM " + rangeOf).Arg(viewer).
		WriteString(endOfRange + " mine WHERE " + isTheirs("mine") + " LIMIT 1) END," +

			" CASE WHEN o.theirs * o.mine <= " + strconv.Itoa(n.pairs) + " THEN" +
			" (SELECT 3 FROM " + rangeOfTheirs + " CROSS JOIN " + rangeOf).Arg(viewer).
		WriteString(endOfRange + " mine WHERE " + isVisible("theirs") + " AND (SELECT TRUE FROM connections link" +
			" WHERE link.owner_id = theirs.peer_id AND link.peer_id = mine.peer_id) LIMIT 1)" +
			" WHEN o.theirs <= o.mine THEN" +
			" (SELECT 3 FROM " + rangeOfTheirs + " JOIN connections link ON link.owner_id = theirs.peer_id" +
			" WHERE " + isVisible("theirs") + " AND " + isMine("link")).Arg(viewer).
		WriteString(") LIMIT 1)" +
			" ELSE (SELECT 3 FROM " + rangeOf).Arg(viewer).
		WriteString(endOfRange + " mine JOIN connections link ON link.owner_id = mine.peer_id" +
			" WHERE " + isVisible("link") + " AND " + isTheirs("link") + " LIMIT 1) END," +
			" 0) FROM ")
	n.writeCounted(b, member, others)
	b.WriteString(" WHERE o.id <> ").Arg(viewer)
	query, args := b.Query()
	degrees, err := s.numbers(ctx, query, args, len(others))
	for other, degree := range degrees {
		if degree == 0 {
			delete(degrees, other)
		}
	}
	return degrees, err
}
