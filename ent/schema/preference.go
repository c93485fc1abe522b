package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// Preference is what a member chose about notifications; a member without a row has the defaults.
type Preference struct{ ent.Schema }

// Fields of a preference.
func (Preference) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).StorageKey("member_id").Immutable(),
		// What differs from the defaults: category -> channel -> frequency.
		field.JSON("settings", map[string]map[string]string{}),
		field.Text("time_zone").Default("UTC"),
	}
}
