package store

import (
	"context"
	"database/sql"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	entconnection "github.com/acquaint/acquaint/ent/connection"
	"github.com/acquaint/acquaint/ent/reinvitebar"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
)

// Bar implements network.Tx.
func (t *tx) Bar(ctx context.Context, sender, recipient id.Member, bar network.Bar) error {
	return t.client.ReinviteBar.Create().
		SetSenderID(uuid.UUID(sender)).SetRecipientID(uuid.UUID(recipient)).
		SetNillableDeclinedAt(optionalTime(bar.DeclinedAt)).SetNillableWithdrawnAt(optionalTime(bar.WithdrawnAt)).
		OnConflictColumns(reinvitebar.FieldSenderID, reinvitebar.FieldRecipientID).
		Update(func(u *ent.ReinviteBarUpsert) {
			if !bar.DeclinedAt.IsZero() {
				u.SetDeclinedAt(bar.DeclinedAt)
			}
			if !bar.WithdrawnAt.IsZero() {
				u.SetWithdrawnAt(bar.WithdrawnAt)
			}
		}).Exec(ctx)
}

// LiftBars implements network.Tx.
func (t *tx) LiftBars(ctx context.Context, a, b id.Member) error {
	_, err := t.client.ReinviteBar.Delete().Where(reinvitebar.Or(
		reinvitebar.And(reinvitebar.SenderID(uuid.UUID(a)), reinvitebar.RecipientID(uuid.UUID(b))),
		reinvitebar.And(reinvitebar.SenderID(uuid.UUID(b)), reinvitebar.RecipientID(uuid.UUID(a))),
	)).Exec(ctx)
	return err
}

// Connect implements network.Tx.
func (t *tx) Connect(ctx context.Context, a, b id.Member, at time.Time) error {
	row := func(owner, peer id.Member) *ent.ConnectionCreate {
		return t.client.Connection.Create().SetOwnerID(uuid.UUID(owner)).SetPeerID(uuid.UUID(peer)).SetConnectedAt(at)
	}
	return t.client.Connection.CreateBulk(row(a, b), row(b, a)).Exec(ctx)
}

// Disconnect implements network.Tx.
func (t *tx) Disconnect(ctx context.Context, a, b id.Member) (bool, error) {
	n, err := t.client.Connection.Delete().Where(entconnection.Or(
		entconnection.And(entconnection.OwnerID(uuid.UUID(a)), entconnection.PeerID(uuid.UUID(b))),
		entconnection.And(entconnection.OwnerID(uuid.UUID(b)), entconnection.PeerID(uuid.UUID(a))),
	)).Exec(ctx)
	return n > 0, err
}

// Connections implements network.Store.
func (s *Store) Connections(ctx context.Context, member id.Member, page network.ConnectionPage) ([]network.Connection, bool, error) {
	query := s.client.Connection.Query().Where(entconnection.OwnerID(uuid.UUID(member)))
	if page.After != nil {
		query.Where(func(sel *entsql.Selector) {
			sel.Where(entsql.CompositeLT([]string{sel.C(entconnection.FieldConnectedAt), sel.C(entconnection.FieldPeerID)},
				page.After.ConnectedAt, uuid.UUID(page.After.Peer)))
		})
	}
	list, err := connections(query.
		Order(entconnection.ByConnectedAt(entsql.OrderDesc()), upTo(page.Limit+1, entconnection.FieldPeerID, newestFirst)).All(ctx))
	list, more := cut(list, page.Limit)
	return list, more, err
}

// CountConnections implements network.Store.
func (s *Store) CountConnections(ctx context.Context, member id.Member) (int, error) {
	return s.client.Connection.Query().Where(entconnection.OwnerID(uuid.UUID(member))).Count(ctx)
}

// ConnectionsWith implements network.Store. On PostgreSQL each of others is looked up by itself: of a list of them, the
// planner may read all connections of the member, which are very many of some.
func (s *Store) ConnectionsWith(ctx context.Context, member id.Member, others []id.Member) ([]network.Connection, error) {
	if s.dialect == dialect.Postgres {
		b := statement(s.dialect)
		b.WriteString("SELECT other.id, (SELECT mine.connected_at FROM connections mine WHERE mine.owner_id = ").Arg(uuid.UUID(member)).
			WriteString(" AND mine.peer_id = other.id) FROM ")
		writeOthers(b, others)
		query, args := b.Query()
		var out []network.Connection
		err := scanAll(ctx, s.client, query, args, func(rows *sql.Rows) error {
			var (
				peer        uuid.UUID
				connectedAt *time.Time
			)
			err := rows.Scan(&peer, &connectedAt)
			if connectedAt != nil {
				out = append(out, network.Connection{Peer: id.Member(peer), ConnectedAt: connectedAt.UTC()})
			}
			return err
		})
		return out, err
	}
	return connections(s.client.Connection.Query().
		Where(entconnection.OwnerID(uuid.UUID(member)), entconnection.PeerIDIn(uuids(others)...)).All(ctx))
}

func connections(rows []*ent.Connection, err error) ([]network.Connection, error) {
	if err != nil {
		return nil, err
	}
	out := make([]network.Connection, len(rows))
	for i, row := range rows {
		out[i] = network.Connection{Peer: id.Member(row.PeerID), ConnectedAt: row.ConnectedAt.UTC()}
	}
	return out, nil
}
