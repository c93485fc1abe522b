package store

import (
	"context"
	"maps"
	"strconv"

	"entgo.io/ent/dialect"

	"github.com/acquaint/acquaint/internal/id"
)

// CountMutual implements network.Store.
func (s *Store) CountMutual(ctx context.Context, member id.Member, others []id.Member) (map[id.Member]int, error) {
	return s.countMutual(ctx, usualNearness, member, others)
}

// countMutual counts in the tables, but in memory of two who both have many connections. Of whom there are sets already, it
// need not be asked how many they have.
func (s *Store) countMutual(ctx context.Context, n nearness, member id.Member, others []id.Member) (map[id.Member]int, error) {
	var kept, unknown, large []id.Member
	mine := s.peers.get(member)
	for _, other := range others {
		theirs := s.peers.get(other)
		switch {
		case n.large > 0 && (mine.isTooMany() || theirs.isTooMany()):
			large = append(large, other)
		case n.large == 0 || mine == nil || theirs == nil:
			unknown = append(unknown, other)
		default:
			kept = append(kept, other)
		}
	}
	counts, err := s.countInTables(ctx, n, member, unknown)
	if err != nil {
		return nil, err
	}
	for other, count := range counts {
		if count == notCounted {
			delete(counts, other)
			kept = append(kept, other)
		}
	}
	if len(kept) > 0 {
		counted, rest, err := s.countInMemory(ctx, member, kept)
		if err != nil {
			return nil, err
		}
		maps.Copy(counts, counted)
		large = append(large, rest...)
	}
	n.large = 0 // now they are counted there in any case
	more, err := s.countInTables(ctx, n, member, large)
	maps.Copy(counts, more)
	return counts, err
}

// notCounted stands for the number of what two share who both have n.large connections or more.
const notCounted = -1

func (s *Store) countInTables(ctx context.Context, n nearness, member id.Member, others []id.Member) (map[id.Member]int, error) {
	if len(others) == 0 {
		return make(map[id.Member]int), nil
	}
	b := statement(s.dialect)
	b.WriteString("SELECT o.id, CASE")
	if n.large > 0 {
		b.WriteString(" WHEN o.few >= " + strconv.Itoa(n.large) + " THEN " + strconv.Itoa(notCounted))
	}
	if s.dialect == dialect.Postgres { // SQLite joins by look-ups only
		b.WriteString(" WHEN " + n.along() + " THEN (SELECT COUNT(*) FROM " + rangeOf("o.fewer", s.dialect) +
			" along JOIN connections beside ON beside.peer_id = along.peer_id AND beside.owner_id = o.more)")
	}
	b.WriteString(" WHEN TRUE THEN (SELECT COUNT(*) FROM connections each WHERE each.owner_id = o.fewer AND " + isOfMore("each") + ") END FROM ")
	n.writeCounted(b, member, others)
	query, args := b.Query()
	return s.numbers(ctx, query, args, len(others))
}
