package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Block keeps two members apart: neither sees the other, and nothing passes between them.
type Block struct{ ent.Schema }

// Annotations of a block: the two members are its primary key.
func (Block) Annotations() []schema.Annotation {
	return []schema.Annotation{field.ID("blocker_id", "blocked_id")}
}

// Fields of a block.
func (Block) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("blocker_id", uuid.UUID{}).Immutable(),
		field.UUID("blocked_id", uuid.UUID{}).Immutable(),
		field.Time("blocked_at").Immutable(),
	}
}

// Edges of a block.
func (Block) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("blocker", Member.Type).Unique().Required().Immutable().Field("blocker_id"),
		edge.To("blocked", Member.Type).Unique().Required().Immutable().Field("blocked_id"),
	}
}

// Indexes of blocks.
func (Block) Indexes() []ent.Index {
	return []ent.Index{
		// viewer.blockedMembers, newest first, paged by (blocked_at, blocked_id).
		index.Fields("blocker_id", "blocked_at", "blocked_id"),
		// Whether the other has blocked the viewer.
		index.Fields("blocked_id", "blocker_id"),
	}
}
