package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Connection is one side of the mutual relation between two members: every connection is two rows, (owner, peer) and
// (peer, owner), so that each member's list is one range of the key.
type Connection struct{ ent.Schema }

// Annotations of a connection: the two members are its primary key. It serves the relation of two members, mutual
// connections (an intersection of two ranges of the key) and degree (a look-up in the ranges of the peers).
func (Connection) Annotations() []schema.Annotation {
	return []schema.Annotation{field.ID("owner_id", "peer_id")}
}

// Fields of a connection.
func (Connection) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("owner_id", uuid.UUID{}).Immutable(),
		field.UUID("peer_id", uuid.UUID{}).Immutable(),
		field.Time("connected_at").Immutable(),
	}
}

// Edges of a connection.
func (Connection) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("owner", Member.Type).Unique().Required().Immutable().Field("owner_id"),
		edge.To("peer", Member.Type).Unique().Required().Immutable().Field("peer_id"),
	}
}

// Indexes of connections.
func (Connection) Indexes() []ent.Index {
	return []ent.Index{
		// viewer.connections: one member's, newest first, paged by (connected_at, peer_id).
		index.Fields("owner_id", "connected_at", "peer_id"),
	}
}
