package network

import (
	"context"
	"time"

	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// tell writes what an event of an invitation tells, and to whom: notifications, and entries of feeds.
func (s *Service) tell(ctx context.Context, tx Tx, before, after Invitation, event Event, now time.Time) error {
	var kind notification.EventKind
	switch event { //nolint:exhaustive // nobody is notified of the rest
	case wasSent:
		kind = notification.InvitationWasSent
	case WasReminded:
		kind = notification.InvitationWasReminded
	case WasAccepted:
		kind = notification.InvitationWasAccepted
	}
	for _, draft := range notification.Plan(notification.Event{
		Kind: kind, Sender: after.Sender, Recipient: after.Recipient, Invitation: after.ID,
	}) {
		if err := tx.Notify(ctx, id.Notification(s.newID()), draft, now); err != nil {
			return err
		}
	}
	return s.record(ctx, tx, changes(before, after, event)...)
}

// record writes entries of feeds.
func (s *Service) record(ctx context.Context, tx Tx, drafts ...feed.Draft) error {
	for _, draft := range drafts {
		if err := tx.Append(ctx, s.newID(), draft); err != nil {
			return err
		}
	}
	return nil
}

// changes says whose open tabs an event of an invitation makes untrue. It is pure. What a recipient did in silence is the
// recipient's alone; what its sender does comes to the sender in every open state alike, and to a recipient who declined,
// for whom the invitation is gone, not at all.
func changes(before, after Invitation, event Event) []feed.Draft {
	sender := func(kind feed.Kind) feed.Draft {
		return feed.Draft{Member: after.Sender, Kind: kind, Other: after.Recipient, Invitation: after.ID}
	}
	recipient := func(kind feed.Kind) feed.Draft {
		return feed.Draft{Member: after.Recipient, Kind: kind, Other: after.Sender, Invitation: after.ID}
	}
	switch event {
	case wasSent:
		return []feed.Draft{sender(feed.InvitationAdded), recipient(feed.InvitationAdded)}
	case WasAccepted:
		return []feed.Draft{
			sender(feed.InvitationClosed), sender(feed.ConnectionAdded),
			recipient(feed.InvitationClosed), recipient(feed.ConnectionAdded),
		}
	case WasIgnored, WasFlagged, WasDeclined:
		return []feed.Draft{recipient(feed.InvitationClosed)}
	case WasWithdrawn, WasBlocked, HasExpired:
		if before.State == Declined {
			return []feed.Draft{sender(feed.InvitationClosed)}
		}
		return []feed.Draft{sender(feed.InvitationClosed), recipient(feed.InvitationClosed)}
	case WasReminded, WasRemindedInVain, Unchanged: // a notification, if anything
	}
	return nil
}
