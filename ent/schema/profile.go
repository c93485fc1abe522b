package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// Profile is what a member tells of themselves beyond the headline; a member without a row has told nothing.
type Profile struct{ ent.Schema }

// Position is a job in a profile. Dates are YYYY-MM; the empty text is none.
type Position struct {
	ID        uuid.UUID `json:"id"`
	Company   string    `json:"company"`
	Title     string    `json:"title"`
	StartedOn string    `json:"startedOn,omitempty"`
	EndedOn   string    `json:"endedOn,omitempty"`
}

// Education is a course of study in a profile. Dates are YYYY-MM; the empty text is none.
type Education struct {
	ID        uuid.UUID `json:"id"`
	School    string    `json:"school"`
	Field     string    `json:"field,omitempty"`
	StartedOn string    `json:"startedOn,omitempty"`
	EndedOn   string    `json:"endedOn,omitempty"`
}

// Fields of a profile. The lists are always read and replaced whole.
func (Profile) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).StorageKey("member_id").Immutable(),
		field.Text("about").Optional().Nillable(),
		field.JSON("positions", []Position{}),
		field.JSON("education", []Education{}),
		field.JSON("skills", []string{}),
		field.JSON("languages", []string{}),
		field.JSON("interests", []string{}),
	}
}
