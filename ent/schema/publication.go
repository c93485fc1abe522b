package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// Publication is what the host application had members notified of.
type Publication struct{ ent.Schema }

// Fields of a publication.
func (Publication) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable(),
		// What the host application named it, so that publishing it again changes nothing.
		field.Text("key").Unique().Immutable(),
		// A hash of all that was asked for, to tell a repetition from another publication under the same key.
		field.Bytes("fingerprint").Immutable(),
		field.Text("title").Immutable(),
		field.Text("body").Optional().Nillable().Immutable(),
		field.Text("url").Optional().Nillable().Immutable(),
		field.Time("published_at").Immutable(),
	}
}
