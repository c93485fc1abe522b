package network

import (
	"context"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/message"
	"github.com/acquaint/acquaint/internal/refusal"
)

// Respond answers an invitation to the viewer, with words to its sender, if any, where the answer is one that the sender
// may learn of or that a message does not give away: to accept, and to decline. The same answer again gives the present
// state, and says nothing again.
func (s *Service) Respond(ctx context.Context, viewer id.Member, invitation id.Invitation, answer Action, words string) (Invitation, error) {
	words, err := cleanWords(answer, words)
	if err != nil {
		return Invitation{}, err
	}
	return s.actOn(ctx, viewer, invitation, answer, words)
}

// cleanWords gives what goes with an answer as it is to be written, "" for nothing. One that puts the invitation away
// in silence has no words: they would be an answer.
func cleanWords(answer Action, words string) (string, error) {
	words, err := message.CleanOptionalBody(words, "message")
	if err == nil && words != "" && answer != Accept && answer != Decline {
		return "", refusal.New(refusal.Invalid, "A message can go with ACCEPT and DECLINE only.", "message")
	}
	return words, err
}

// say writes what goes with an answer, in its transaction, if the answer has changed something. To the sender a message
// with a decline is the same as one that the recipient writes before answering.
func (s *Service) say(ctx context.Context, tx Tx, before, after Invitation, words string) (Invitation, error) {
	if words == "" || after.State == before.State {
		return after, nil
	}
	written, err := message.Deliver(ctx, tx, s.newID, after.Recipient, after.Sender, words, s.now())
	if err != nil {
		return before, err
	}
	if !after.State.Open() { // else the message itself has opened it
		if err := tx.LinkConversation(ctx, after.ID, written.Conversation); err != nil {
			return before, err
		}
	}
	after.Conversation = written.Conversation
	return after, nil
}
