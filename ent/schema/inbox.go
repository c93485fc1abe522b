package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// Inbox numbers one member's notifications. It is narrow on purpose: every transaction that notifies the member locks
// it, which makes the order of the numbers the order of the commits.
type Inbox struct{ ent.Schema }

// Fields of an inbox.
func (Inbox) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).StorageKey("member_id").Immutable(),
		// The sequence of the newest notification; 0 before the first.
		field.Int64("last_number").Default(0),
		// The number of the newest feed entry; 0 before the first.
		field.Int64("last_change").Default(0),
		// The categories whose in-app channel is OFF, a bit each (notification.Category.Bit). Derived from Preference
		// and written with it, so that one statement can number a notification and honour the preference.
		field.Int64("muted").Default(0),
		// In-app notifications are held back from live subscriptions until then.
		field.Time("paused_until").Optional().Nillable(),
	}
}

// Edges of an inbox.
func (Inbox) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("notifications", Notification.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}
