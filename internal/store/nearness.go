package store

import (
	"context"
	"database/sql"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/id"
)

// mutualOf is the part of a statement after SELECT that gives the members connected to both, as theirs.peer_id: the
// intersection of two ranges of the connections' key, never more than the lesser of them.
const mutualOf = ` FROM connections theirs JOIN connections mine ON mine.peer_id = theirs.peer_id WHERE theirs.owner_id = `

// Mutual implements network.Store. It is one statement with a limited part for each of others, so that each part stops
// at its limit; a window over all would read every intersection to its end.
func (s *Store) Mutual(ctx context.Context, member id.Member, others []id.Member, after id.Member, limit int) (map[id.Member][]id.Member, error) {
	out := make(map[id.Member][]id.Member, len(others))
	if len(others) == 0 || limit == 0 {
		return out, nil
	}
	b := statement(s.dialect)
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

// CountMutual implements network.Store.
func (s *Store) CountMutual(ctx context.Context, member id.Member, others []id.Member) (map[id.Member]int, error) {
	b := statement(s.dialect)
	for i, other := range others {
		if i > 0 {
			b.WriteString(" UNION ALL ")
		}
		b.WriteString("SELECT theirs.owner_id, COUNT(*)").WriteString(mutualOf).Arg(uuid.UUID(other)).
			WriteString(" AND mine.owner_id = ").Arg(uuid.UUID(member)).WriteString(" GROUP BY theirs.owner_id")
	}
	query, args := b.Query()
	return s.numbers(ctx, query, args, len(others))
}

// Degrees implements network.Store. Each further degree is looked for only where the nearer was not found, and every
// look is by the connections' key. They are subqueries with LIMIT 1 and not EXISTS: that, PostgreSQL may answer for all
// members of the network at once, by reading the whole table.
func (s *Store) Degrees(ctx context.Context, member id.Member, others []id.Member) (map[id.Member]int, error) {
	viewer := uuid.UUID(member)
	b := statement(s.dialect)
	b.WriteString("SELECT other.id, COALESCE(").
		WriteString("(SELECT 1 FROM connections mine WHERE mine.owner_id = ").Arg(viewer).
		WriteString(" AND mine.peer_id = other.id),").
		WriteString(" (SELECT 2 FROM connections theirs JOIN connections mine ON mine.peer_id = theirs.peer_id").
		WriteString(" WHERE theirs.owner_id = other.id AND mine.owner_id = ").Arg(viewer).WriteString(" LIMIT 1),").
		WriteString(" (SELECT 3 FROM connections theirs JOIN connections further ON further.owner_id = theirs.peer_id").
		WriteString(" JOIN connections mine ON mine.peer_id = further.peer_id").
		WriteString(" WHERE theirs.owner_id = other.id AND mine.owner_id = ").Arg(viewer).WriteString(" LIMIT 1),").
		WriteString(" 0) FROM members other WHERE other.id IN (")
	for i, other := range others {
		if i > 0 {
			b.Comma()
		}
		b.Arg(uuid.UUID(other))
	}
	b.WriteString(") AND other.id <> ").Arg(viewer)
	query, args := b.Query()
	degrees, err := s.numbers(ctx, query, args, len(others))
	for other, degree := range degrees {
		if degree == 0 {
			delete(degrees, other)
		}
	}
	return degrees, err
}

// numbers runs a query that gives a number for each of some members.
func (s *Store) numbers(ctx context.Context, query string, args []any, members int) (map[id.Member]int, error) {
	out := make(map[id.Member]int, members)
	if members == 0 {
		return out, nil
	}
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
