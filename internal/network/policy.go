package network

import (
	"strings"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/refusal"
	"github.com/acquaint/acquaint/internal/text"
)

// Policy is the numbers that an operator may set.
type Policy struct {
	NoteMax          int           // code points of an invitation's note
	ReinviteCooldown time.Duration // how long after a withdrawal its sender may not invite that recipient again
	InvitationExpiry time.Duration // how long an invitation stays open

	ReminderMax      int           // reminders of an invitation
	ReminderInterval time.Duration // from the sending to the first, and from one to the next

	InvitationLimit     int           // invitations of a member within InvitationWindow
	InvitationWindow    time.Duration // any period of that length
	OpenInvitationLimit int           // open invitations of a member

	FlagWarn       int           // from so many distinct flags within FlagWindow on a member is warned
	FlagRestrict   int           // and from so many on restricted
	FlagWindow     time.Duration // how long a flag counts
	FlagEvaluation time.Duration // how often flags take effect, all together; 0 is at once
	Restriction    time.Duration // how long a restriction lasts
}

// DefaultPolicy is the numbers where the operator sets none.
func DefaultPolicy() Policy {
	const day = 24 * time.Hour
	return Policy{
		NoteMax: 300, ReinviteCooldown: 21 * day, InvitationExpiry: 180 * day,
		ReminderMax: 2, ReminderInterval: 7 * day,
		InvitationLimit: 100, InvitationWindow: 7 * day, OpenInvitationLimit: 1000,
		FlagWarn: 3, FlagRestrict: 5, FlagWindow: 90 * day, FlagEvaluation: day, Restriction: 7 * day,
	}
}

// Audience is who may invite a member, as that member chose.
type Audience string

// The audiences.
const (
	Everyone          Audience = "everyone"
	MutualConnections Audience = "mutual_connections" // those who share a connection with the member
	KnowsEmail        Audience = "knows_email"        // those who give the member's email address
	Nobody            Audience = "nobody"
)

// Bar is why a sender may not invite a recipient again; zero times for no reason.
type Bar struct {
	DeclinedAt  time.Time
	WithdrawnAt time.Time
}

// Standing is how two members stand to each other, and the sender to the limits, when one invites the other; open
// invitations of the pair apart.
type Standing struct {
	Gone      bool // the recipient's account was deleted
	Blocked   bool // one of the two has blocked the other
	Connected bool
	Bar       Bar // of this sender from this recipient

	Audience Audience // who may invite the recipient
	Email    string   // the recipient's, in lower case; "" for none
	Mutual   bool     // the two share a connection

	RestrictedUntil time.Time // of the sender; zero for never
	InWindow        int       // the sender's invitations within the window, this one included
	Open            int       // the sender's open invitations, this one included
}

// MayInvite refuses an invitation that the standing of the two does not allow. email is the recipient's as the sender
// gave it. The cool-down and the decline are one code and one text, without a time to try again: the sender must not tell
// them apart. A limit is refused without its RetryAt; the caller knows it.
func (p Policy) MayInvite(s Standing, email string, now time.Time) error {
	knowsEmail := s.Email != "" && strings.EqualFold(strings.TrimSpace(email), s.Email)
	declined := !s.Bar.DeclinedAt.IsZero()
	cooling := !s.Bar.WithdrawnAt.IsZero() && now.Before(s.Bar.WithdrawnAt.Add(p.ReinviteCooldown))
	switch {
	case s.Gone, s.Blocked:
		return errMemberNotFound()
	case s.Connected:
		return refusal.New(CodeAlreadyConnected, "You are connected already.", "memberId")
	case declined, cooling:
		return refusal.New(CodeReinviteNotAllowed, "You cannot invite this member again now. They can still invite you.", "memberId")
	case s.Audience == Nobody, s.Audience == MutualConnections && !s.Mutual:
		return refusal.New(CodeRecipientNotAccepting, "This member does not accept your invitation. They can still invite you.", "memberId")
	case s.Audience == KnowsEmail && !knowsEmail:
		return refusal.New(CodeEmailRequired, "Give the email address of this member to invite them.", "email")
	case now.Before(s.RestrictedUntil) && !knowsEmail:
		refused := refusal.New(CodeInvitationsRestricted,
			"You may invite only members whose email address you give, as several recipients did not know you.", "email")
		refused.RetryAt = s.RestrictedUntil
		return refused
	case s.InWindow > p.InvitationLimit, s.Open > p.OpenInvitationLimit:
		return refusal.New(CodeInvitationLimitReached, "You have sent as many invitations as you may for now.")
	}
	return nil
}

// MayRemind refuses a reminder of an open invitation that comes too soon, or is one too many. It asks only what the
// sender knows.
func (p Policy) MayRemind(inv Invitation, now time.Time) error {
	if inv.Reminders >= p.ReminderMax {
		return refusal.New(CodeReminderLimitReached, "You have reminded this member as often as you may.", "invitationId")
	}
	last := inv.SentAt
	if inv.RemindedAt.After(last) {
		last = inv.RemindedAt
	}
	if next := last.Add(p.ReminderInterval); now.Before(next) {
		refused := refusal.New(CodeReminderTooSoon, "It is too soon to remind this member.", "invitationId")
		refused.RetryAt = next
		return refused
	}
	return nil
}

// Restriction is what the flags against a member have come to, as of the last evaluation.
type Restriction struct {
	Warned bool
	Until  time.Time // restricted until then; zero for never
	Since  time.Time // when the last restriction began; zero for never
}

// FlagCount is the flags against a member that count: one for each recipient, within the window.
type FlagCount struct {
	Sender id.Member
	Count  int
	Newest time.Time
	Before Restriction // what they came to the last time
}

// Evaluate is what flags come to. A restriction that is over begins anew only with a flag that came after it had begun:
// otherwise the same flags would restrict for as long as they count.
func (p Policy) Evaluate(flags FlagCount, now time.Time) Restriction {
	r := flags.Before
	r.Warned = flags.Count >= p.FlagWarn
	if flags.Count >= p.FlagRestrict && flags.Newest.After(r.Since) && !now.Before(r.Until) {
		r.Since, r.Until = now, now.Add(p.Restriction)
	}
	return r
}

func (p Policy) cleanNote(note string) (string, error) {
	return text.Rule{Max: p.NoteMax, Lines: true}.Clean(note, "note")
}
