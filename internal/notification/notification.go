package notification

import (
	"time"

	"github.com/acquaint/acquaint/internal/id"
)

// Notification is one entry of a member's inbox.
type Notification struct {
	ID         id.Notification
	Member     id.Member // whose inbox
	Sequence   int64     // 1, 2, 3 … in that inbox
	Category   Category
	Actor      id.Member     // zero when nobody did it
	Invitation id.Invitation // zero when it is about none
	Held       bool          // written while the member had paused
	CreatedAt  time.Time
	ReadAt     time.Time // zero while unread
}

// Hint says that something in a member's inbox changed, and that its numbers now run up to Number. It is all that is
// ever sent to wake subscribers; they read the rest from the inbox.
type Hint struct {
	Member id.Member
	Number int64
}

// Cursor is where a subscription stands in a member's inbox: at the last number that it has had.
type Cursor struct {
	Member id.Member
	After  int64
}

// Waker is told of changed inboxes, after the commit and only then. It must not block.
type Waker interface {
	Wake(hints ...Hint)
}
