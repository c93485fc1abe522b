package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Conversation is what two members write to each other; there is one of a pair.
type Conversation struct{ ent.Schema }

// Fields of a conversation.
func (Conversation) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable(),
		// The two members, the lesser id first.
		field.UUID("pair_lo", uuid.UUID{}).Immutable(),
		field.UUID("pair_hi", uuid.UUID{}).Immutable(),
		// The number of the newest message. Whoever sends locks this row: the order of the numbers is that of the commits.
		field.Int64("last_number").Default(0),
	}
}

// Edges of a conversation.
func (Conversation) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("members", Member.Type).Ref("conversations").Through("participants", Participant.Type),
	}
}

// Indexes of conversations.
func (Conversation) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("pair_lo", "pair_hi").Unique(),
	}
}
