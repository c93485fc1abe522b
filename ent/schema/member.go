package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Member is a person with an account in the host application.
type Member struct{ ent.Schema }

// Fields of a member.
func (Member) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable(),
		// The host application's user id, the "sub" of the member's tokens. Unique: the first sign-in inserts, every
		// other finds it here.
		// An erased member's is random, and makes room for a new one.
		field.Text("subject").Unique(),
		// Unique: serves member(handle:), and settles two sign-ins that want the same handle.
		field.Text("handle").Unique(),
		field.Text("name"),
		field.Text("email").Optional().Nillable(),
		field.Text("headline").Optional().Nillable(),
		field.Text("location").Optional().Nillable(),
		field.Text("industry").Optional().Nillable(),
		field.Text("company").Optional().Nillable(),
		field.Text("photo_url").Optional().Nillable(),
		field.Time("created_at").Immutable(),
		// The privacy settings; a member.InvitationAudience, member.ConnectionsAudience, member.ProfileAudience.
		field.Text("who_can_invite").Default("everyone"),
		field.Text("who_sees_connections").Default("connections"),
		field.Text("who_sees_profile").Default("everyone"),
		field.Bool("share_email").Default(false),
		// The member has blocked somebody, or was blocked, at some time: only then are the blocks worth a look.
		field.Bool("in_block").Default(false),
		// The host application took the member's access away.
		field.Time("suspended_at").Optional().Nillable(),
		// The host application had the member deleted: nothing personal is left, what others have of them stays.
		field.Time("erased_at").Optional().Nillable(),
		// Not everything of an erased member's is gone yet.
		field.Bool("erasing").Default(false),
	}
}

// Indexes of members.
func (Member) Indexes() []ent.Index {
	return []ent.Index{
		// Whose access ended lately: what they have open is closed, on every node.
		index.Fields("suspended_at").Annotations(entsql.IndexWhere("suspended_at IS NOT NULL")),
		index.Fields("erased_at").Annotations(entsql.IndexWhere("erased_at IS NOT NULL")),
		// What the erasing task has left to do.
		index.Fields("id").StorageKey("member_erasing").Annotations(entsql.IndexWhere("erasing")),
	}
}

// Edges of a member.
func (Member) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("peers", Member.Type).Through("connections", Connection.Type).
			StorageKey(edge.Columns("owner_id", "peer_id")),
		edge.To("barred_recipients", Member.Type).Through("reinvite_bars", ReinviteBar.Type).
			StorageKey(edge.Columns("sender_id", "recipient_id")),
		edge.To("flagged_senders", Member.Type).Through("flags", Flag.Type).
			StorageKey(edge.Columns("recipient_id", "sender_id")),
		edge.To("blocked", Member.Type).Through("blocks", Block.Type).
			StorageKey(edge.Columns("blocker_id", "blocked_id")),
		edge.To("conversations", Conversation.Type).Through("participants", Participant.Type),
	}
}
