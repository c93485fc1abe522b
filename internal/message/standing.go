package message

import (
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/refusal"
)

// Standing is how a member who writes stands to another, as far as it decides whether they may. The zero value is that of
// strangers.
type Standing struct {
	Gone      bool // the other was deleted
	Blocked   bool // one of the two has blocked the other
	Connected bool
	Open      *OpenInvitation // between the two, in either direction; nil for none
}

// OpenInvitation is what matters here of an invitation that is open: pending, ignored or declined.
type OpenInvitation struct {
	ID      id.Invitation
	Sender  id.Member
	Pending bool // the recipient has put it neither into the archive nor away
	// Conversation is what the recipient has written in while it was open; zero for none.
	Conversation id.Conversation
}

// MaySend refuses a message that the standing of the two does not allow. What of an open invitation it looks at is the
// same in all its states: the sender of one that was ignored or declined may what it might before.
func MaySend(s Standing, writer id.Member) error {
	switch {
	case s.Gone, s.Blocked:
		return errMemberNotFound()
	case s.Connected:
		return nil
	case s.Open != nil && (s.Open.Sender != writer || s.Open.Conversation != id.Conversation{}):
		return nil
	default:
		return errNotAllowed()
	}
}

// replies reports whether a message is the first that the recipient of the open invitation writes to its sender: from
// then on the sender may reply.
func (s Standing) replies(writer id.Member) bool {
	return s.Open != nil && s.Open.Sender != writer && s.Open.Conversation == id.Conversation{}
}

// notifies reports whether the other is notified of a message. One who has put the writer's invitation away is not, out
// of courtesy; the message is in the conversation all the same, and to the writer nothing is different.
func (s Standing) notifies(writer id.Member) bool {
	return s.Connected || s.Open == nil || s.Open.Sender != writer || s.Open.Pending
}

func errMemberNotFound() error {
	return refusal.New(CodeMemberNotFound, "There is no such member.", "memberId")
}

func errNotAllowed() error {
	return refusal.New(CodeMessagingNotAllowed,
		"You can write to your connections, and to members who have invited you or answered your invitation with a message.", "memberId")
}

func errConversationNotFound() error {
	return refusal.New(CodeConversationNotFound, "There is no such conversation.", "conversationId")
}
