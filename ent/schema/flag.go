package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Flag is a recipient's word that they do not know the sender of an invitation. It outlives the invitation: many flags
// of distinct recipients restrict the sender.
type Flag struct{ ent.Schema }

// Annotations of a flag: recipient and sender are its primary key, so that one recipient counts once.
func (Flag) Annotations() []schema.Annotation {
	return []schema.Annotation{field.ID("recipient_id", "sender_id")}
}

// Fields of a flag.
func (Flag) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("recipient_id", uuid.UUID{}).Immutable(),
		field.UUID("sender_id", uuid.UUID{}).Immutable(),
		// The last time that this recipient flagged this sender.
		field.Time("flagged_at"),
	}
}

// Edges of a flag.
func (Flag) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("recipient", Member.Type).Unique().Required().Immutable().Field("recipient_id"),
		edge.To("sender", Member.Type).Unique().Required().Immutable().Field("sender_id"),
	}
}

// Indexes of flags.
func (Flag) Indexes() []ent.Index {
	return []ent.Index{
		// The evaluation, sender by sender.
		index.Fields("sender_id", "flagged_at"),
	}
}
