package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// OpenStates is the condition that an invitation is open: the sender sees it as pending, whatever the recipient did.
// Partial indexes carry it, and queries repeat it to the letter so that the planner can use them.
const OpenStates = "state IN ('pending', 'ignored', 'declined')"

// Invitation asks one member, the recipient, to connect with another, the sender.
type Invitation struct{ ent.Schema }

// Fields of an invitation.
func (Invitation) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable(),
		field.UUID("sender_id", uuid.UUID{}).Immutable(),
		field.UUID("recipient_id", uuid.UUID{}).Immutable(),
		// The two members again, the lesser id first: what makes (a, b) and (b, a) the same pair.
		field.UUID("pair_lo", uuid.UUID{}).Immutable(),
		field.UUID("pair_hi", uuid.UUID{}).Immutable(),
		// A network.State.
		field.Text("state"),
		// The recipient said that they do not know the sender.
		field.Bool("flagged").Default(false),
		field.Text("note").Optional().Nillable().Immutable(),
		// A network.Acquaintance.
		field.Text("acquaintance").Immutable(),
		field.Time("sent_at").Immutable(),
		field.Time("accepted_at").Optional().Nillable(),
		// How often the sender has reminded, and when last, whether or not it reached the recipient.
		field.Int("reminders").Default(0),
		field.Time("reminded_at").Optional().Nillable(),
		// Where it stands in the recipient's lists: sent_at, or the last reminder that the recipient may see.
		// Always set; a column that may be null can be added to a table without rebuilding it.
		field.Time("listed_at").Optional().Nillable(),
		// What the recipient wrote to the sender while the invitation was open.
		field.UUID("conversation_id", uuid.UUID{}).Optional().Nillable(),
	}
}

// Edges of an invitation.
func (Invitation) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("sender", Member.Type).Unique().Required().Immutable().Field("sender_id"),
		edge.To("recipient", Member.Type).Unique().Required().Immutable().Field("recipient_id"),
	}
}

// Indexes of invitations.
func (Invitation) Indexes() []ent.Index {
	return []ent.Index{
		// At most one open invitation between two members, in either direction (the database itself refuses the
		// second); also finds the open one of a pair, and serves relationship.status.
		index.Fields("pair_lo", "pair_hi").Unique().Annotations(entsql.IndexWhere(OpenStates)),
		// viewer.sentInvitations: all that are pending in the sender's eyes, newest first, paged by (sent_at, id).
		index.Fields("sender_id", "sent_at", "id").Annotations(entsql.IndexWhere(OpenStates)),
		// viewer.receivedInvitations: the inbox and the archive, newest first, paged by (listed_at, id).
		index.Fields("recipient_id", "state", "listed_at", "id").Annotations(entsql.IndexWhere(OpenStates)),
		// The limit of invitations in a window of time, whatever has become of them.
		index.Fields("sender_id", "sent_at").StorageKey("invitation_window"),
		// Whatever was sent to a member, to erase it.
		index.Fields("recipient_id").StorageKey("invitation_recipient"),
		// What expires next.
		index.Fields("sent_at").StorageKey("invitation_expiry").Annotations(entsql.IndexWhere(OpenStates)),
	}
}
