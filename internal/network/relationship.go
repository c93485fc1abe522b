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

// Relate tells how the viewer stands to a member from what is stored: whether the viewer has blocked the member, when
// they connected, if they are, and the open invitation between them, if there is one. To a recipient who declined it
// there is none.
func Relate(viewer, member id.Member, blocked bool, connectedAt time.Time, open *Invitation) Relationship {
	switch {
	case viewer == member:
		return Relationship{Status: StatusSelf}
	case blocked:
		return Relationship{Status: StatusBlocked}
	case !connectedAt.IsZero():
		return Relationship{Status: StatusConnected, ConnectedAt: connectedAt}
	case open == nil || open.Recipient == viewer && open.State == Declined:
		return Relationship{Status: StatusNone}
	case open.Sender == viewer:
		return Relationship{Status: StatusSent, Invitation: open}
	default:
		return Relationship{Status: StatusReceived, Invitation: open}
	}
}
