package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// ReinviteBar keeps one member from inviting another again: for a while after a withdrawal, and for good after a
// decline. It is lifted in both directions when the two connect.
type ReinviteBar struct{ ent.Schema }

// Annotations of a bar: sender and recipient are its primary key, which serves every invite.
func (ReinviteBar) Annotations() []schema.Annotation {
	return []schema.Annotation{field.ID("sender_id", "recipient_id")}
}

// Fields of a bar.
func (ReinviteBar) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("sender_id", uuid.UUID{}).Immutable(),
		field.UUID("recipient_id", uuid.UUID{}).Immutable(),
		field.Time("declined_at").Optional().Nillable(),
		field.Time("withdrawn_at").Optional().Nillable(),
	}
}

// Edges of a bar.
func (ReinviteBar) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("sender", Member.Type).Unique().Required().Immutable().Field("sender_id"),
		edge.To("recipient", Member.Type).Unique().Required().Immutable().Field("recipient_id"),
	}
}

// Indexes of bars.
func (ReinviteBar) Indexes() []ent.Index {
	return []ent.Index{
		// Whoever is barred from a member, to erase it.
		index.Fields("recipient_id"),
	}
}
