package notification

import "github.com/acquaint/acquaint/internal/id"

// EventKind names a fact that may concern somebody.
type EventKind string

// The facts that are told of. What the other side must not learn (an invitation was ignored, flagged or declined) is no
// event: nothing can leak what is never made.
const (
	InvitationWasSent     EventKind = "invitation was sent"
	InvitationWasReminded EventKind = "invitation was reminded of"
	InvitationWasAccepted EventKind = "invitation was accepted"
	MessageWasSent        EventKind = "message was sent"
)

// Event is a fact of the network, by plain ids.
type Event struct {
	Kind       EventKind
	Sender     id.Member
	Recipient  id.Member
	Invitation id.Invitation
	Message    id.Message
}

// Draft is a notification before it has a number: whom to tell what.
type Draft struct {
	Member      id.Member // who is told
	Category    Category
	Actor       id.Member // who did it
	Invitation  id.Invitation
	Message     id.Message
	Publication id.Publication
	Reminder    bool
}

// Plan says whom an event is told to. It is pure; whether a draft is written is up to the member's preferences at the
// moment of writing, which the inbox checks as it gives the number.
func Plan(event Event) []Draft {
	switch event.Kind {
	case InvitationWasSent:
		return []Draft{{Member: event.Recipient, Category: InvitationReceived, Actor: event.Sender, Invitation: event.Invitation}}
	case InvitationWasReminded:
		return []Draft{{Member: event.Recipient, Category: InvitationReceived, Actor: event.Sender, Invitation: event.Invitation, Reminder: true}}
	case MessageWasSent:
		return []Draft{{Member: event.Recipient, Category: Message, Actor: event.Sender, Message: event.Message}}
	case InvitationWasAccepted:
		return []Draft{{Member: event.Sender, Category: InvitationAccepted, Actor: event.Recipient, Invitation: event.Invitation}}
	default:
		return nil
	}
}
