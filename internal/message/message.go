package message

import (
	"strings"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/refusal"
	"github.com/acquaint/acquaint/internal/text"
)

// The lengths, in code points.
const (
	BodyMax = 8_000
	keyMax  = 100
)

// The codes with which messages are refused.
const (
	CodeMemberNotFound       refusal.Code = "MEMBER_NOT_FOUND"
	CodeConversationNotFound refusal.Code = "CONVERSATION_NOT_FOUND"
	CodeMessagingNotAllowed  refusal.Code = "MESSAGING_NOT_ALLOWED"
)

// Message is a text of a conversation.
type Message struct {
	ID           id.Message
	Conversation id.Conversation
	Number       int64 // 1, 2, 3 … in the conversation
	Sender       id.Member
	Body         string
	SentAt       time.Time
}

// Conversation is one member's side of what two members write to each other. There is none without a message.
type Conversation struct {
	ID            id.Conversation
	With          id.Member // the other
	LastNumber    int64     // of the newest message; as there are no gaps, also how many there are
	LastMessageAt time.Time
	ReadThrough   int64 // the number of the last message that the member has read
	// Blocked says that one of the two has blocked the other: the conversation is hidden from both.
	Blocked bool
}

// Unread is how many messages of the other the member has not read: to write is to have read all before it.
func (c Conversation) Unread() int64 { return c.LastNumber - c.ReadThrough }

// CleanBody gives the text of a message as it is to be stored, or refuses it, blaming the field.
func CleanBody(body, field string) (string, error) {
	return text.Rule{Max: BodyMax, Required: true, Lines: true}.Clean(body, field)
}

// CleanOptionalBody is CleanBody for a message that need not be there: an empty text is none.
func CleanOptionalBody(body, field string) (string, error) {
	if strings.TrimSpace(body) == "" {
		return "", nil
	}
	return CleanBody(body, field)
}

func cleanKey(key *string) (string, error) {
	if key == nil {
		return "", nil
	}
	return text.Rule{Max: keyMax, Required: true}.Clean(*key, "clientKey")
}
