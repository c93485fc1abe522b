package notification

import (
	"time"

	"github.com/acquaint/acquaint/internal/id"
)

// Notification is one entry of a member's inbox.
type Notification struct {
	ID          id.Notification
	Member      id.Member // whose inbox
	Sequence    int64     // 1, 2, 3 … in that inbox
	Category    Category
	Actor       id.Member      // zero when nobody did it
	Invitation  id.Invitation  // zero when it is about none
	Message     id.Message     // likewise
	Publication id.Publication // likewise
	Reminder    bool           // it tells again of an invitation
	Held        bool           // written while the member had paused
	CreatedAt   time.Time
	ReadAt      time.Time // zero while unread
}

// Position is its place in the inbox.
func (n Notification) Position() int64 { return n.Sequence }

// OnHold reports whether live subscriptions do not get it.
func (n Notification) OnHold() bool { return n.Held }

// WrittenAt is when it was written, shortly before its commit.
func (n Notification) WrittenAt() time.Time { return n.CreatedAt }

// Log is one of the two numbered logs of a member.
type Log uint8

// The logs.
const (
	InboxLog Log = iota // notifications
	FeedLog             // silent changes and messages; package feed
)

// Hint says that something in a member's log changed, and that its numbers now run up to Number. It is all that is ever
// sent to wake subscribers; they read the rest from the log.
type Hint struct {
	Log    Log
	Member id.Member
	Number int64
	// Entry is what was written with the number, where it was this process that has: it saves those who wait for it the
	// reading. It goes nowhere else, and may be nil.
	Entry any
}

// Cursor is where a subscription stands in a member's log: at the last number that it has had.
type Cursor struct {
	Member id.Member
	After  int64
}

// Waker is told of changed logs, after the commit and only then. It must not block.
type Waker interface {
	Wake(hints ...Hint)
}
