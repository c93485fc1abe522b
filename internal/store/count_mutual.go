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

// countMutual counts in the database, but of two who have very many connections.
func (s *Store) countMutual(ctx context.Context, n nearness, member id.Member, others []id.Member) (map[id.Member]int, error) {
	var large, rest []id.Member
	for _, other := range others {
		if n.large > 0 && s.peers.get(member) != nil && s.peers.get(other) != nil {
			large = append(large, other)
		} else {
			rest = append(rest, other)
		}
	}
	counts, err := s.countByRows(ctx, n, member, rest)
	if err != nil {
		return nil, err
	}
	for other, count := range counts {
		if count == notCounted {
			large = append(large, other)
			delete(counts, other)
		}
	}
	if len(large) == 0 {
		return counts, nil
	}
	sets, err := s.peersOf(ctx, append(large, member))
	if err != nil {
		return nil, err
	}
	mine := sets[member]
	rest = rest[:0]
	for _, other := range large {
		if theirs := sets[other]; mine != nil && theirs != nil {
			counts[other] = mine.shared(theirs)
		} else {
			rest = append(rest, other)
		}
	}
	n.large = 0
	more, err := s.countByRows(ctx, n, member, rest)
	maps.Copy(counts, more)
	return counts, err
}

// notCounted stands for the number of what two share who both have n.large connections or more.
const notCounted = -1

func (s *Store) countByRows(ctx context.Context, n nearness, member id.Member, others []id.Member) (map[id.Member]int, error) {
	if len(others) == 0 {
		return make(map[id.Member]int), nil
	}
	b := statement(s.dialect)
	b.WriteString("SELECT o.id, CASE")
	if n.large > 0 {
		b.WriteString(" WHEN o.few >= " + strconv.Itoa(min(n.counted, n.large)) + " AND " + n.isLarge("o.fewer") + " AND " + n.isLarge("o.more") +
			" THEN " + strconv.Itoa(notCounted))
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

// isLarge is the condition that a member has n.large connections or more.
func (n nearness) isLarge(owner string) string {
	return "(SELECT TRUE FROM connections WHERE owner_id = " + owner + " LIMIT 1 OFFSET " + strconv.Itoa(n.large-1) + ")"
}
