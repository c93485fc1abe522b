package network

import (
	"time"

	"github.com/acquaint/acquaint/internal/id"
)

// Status is how the viewer stands to a member, as the viewer may see it.
type Status string

// The statuses.
const (
	StatusSelf      Status = "self"
	StatusNone      Status = "none"
	StatusSent      Status = "invitation_sent"
	StatusReceived  Status = "invitation_received"
	StatusConnected Status = "connected"
	StatusBlocked   Status = "blocked" // by the viewer
)

// Relationship is how the viewer stands to a member.
type Relationship struct {
	Status      Status
	ConnectedAt time.Time   // zero unless connected
	Invitation  *Invitation // the open one between the two, where the viewer may see that it is open
}

// Between is what is stored between a member and another.
type Between struct {
	Blocked     bool        // the other, by the member
	ConnectedAt time.Time   // zero unless they are connected
	Open        *Invitation // whoever sent it; nil for none
}

// Relate tells how the viewer stands to a member from what there is between them. To a recipient who declined it there is
// no invitation.
func Relate(viewer, member id.Member, between Between) Relationship {
	open := between.Open
	switch {
	case viewer == member:
		return Relationship{Status: StatusSelf}
	case between.Blocked:
		return Relationship{Status: StatusBlocked}
	case !between.ConnectedAt.IsZero():
		return Relationship{Status: StatusConnected, ConnectedAt: between.ConnectedAt}
	case open == nil || open.Recipient == viewer && open.State == Declined:
		return Relationship{Status: StatusNone}
	case open.Sender == viewer:
		return Relationship{Status: StatusSent, Invitation: open}
	default:
		return Relationship{Status: StatusReceived, Invitation: open}
	}
}
