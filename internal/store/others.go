package store

import (
	"context"
	"database/sql"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
)

// ConnectionsOf implements network.Store. It is one statement with a limited part for each of the members, as Mutual.
func (s *Store) ConnectionsOf(ctx context.Context, viewer id.Member, members []id.Member, page network.ConnectionPage,
) (map[id.Member][]network.Connection, error) {
	out := make(map[id.Member][]network.Connection, len(members))
	if len(members) == 0 || page.Limit == 0 {
		return out, nil
	}
	b := statement(s.dialect)
	hiddenFrom(b, viewer)
	for i, m := range members {
		if i > 0 {
			b.WriteString(" UNION ALL ")
		}
		b.WriteString("SELECT * FROM (SELECT c.owner_id, c.peer_id, c.connected_at FROM connections c WHERE c.owner_id = ").Arg(uuid.UUID(m))
		if page.After != nil {
			b.WriteString(" AND (c.connected_at, c.peer_id) < (").Arg(page.After.ConnectedAt).Comma().Arg(uuid.UUID(page.After.Peer)).WriteString(")")
		}
		b.WriteString(visiblePeer).WriteString(" ORDER BY c.connected_at DESC, c.peer_id DESC LIMIT ").Arg(page.Limit).WriteString(") part")
	}
	query, args := b.Query()
	err := scanAll(ctx, s.client, query, args, func(rows *sql.Rows) error {
		var (
			owner, peer uuid.UUID
			connectedAt time.Time
		)
		if err := rows.Scan(&owner, &peer, &connectedAt); err != nil {
			return err
		}
		out[id.Member(owner)] = append(out[id.Member(owner)], network.Connection{Peer: id.Member(peer), ConnectedAt: connectedAt.UTC()})
		return nil
	})
	return out, err
}

// CountConnectionsOf implements network.Store.
func (s *Store) CountConnectionsOf(ctx context.Context, viewer id.Member, members []id.Member) (map[id.Member]int, error) {
	if len(members) == 0 {
		return map[id.Member]int{}, nil
	}
	b := statement(s.dialect)
	hiddenFrom(b, viewer)
	for i, m := range members {
		if i > 0 {
			b.WriteString(" UNION ALL ")
		}
		b.WriteString("SELECT c.owner_id, COUNT(*) FROM connections c WHERE c.owner_id = ").Arg(uuid.UUID(m)).
			WriteString(visiblePeer).WriteString(" GROUP BY c.owner_id")
	}
	query, args := b.Query()
	return s.numbers(ctx, query, args, len(members))
}

// hiddenFrom begins a statement with those whom blocks hide from the viewer, for visiblePeer.
func hiddenFrom(b *entsql.Builder, viewer id.Member) {
	b.WriteString("WITH hidden (id) AS (SELECT blocked_id FROM blocks WHERE blocker_id = ").Arg(uuid.UUID(viewer)).
		WriteString(" UNION ALL SELECT blocker_id FROM blocks WHERE blocked_id = ").Arg(uuid.UUID(viewer)).WriteString(") ")
}

// visiblePeer is the condition that the peer of connection c is neither hidden nor erased. The look at members is a
// subquery and not a join, for which PostgreSQL may read the whole table; and the subquery gives a yes or no, of which
// PostgreSQL takes every second to be a yes. (Of "(SELECT erased_at …) IS NULL" it takes next to none, and reads and sorts
// all of a member's connections for a page of them.)
const visiblePeer = ` AND c.peer_id NOT IN (SELECT id FROM hidden)` +
	` AND (SELECT m.erased_at IS NULL FROM members m WHERE m.id = c.peer_id)`
