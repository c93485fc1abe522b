package network

import (
	"time"

	"github.com/acquaint/acquaint/internal/refusal"
)

// The codes with which invitations and connections are refused.
const (
	CodeMemberNotFound            refusal.Code = "MEMBER_NOT_FOUND"
	CodeInvitationNotFound        refusal.Code = "INVITATION_NOT_FOUND"
	CodeInvitationWithdrawn       refusal.Code = "INVITATION_WITHDRAWN"
	CodeInvitationAlreadyAnswered refusal.Code = "INVITATION_ALREADY_ANSWERED"
	CodeCannotInviteSelf          refusal.Code = "CANNOT_INVITE_SELF"
	CodeAlreadyConnected          refusal.Code = "ALREADY_CONNECTED"
	CodeAlreadyInvited            refusal.Code = "ALREADY_INVITED"
	CodeNotConnected              refusal.Code = "NOT_CONNECTED"
	CodeReinviteNotAllowed        refusal.Code = "REINVITE_NOT_ALLOWED"
	CodeInvitationLimitReached    refusal.Code = "INVITATION_LIMIT_REACHED"
	CodeInvitationsRestricted     refusal.Code = "INVITATIONS_RESTRICTED"
	CodeRecipientNotAccepting     refusal.Code = "RECIPIENT_NOT_ACCEPTING"
	CodeEmailRequired             refusal.Code = "EMAIL_REQUIRED"
	CodeReminderTooSoon           refusal.Code = "REMINDER_TOO_SOON"
	CodeReminderLimitReached      refusal.Code = "REMINDER_LIMIT_REACHED"
)

// Event is what a transition brought about.
type Event string

// The events of an invitation. Unchanged answers an action that was done before.
const (
	Unchanged    Event = ""
	WasAccepted  Event = "accepted"
	WasIgnored   Event = "ignored"
	WasFlagged   Event = "flagged"
	WasDeclined  Event = "declined"
	WasWithdrawn Event = "withdrawn"
	WasReminded  Event = "reminded"
	// WasRemindedInVain is a reminder to a recipient who has put the invitation away: only its sender knows of it.
	WasRemindedInVain Event = "reminded in vain"
	WasBlocked        Event = "blocked"
	HasExpired        Event = "expired"
)

// Transition is the state machine: it gives the invitation after an action, and what that brought about. An action that
// is refused (always with a *refusal.Error) or was done before gives the invitation as it is.
func Transition(inv Invitation, actor Actor, action Action, now time.Time) (Invitation, Event, error) {
	switch {
	case actor == ByRecipient && action == Cross:
		return cross(inv, now)
	case actor == ByRecipient && (action == Accept || action == Ignore || action == DontKnow || action == Decline):
		return answer(inv, action, now)
	case actor == BySender && action == Withdraw:
		return withdraw(inv)
	case actor == BySender && action == Remind:
		return remind(inv, now)
	case (actor == BySender || actor == ByRecipient) && action == Block:
		if !inv.State.Open() {
			return inv, Unchanged, nil
		}
		inv.State = Withdrawn
		return inv, WasBlocked, nil
	case actor == ByTime && action == Expire:
		return expire(inv)
	default: // the invitation is not this actor's to act on
		return inv, Unchanged, errInvitationNotFound()
	}
}

func answer(inv Invitation, action Action, now time.Time) (Invitation, Event, error) {
	if inv.State == Withdrawn || inv.State == Expired {
		return inv, Unchanged, errInvitationWithdrawn()
	}
	switch action { //nolint:exhaustive // the other actions are no answers
	case Accept:
		switch inv.State { //nolint:exhaustive // the rest is refused below
		case Accepted:
			return inv, Unchanged, nil
		case Pending, Ignored:
			inv.State, inv.AcceptedAt = Accepted, now
			return inv, WasAccepted, nil
		}
	case Ignore:
		switch inv.State { //nolint:exhaustive // the rest is refused below
		case Ignored: // flagged or not: the archive has it
			return inv, Unchanged, nil
		case Pending:
			return inv.putAway(Ignored), WasIgnored, nil
		}
	case DontKnow:
		if inv.State == Pending || inv.State == Ignored {
			if inv.Flagged {
				return inv, Unchanged, nil
			}
			inv.Flagged = true
			return inv.putAway(Ignored), WasFlagged, nil
		}
	case Decline:
		switch inv.State { //nolint:exhaustive // the rest is refused below
		case Declined:
			return inv, Unchanged, nil
		case Pending, Ignored:
			return inv.putAway(Declined), WasDeclined, nil
		}
	}
	return inv, Unchanged, errAlreadyAnswered()
}

// putAway is the invitation in a state in which its recipient sees no reminder, not even an earlier one.
func (i Invitation) putAway(state State) Invitation {
	i.State, i.ListedAt = state, i.SentAt
	return i
}

// remind does not ask whether it is time: Policy.MayRemind does.
func remind(inv Invitation, now time.Time) (Invitation, Event, error) {
	switch inv.State {
	case Accepted:
		return inv, Unchanged, errAlreadyAnswered()
	case Withdrawn, Expired:
		return inv, Unchanged, errInvitationWithdrawn()
	case Pending, Ignored, Declined:
	}
	inv.Reminders++
	inv.RemindedAt = now
	if inv.State != Pending {
		return inv, WasRemindedInVain, nil
	}
	inv.ListedAt = now
	return inv, WasReminded, nil
}

// cross accepts whatever is open: a recipient who declined and now invites has come to want the connection, too.
func cross(inv Invitation, now time.Time) (Invitation, Event, error) {
	if !inv.State.Open() {
		return inv, Unchanged, errInvitationWithdrawn()
	}
	inv.State, inv.AcceptedAt = Accepted, now
	return inv, WasAccepted, nil
}

func withdraw(inv Invitation) (Invitation, Event, error) {
	switch inv.State {
	case Withdrawn:
		return inv, Unchanged, nil
	case Accepted:
		return inv, Unchanged, errAlreadyAnswered()
	case Expired:
		return inv, Unchanged, errInvitationWithdrawn()
	case Pending, Ignored, Declined:
	}
	inv.State = Withdrawn
	return inv, WasWithdrawn, nil
}

func expire(inv Invitation) (Invitation, Event, error) {
	switch {
	case inv.State == Expired:
		return inv, Unchanged, nil
	case !inv.State.Open():
		return inv, Unchanged, errInvitationWithdrawn()
	}
	inv.State = Expired
	return inv, HasExpired, nil
}

func errInvitationNotFound() error {
	return refusal.New(CodeInvitationNotFound, "There is no such invitation.", "invitationId")
}

func errInvitationWithdrawn() error {
	return refusal.New(CodeInvitationWithdrawn, "This invitation is no longer open.", "invitationId")
}

func errAlreadyAnswered() error {
	return refusal.New(CodeInvitationAlreadyAnswered, "This invitation has been answered already.", "invitationId")
}
