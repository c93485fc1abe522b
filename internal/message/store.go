package message

import (
	"context"
	"errors"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// ErrNotFound is what a Store answers when there is no such thing.
var ErrNotFound = errors.New("no such message")

// Store is what the package asks of the tables.
type Store interface {
	// Transact runs do in one transaction, and again when the database broke it to settle a conflict. When do gives an
	// error nothing is written. It gives the hints of the logs that were written to.
	Transact(ctx context.Context, do func(ctx context.Context, tx Tx) error) ([]notification.Hint, error)

	// Conversations gives one page of a member's, the last written first, and whether there are more beyond it in the
	// direction of paging. Those that a block hides are left out.
	Conversations(ctx context.Context, member id.Member, page ConversationPage) (list []Conversation, more bool, err error)
	// CountConversations counts them all.
	CountConversations(ctx context.Context, member id.Member) (int, error)
	// ConversationsByID gives those of the ids that the member takes part in, also those that a block hides.
	ConversationsByID(ctx context.Context, member id.Member, ids []id.Conversation) ([]Conversation, error)
	// MarkRead marks a conversation as read through a number; what was read before stays read.
	MarkRead(ctx context.Context, member id.Member, conversation id.Conversation, through int64) error

	// Messages gives pages of conversations, newest first.
	Messages(ctx context.Context, parts []Part) (map[Part][]Message, error)
	// MessagesByID gives those of the ids that are in conversations of the member, and that no block hides.
	MessagesByID(ctx context.Context, member id.Member, ids []id.Message) ([]Message, error)

	// Standings tells how a member stands to each of others, and nothing of those who do not exist.
	Standings(ctx context.Context, member id.Member, others []id.Member) (map[id.Member]Standing, error)
}

// Tx is the tables in one transaction. It begins with Lock, so that all that concerns a pair of members, and all that one
// member sends, happens one after the other.
type Tx interface {
	notification.Tx

	// MessageStanding tells how a member stands to another; one who does not exist is gone.
	MessageStanding(ctx context.Context, writer, other id.Member) (Standing, error)
	// MessageByKey gives the message that a sender's client named so, and to whom it went; ErrNotFound when there is none.
	MessageByKey(ctx context.Context, sender id.Member, key string) (Message, id.Member, error)
	// WriteMessage writes a message with the next number of the conversation of its sender and another, which it makes
	// when there is none, and gives it with both. For its sender all before it is read then.
	WriteMessage(ctx context.Context, m Message, to id.Member, key string, fresh id.Conversation) (Message, error)
	// LinkConversation notes that the recipient of an invitation has written to its sender.
	LinkConversation(ctx context.Context, invitation id.Invitation, conversation id.Conversation) error
}

// ConversationPage is a part of a list of conversations, the last written first: the first Limit after After, or, when
// Backward, the last Limit before Before.
type ConversationPage struct {
	After, Before *ConversationPosition
	Limit         int
	Backward      bool
}

// ConversationPosition is where a conversation stands in a list.
type ConversationPosition struct {
	LastMessageAt time.Time
	ID            id.Conversation
}

// Page is a part of a conversation's messages, newest first. After and Before are numbers, 0 for none; Backward asks for
// the last Limit before Before instead of the first Limit after After.
type Page struct {
	After, Before int64
	Limit         int
	Backward      bool
}

// Part is a page of a conversation.
type Part struct {
	Conversation id.Conversation
	Page
}
