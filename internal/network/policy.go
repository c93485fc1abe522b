package network

import (
	"time"

	"github.com/acquaint/acquaint/internal/refusal"
	"github.com/acquaint/acquaint/internal/text"
)

// Policy is the numbers that an operator may set.
type Policy struct {
	NoteMax          int           // code points of an invitation's note
	ReinviteCooldown time.Duration // how long after a withdrawal its sender may not invite that recipient again
}

// DefaultPolicy is the numbers where the operator sets none.
func DefaultPolicy() Policy {
	return Policy{NoteMax: 300, ReinviteCooldown: 21 * 24 * time.Hour}
}

// Bar is why a sender may not invite a recipient again; zero times for no reason.
type Bar struct {
	DeclinedAt  time.Time
	WithdrawnAt time.Time
}

// Standing is how two members stand to each other when one invites the other, apart from open invitations.
type Standing struct {
	Connected bool
	Bar       Bar // of this sender from this recipient
}

// MayInvite refuses an invitation that the standing of the two does not allow. The cool-down and the decline are one
// code and one text, without a time to try again: the sender must not tell them apart.
func (p Policy) MayInvite(s Standing, now time.Time) error {
	if s.Connected {
		return refusal.New(CodeAlreadyConnected, "You are connected already.", "memberId")
	}
	declined := !s.Bar.DeclinedAt.IsZero()
	cooling := !s.Bar.WithdrawnAt.IsZero() && now.Before(s.Bar.WithdrawnAt.Add(p.ReinviteCooldown))
	if declined || cooling {
		return refusal.New(CodeReinviteNotAllowed, "You cannot invite this member again now. They can still invite you.", "memberId")
	}
	return nil
}

func (p Policy) cleanNote(note string) (string, error) {
	return text.Rule{Max: p.NoteMax, Lines: true}.Clean(note, "note")
}
