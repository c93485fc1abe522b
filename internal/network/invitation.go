package network

import (
	"time"

	"github.com/acquaint/acquaint/internal/id"
)

// State is the stored state of an invitation. What a member may see of it is Invitation.StateFor.
type State string

// The states. Pending, ignored and declined invitations are open.
const (
	Pending   State = "pending"
	Ignored   State = "ignored"  // in the recipient's archive
	Declined  State = "declined" // gone for the recipient
	Accepted  State = "accepted"
	Withdrawn State = "withdrawn"
	Expired   State = "expired"
)

// Open reports whether the invitation still stands in its sender's eyes.
func (s State) Open() bool { return s == Pending || s == Ignored || s == Declined }

// Acquaintance is how the sender says to know the recipient.
type Acquaintance string

// The acquaintances.
const (
	Colleague       Acquaintance = "colleague"
	Classmate       Acquaintance = "classmate"
	BusinessContact Acquaintance = "business_contact"
	Friend          Acquaintance = "friend"
	MetAtEvent      Acquaintance = "met_at_event"
	Other           Acquaintance = "other"
	Unspecified     Acquaintance = "unspecified"
)

// Invitation asks its recipient to connect with its sender.
type Invitation struct {
	ID           id.Invitation
	Sender       id.Member
	Recipient    id.Member
	Note         string // "" for none
	Acquaintance Acquaintance
	State        State
	Flagged      bool // the recipient said that they do not know the sender
	SentAt       time.Time
	AcceptedAt   time.Time // zero unless accepted
	Reminders    int       // how often the sender has reminded
	RemindedAt   time.Time // when last, whether or not it reached the recipient; zero for never
	// ListedAt is where it stands in the recipient's lists: when it was sent, or the last reminder that the recipient may
	// see. What the recipient put away goes back to where it was sent.
	ListedAt time.Time
	// Conversation is what the recipient wrote in while the invitation was open; zero for none.
	Conversation id.Conversation
}

// VisibleTo reports whether the member may know of the invitation: its two sides, and nobody else.
func (i Invitation) VisibleTo(viewer id.Member) bool {
	return viewer == i.Sender || viewer == i.Recipient
}

// StateFor is the state as one of its two sides may see it: to its sender, what was ignored or declined is pending.
func (i Invitation) StateFor(viewer id.Member) State {
	if viewer == i.Sender && i.State.Open() {
		return Pending
	}
	return i.State
}

// RemindedFor is when one of its two sides was reminded last, as far as that side may see; zero for never. Only its
// sender learns of reminders to a recipient who had put the invitation away.
func (i Invitation) RemindedFor(viewer id.Member) time.Time {
	switch {
	case viewer == i.Sender:
		return i.RemindedAt
	case i.ListedAt.After(i.SentAt):
		return i.ListedAt
	default:
		return time.Time{}
	}
}

// TakenBack reports whether the invitation is as if it had never been told of: its notification is gone, too.
func (i Invitation) TakenBack() bool { return i.State == Withdrawn }

// Actor is who acts on an invitation.
type Actor string

// The actors.
const (
	BySender    Actor = "sender"
	ByRecipient Actor = "recipient"
	ByOther     Actor = "other" // any other member
	ByTime      Actor = "time"
)

// ActorFor tells which side of the invitation a member is.
func (i Invitation) ActorFor(member id.Member) Actor {
	switch member {
	case i.Sender:
		return BySender
	case i.Recipient:
		return ByRecipient
	default:
		return ByOther
	}
}

// Action is what is done to an invitation.
type Action string

// The actions. Cross is the recipient's inviting the sender in turn; Block is either side's, and closes the invitation
// as a withdrawal does.
const (
	Accept   Action = "accept"
	Ignore   Action = "ignore"
	DontKnow Action = "dont_know"
	Decline  Action = "decline"
	Cross    Action = "cross"
	Withdraw Action = "withdraw"
	Remind   Action = "remind"
	Block    Action = "block"
	Expire   Action = "expire"
)
