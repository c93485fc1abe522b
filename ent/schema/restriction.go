package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// Restriction is what the last evaluation of a member's flags came to; a member without a row has no more than a few.
type Restriction struct{ ent.Schema }

// Fields of a restriction.
func (Restriction) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).StorageKey("member_id").Immutable(),
		field.Bool("warned").Default(false),
		// The member invites by email address only until then.
		field.Time("restricted_until").Optional().Nillable(),
		// When the evaluation was that restricted the member last: only flags after it can do so again.
		field.Time("restricted_at").Optional().Nillable(),
	}
}
