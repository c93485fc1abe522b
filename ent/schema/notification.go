package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Notification tells a member of something that happened; the table is the truth that every subscription reads.
type Notification struct{ ent.Schema }

// Fields of a notification.
func (Notification) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable(),
		field.UUID("member_id", uuid.UUID{}).Immutable(),
		// 1, 2, 3 … per member.
		field.Int64("sequence").Immutable(),
		// A notification.Category.
		field.Text("category").Immutable(),
		field.UUID("actor_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.UUID("invitation_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.UUID("message_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		// What the host application published; a Publication.
		field.UUID("publication_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		// It tells again of an invitation.
		field.Bool("reminder").Default(false).Immutable(),
		// Written while the member had paused notifications: subscriptions show it on resuming only.
		field.Bool("held").Default(false).Immutable(),
		field.Time("created_at").Immutable(),
		field.Time("read_at").Optional().Nillable(),
	}
}

// Edges of a notification.
func (Notification) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("inbox", Inbox.Type).Ref("notifications").Unique().Required().Immutable().Field("member_id"),
	}
}

// Indexes of notifications.
func (Notification) Indexes() []ent.Index {
	return []ent.Index{
		// viewer.notifications both ways, and what a subscription reads after its cursor. Unique: no number twice.
		index.Fields("member_id", "sequence").Unique(),
		// viewer.unreadNotificationCount, and marking all as read.
		index.Fields("member_id", "sequence").StorageKey("notification_unread").
			Annotations(entsql.IndexWhere("read_at IS NULL")),
		// Taking back what told of an invitation when it is withdrawn.
		index.Fields("invitation_id"),
		// Those of publications that an erased member was the actor of; the others are found by whom they had to do with.
		index.Fields("actor_id").StorageKey("notification_published").
			Annotations(entsql.IndexWhere("publication_id IS NOT NULL")),
	}
}
