package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// Task is a periodic task, of which one node at a time has a lease.
type Task struct{ ent.Schema }

// Fields of a task.
func (Task) Fields() []ent.Field {
	return []ent.Field{
		// Its name.
		field.Text("id").StorageKey("name").Immutable(),
		// The node that works at it, and until when the others leave it alone.
		field.Text("holder").Default(""),
		field.Time("leased_until").Optional().Nillable(),
		// When the last run began that was finished.
		field.Time("finished_at").Optional().Nillable(),
	}
}
