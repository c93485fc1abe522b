package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Message is a text of a conversation.
type Message struct{ ent.Schema }

// Fields of a message.
func (Message) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable(),
		field.UUID("conversation_id", uuid.UUID{}).Immutable(),
		// 1, 2, 3 … in the conversation.
		field.Int64("number").Immutable(),
		field.UUID("sender_id", uuid.UUID{}).Immutable(),
		field.Text("body").Immutable(),
		// What the sender's client named it, so that sending it again changes nothing.
		field.Text("client_key").Optional().Nillable().Immutable(),
		field.Time("sent_at").Immutable(),
	}
}

// Indexes of messages.
func (Message) Indexes() []ent.Index {
	return []ent.Index{
		// A conversation's messages, both ways.
		index.Fields("conversation_id", "number").Unique(),
		// A message that is sent again.
		index.Fields("sender_id", "client_key").Unique().Annotations(entsql.IndexWhere("client_key IS NOT NULL")),
	}
}
