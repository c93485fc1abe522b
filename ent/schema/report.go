package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Report tells the operators of a member's conduct; nobody else ever sees it.
type Report struct{ ent.Schema }

// Fields of a report.
func (Report) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable(),
		field.UUID("reporter_id", uuid.UUID{}).Immutable(),
		field.UUID("reported_id", uuid.UUID{}).Immutable(),
		// A report.Reason.
		field.Text("reason").Immutable(),
		// Cleared when the reporter is erased: it is their text.
		field.Text("details").Optional().Nillable(),
		field.Time("created_at").Immutable(),
		field.Time("resolved_at").Optional().Nillable(),
		// What the operators did about it, in their words.
		field.Text("resolution").Optional().Nillable(),
	}
}

// Indexes of reports.
func (Report) Indexes() []ent.Index {
	return []ent.Index{
		// The operators' list of what waits for them, oldest first.
		index.Fields("created_at", "id").StorageKey("report_open").Annotations(entsql.IndexWhere("resolved_at IS NULL")),
		// The operators' list of all.
		index.Fields("created_at", "id").StorageKey("report_all"),
		// A member's own, for their export, and of one member, to fold the same report again.
		index.Fields("reporter_id", "reported_id"),
	}
}
