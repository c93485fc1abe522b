// Package export gathers all that is stored about a member and is theirs to see, as of one moment.
//
// What it holds back is what the member must not learn: what became in silence of the invitations that they sent, who
// flagged, barred, blocked or reported them, and what others keep to themselves. Two members whose lives differ in
// nothing else get exports that differ in nothing else.
package export

import (
	"context"
	"time"

	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/report"
)

// Data is what is stored about a member.
type Data struct {
	Subject string
	Account member.Member
	Profile *Profile // nil for none
	Privacy Privacy

	Preferences   notification.Preferences
	Connections   []network.Connection
	Invitations   []network.Invitation // both ways, oldest first
	Blocked       []Blocked
	Conversations []Conversation
	Notifications []notification.Notification
	Publications  map[id.Publication]host.Publication // of the notifications
	Reports       []report.Report                     // by the member
	// People are the others that all this names; those whom a block hides are not among them, but for those whom the
	// member has blocked.
	People map[id.Member]member.Member
}

// Profile is what the member tells of themselves beyond the headline.
type Profile struct {
	About                        string
	Positions                    []Position
	Education                    []Education
	Skills, Languages, Interests []string
}

// Position is a job in a profile.
type Position struct{ Company, Title, StartedOn, EndedOn string }

// Education is a course of study in a profile.
type Education struct{ School, Field, StartedOn, EndedOn string }

// Privacy is the member's privacy settings, as they are stored.
type Privacy struct {
	WhoCanInvite, WhoSeesConnections, WhoSeesProfile string
	ShareEmail                                       bool
}

// Blocked is a member whom the member has blocked.
type Blocked struct {
	Member    id.Member
	BlockedAt time.Time
}

// Conversation is what the member and another wrote to each other.
type Conversation struct {
	ID       id.Conversation
	With     id.Member
	Messages []Message // oldest first
}

// Message is a text of a conversation.
type Message struct {
	ID     id.Message
	Sender id.Member
	Body   string
	SentAt time.Time
}

// Store is what the package asks of the tables.
type Store interface {
	// Export reads everything as of one moment.
	Export(ctx context.Context, member id.Member) (Data, error)
}

// Service gives members their data.
type Service struct{ store Store }

// NewService makes a Service over a store.
func NewService(store Store) *Service { return &Service{store} }

// Export gives the viewer's data, with what is not the viewer's to see taken out.
func (s *Service) Export(ctx context.Context, viewer id.Member) (Data, error) {
	data, err := s.store.Export(ctx, viewer)
	if err != nil {
		return Data{}, err
	}
	for i, inv := range data.Invitations {
		data.Invitations[i] = Seen(inv, viewer)
	}
	return data, nil
}

// Seen is an invitation with nothing in it but what one of its two sides may see. Its times of reminders, too, are that
// side's.
func Seen(inv network.Invitation, viewer id.Member) network.Invitation {
	seen := network.Invitation{
		ID: inv.ID, Sender: inv.Sender, Recipient: inv.Recipient, Note: inv.Note, Acquaintance: inv.Acquaintance,
		State: inv.StateFor(viewer), SentAt: inv.SentAt, AcceptedAt: inv.AcceptedAt, RemindedAt: inv.RemindedFor(viewer),
	}
	if viewer == inv.Recipient {
		seen.Flagged = inv.Flagged
	}
	return seen
}
