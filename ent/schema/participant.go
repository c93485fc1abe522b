package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Participant is one member's side of a conversation.
type Participant struct{ ent.Schema }

// Annotations of a participant: member and conversation are its primary key.
func (Participant) Annotations() []schema.Annotation {
	return []schema.Annotation{field.ID("member_id", "conversation_id")}
}

// Fields of a participant.
func (Participant) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("member_id", uuid.UUID{}).Immutable(),
		field.UUID("conversation_id", uuid.UUID{}).Immutable(),
		field.UUID("other_id", uuid.UUID{}).Immutable(),
		// Of the conversation's newest message, for the order of the list.
		field.Time("last_message_at"),
		// The number of the last message that the member has read.
		field.Int64("read_through").Default(0),
	}
}

// Edges of a participant.
func (Participant) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("member", Member.Type).Unique().Required().Immutable().Field("member_id"),
		edge.To("conversation", Conversation.Type).Unique().Required().Immutable().Field("conversation_id"),
	}
}

// Indexes of participants.
func (Participant) Indexes() []ent.Index {
	return []ent.Index{
		// viewer.conversations, the last written first, paged by (last_message_at, conversation_id).
		index.Fields("member_id", "last_message_at", "conversation_id"),
	}
}
