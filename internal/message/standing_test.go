package message_test

import (
	"errors"
	"testing"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/message"
	"github.com/acquaint/acquaint/internal/refusal"
)

// Who may write to whom: every standing, from both sides.
func TestMaySend(t *testing.T) {
	t.Parallel()
	sender, recipient := id.Member{1}, id.Member{2}
	written := id.Conversation{3}
	open := func(pending bool, conversation id.Conversation) *message.OpenInvitation {
		return &message.OpenInvitation{Sender: sender, Pending: pending, Conversation: conversation}
	}
	const yes, no, unknown = refusal.Code(""), message.CodeMessagingNotAllowed, message.CodeMemberNotFound
	for _, c := range []struct {
		what                 string
		standing             message.Standing
		bySender, byTheOther refusal.Code
	}{
		{"strangers, or no longer anything", message.Standing{}, no, no},
		{"connected", message.Standing{Connected: true}, yes, yes},
		{"invited", message.Standing{Open: open(true, id.Conversation{})}, no, yes},
		{"invited, and the recipient has written", message.Standing{Open: open(true, written)}, yes, yes},
		{"put away", message.Standing{Open: open(false, id.Conversation{})}, no, yes},
		{"put away, and the recipient has written", message.Standing{Open: open(false, written)}, yes, yes},
		{"blocked", message.Standing{Blocked: true}, unknown, unknown},
		{"blocked wins over a connection", message.Standing{Blocked: true, Connected: true}, unknown, unknown},
		{"blocked wins over an invitation", message.Standing{Blocked: true, Open: open(true, written)}, unknown, unknown},
		{"deleted", message.Standing{Gone: true}, unknown, unknown},
		{"deleted wins over a connection", message.Standing{Gone: true, Connected: true}, unknown, unknown},
		{"deleted wins over an invitation", message.Standing{Gone: true, Open: open(true, written)}, unknown, unknown},
	} {
		for writer, want := range map[id.Member]refusal.Code{sender: c.bySender, recipient: c.byTheOther} {
			var got refusal.Code
			if refused, ok := errors.AsType[*refusal.Error](message.MaySend(c.standing, writer)); ok {
				got = refused.Code
				if !refused.RetryAt.IsZero() {
					t.Errorf("%s: a time to try again", c.what)
				}
			}
			if got != want {
				t.Errorf("%s, written by the sender %v: %q, want %q", c.what, writer == sender, got, want)
			}
		}
	}
}

// Silence, at its root: whether an invitation is pending makes no difference to whether its sender may write.
func TestMaySendKeepsSilence(t *testing.T) {
	t.Parallel()
	sender := id.Member{1}
	for _, conversation := range []id.Conversation{{}, {3}} {
		pending := message.MaySend(message.Standing{Open: &message.OpenInvitation{Sender: sender, Pending: true, Conversation: conversation}}, sender)
		away := message.MaySend(message.Standing{Open: &message.OpenInvitation{Sender: sender, Conversation: conversation}}, sender)
		if (pending == nil) != (away == nil) || pending != nil && pending.Error() != away.Error() {
			t.Errorf("pending gives %v, put away %v", pending, away)
		}
	}
}
