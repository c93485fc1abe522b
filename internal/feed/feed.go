// Package feed is the silent log of each member: what keeps their open tabs true, and brings messages to them. It is
// never a notification and under no preference.
//
// Entries are numbered per member like notifications, written in the transaction of the fact they tell of, and read by
// subscriptions through a hub; nothing shows the numbers. The store keeps sets of connections up to date by them, too
// (internal/store/peers.go). Entries are pruned after Kept: no subscription stays open for so long, and no set is kept so long.
package feed

import (
	"time"

	"github.com/acquaint/acquaint/internal/id"
)

// Kept is for how long entries are kept at least.
const Kept = 7 * 24 * time.Hour

// Kind is what an entry tells of.
type Kind string

// The kinds. All but MessageReceived are changes of the member's network.
const (
	InvitationAdded   Kind = "invitation_added"
	InvitationClosed  Kind = "invitation_closed"
	ConnectionAdded   Kind = "connection_added"
	ConnectionRemoved Kind = "connection_removed"
	NotificationsRead Kind = "notifications_read"
	MessageReceived   Kind = "message_received"
)

// Kinds gives all of them.
func Kinds() []Kind {
	return []Kind{InvitationAdded, InvitationClosed, ConnectionAdded, ConnectionRemoved, NotificationsRead, MessageReceived}
}

// Draft is an entry before it has a number: whom to tell what.
type Draft struct {
	Member     id.Member // whose feed
	Kind       Kind
	Other      id.Member     // the other member whom it concerns; zero for none
	Invitation id.Invitation // zero for none
	Message    id.Message    // zero for none
}

// Entry is one entry of a member's feed.
type Entry struct {
	Draft

	Number int64 // 1, 2, 3 … in that feed
}

// Position is the entry's number.
func (e Entry) Position() int64 { return e.Number }

// OnHold reports whether the entry is held back; none ever is.
func (Entry) OnHold() bool { return false }

// WrittenAt is not known: an entry holds no time, as nobody is shown one.
func (Entry) WrittenAt() time.Time { return time.Time{} }
