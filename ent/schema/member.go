package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// Member is a person with an account in the host application.
type Member struct{ ent.Schema }

// Fields of a member.
func (Member) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable(),
		// The host application's user id, the "sub" of the member's tokens. Unique: the first sign-in inserts, every
		// other finds it here.
		field.Text("subject").Unique().Immutable(),
		// Unique: serves member(handle:), and settles two sign-ins that want the same handle.
		field.Text("handle").Unique(),
		field.Text("name"),
		field.Text("email").Optional().Nillable(),
		field.Text("headline").Optional().Nillable(),
		field.Text("location").Optional().Nillable(),
		field.Text("industry").Optional().Nillable(),
		field.Text("company").Optional().Nillable(),
		field.Text("photo_url").Optional().Nillable(),
		field.Time("created_at").Immutable(),
	}
}

// Edges of a member.
func (Member) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("peers", Member.Type).Through("connections", Connection.Type).
			StorageKey(edge.Columns("owner_id", "peer_id")),
		edge.To("barred_recipients", Member.Type).Through("reinvite_bars", ReinviteBar.Type).
			StorageKey(edge.Columns("sender_id", "recipient_id")),
	}
}
