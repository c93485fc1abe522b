package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// FeedEntry tells the open tabs of a member of something that changed, silently: it is never a notification. Entries are
// pruned after a while (feed.Kept).
type FeedEntry struct{ ent.Schema }

// Fields of a feed entry.
func (FeedEntry) Fields() []ent.Field {
	return []ent.Field{
		// Ordered by time, so that old entries are one range of the key.
		field.UUID("id", uuid.UUID{}).Immutable(),
		field.UUID("member_id", uuid.UUID{}).Immutable(),
		// 1, 2, 3 … per member.
		field.Int64("number").Immutable(),
		// A feed.Kind.
		field.Text("kind").Immutable(),
		// The other member whom it concerns.
		field.UUID("other_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.UUID("invitation_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.UUID("message_id", uuid.UUID{}).Optional().Nillable().Immutable(),
	}
}

// Indexes of feed entries.
func (FeedEntry) Indexes() []ent.Index {
	return []ent.Index{
		// What a subscription reads after its cursor. Unique: no number twice.
		index.Fields("member_id", "number").Unique(),
	}
}
