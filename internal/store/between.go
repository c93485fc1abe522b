package store

import (
	"context"
	"database/sql"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent/schema"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
)

// Between implements network.Store. It is one statement, so that all of it is true at once, and takes one round trip.
func (s *Store) Between(ctx context.Context, member id.Member, others []id.Member) (map[id.Member]network.Between, error) {
	out := make(map[id.Member]network.Between, len(others))
	if len(others) == 0 {
		return out, nil
	}
	b := statement(s.dialect)
	b.WriteString("SELECT other.id, EXISTS (SELECT 1 FROM blocks WHERE blocker_id = ").Arg(uuid.UUID(member)).
		WriteString(" AND blocked_id = other.id LIMIT 1), c.connected_at, " + invitationColumns + " FROM ")
	writeOthers(b, others)
	if s.dialect == dialect.Postgres {
		writeJoinedByKey(b, member)
	} else {
		b.WriteString(" LEFT JOIN connections c ON c.owner_id = ").Arg(uuid.UUID(member)).
			WriteString(" AND c.peer_id = other.id LEFT JOIN invitations i ON i.pair_lo = min(other.id, ").Arg(uuid.UUID(member)).
			WriteString(") AND i.pair_hi = max(other.id, ").Arg(uuid.UUID(member)).WriteString(") AND i." + schema.OpenStates)
	}
	query, args := b.Query()
	err := scanAll(ctx, s.client, query, args, func(rows *sql.Rows) error {
		var (
			other       uuid.UUID
			between     network.Between
			connectedAt *time.Time
			open        invitationRow
		)
		if err := rows.Scan(append([]any{&other, &between.Blocked, &connectedAt}, open.columns()...)...); err != nil {
			return err
		}
		between.ConnectedAt = timeOf(connectedAt)
		if open.id != nil {
			inv := open.invitation()
			between.Open = &inv
		}
		out[id.Member(other)] = between
		return nil
	})
	return out, err
}

// writeJoinedByKey joins the connection and the open invitation to each other, as subqueries that PostgreSQL can only do by
// key: a join it may do by reading all connections of the member, which are very many of some.
func writeJoinedByKey(b *entsql.Builder, member id.Member) {
	b.WriteString(" LEFT JOIN LATERAL (SELECT connected_at FROM connections WHERE owner_id = ").Arg(uuid.UUID(member)).
		WriteString(" AND peer_id = other.id LIMIT 1) c ON TRUE LEFT JOIN LATERAL (SELECT " + invitationColumns +
			" FROM invitations i WHERE pair_lo = least(other.id, ").Arg(uuid.UUID(member)).
		WriteString(") AND pair_hi = greatest(other.id, ").Arg(uuid.UUID(member)).
		WriteString(") AND " + schema.OpenStates + " LIMIT 1) i ON TRUE")
}
