package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
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
		// Who did it; erasing that member empties the texts, which may name them.
		field.UUID("actor_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.Text("title"),
		field.Text("body").Optional().Nillable(),
		field.Text("url").Optional().Nillable(),
		// How many members it was for, to answer a repetition alike.
		field.Int("published").Immutable(),
		field.Time("published_at").Immutable(),
	}
}

// Indexes of publications.
func (Publication) Indexes() []ent.Index {
	return []ent.Index{
		// Those that an erased member was the actor of.
		index.Fields("actor_id").Annotations(entsql.IndexWhere("actor_id IS NOT NULL")),
	}
}
