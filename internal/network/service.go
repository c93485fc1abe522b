package network

import (
	"context"
	"errors"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/refusal"
)

// Service is the use cases of invitations and connections. Whoever is concerned is woken after the commit.
type Service struct {
	store  Store
	waker  notification.Waker
	policy Policy
	now    func() time.Time
	newID  id.Source
}

// NewService makes a Service.
func NewService(store Store, waker notification.Waker, policy Policy, now func() time.Time, newID id.Source) *Service {
	return &Service{store: store, waker: waker, policy: policy, now: now, newID: newID}
}

// InviteInput is whom to invite, and what to say.
type InviteInput struct {
	Recipient    id.Member
	Note         string
	Acquaintance Acquaintance
}

// Invite sends an invitation. If the recipient has invited the viewer already this accepts that invitation instead, and
// gives it. When the viewer's own is still open it gives that with an ALREADY_INVITED refusal.
//
// The invitation is inserted before anything is asked: from then on the unique index keeps every other transaction from
// opening one for the pair, and whatever was accepted before is committed. So the connection, if there is one, is seen.
// Asked first, an acceptance could slip in between the look and the insert.
func (s *Service) Invite(ctx context.Context, viewer id.Member, in InviteInput) (Invitation, error) {
	if in.Recipient == viewer {
		return Invitation{}, refusal.New(CodeCannotInviteSelf, "You cannot invite yourself.", "memberId")
	}
	note, err := s.policy.cleanNote(in.Note)
	if err != nil {
		return Invitation{}, err
	}
	if in.Acquaintance == "" {
		in.Acquaintance = Unspecified
	}

	var result Invitation
	err = s.transact(ctx, func(ctx context.Context, tx Tx) error {
		now := s.now()
		result = Invitation{
			ID: id.Invitation(s.newID()), Sender: viewer, Recipient: in.Recipient,
			Note: note, Acquaintance: in.Acquaintance, State: Pending, SentAt: now, ListedAt: now,
		}
		inserted, err := tx.InsertInvitation(ctx, result)
		if errors.Is(err, ErrNotFound) {
			return errMemberNotFound()
		}
		if err != nil {
			return err
		}
		if !inserted {
			result, err = s.meetOpen(ctx, tx, viewer, in.Recipient)
			return err
		}
		standing, err := tx.Standing(ctx, viewer, in.Recipient)
		if err != nil {
			return err
		}
		if err := s.policy.MayInvite(standing, now); err != nil {
			return err
		}
		return s.notify(ctx, tx, notification.InvitationWasSent, result, now)
	})
	if err != nil && !isCode(err, CodeAlreadyInvited) {
		return Invitation{}, err
	}
	return result, err
}

// meetOpen is an invite that met an open invitation of the pair: the viewer's own stands, the other's is accepted.
func (s *Service) meetOpen(ctx context.Context, tx Tx, viewer, other id.Member) (Invitation, error) {
	open, err := tx.OpenInvitation(ctx, viewer, other)
	if errors.Is(err, ErrNotFound) { // closed since
		return Invitation{}, ErrStale
	}
	if err != nil {
		return Invitation{}, err
	}
	if open.Sender == viewer {
		return open, refusal.New(CodeAlreadyInvited, "You have invited this member already.", "memberId")
	}
	return s.act(ctx, tx, open, ByRecipient, Cross)
}

// Respond answers an invitation to the viewer. The same answer again gives the present state.
func (s *Service) Respond(ctx context.Context, viewer id.Member, invitation id.Invitation, answer Action) (Invitation, error) {
	return s.actOn(ctx, viewer, invitation, answer)
}

// Withdraw takes back an invitation of the viewer's, and the notification that told of it.
func (s *Service) Withdraw(ctx context.Context, viewer id.Member, invitation id.Invitation) (Invitation, error) {
	return s.actOn(ctx, viewer, invitation, Withdraw)
}

func (s *Service) actOn(ctx context.Context, viewer id.Member, invitation id.Invitation, action Action) (Invitation, error) {
	var result Invitation
	err := s.transact(ctx, func(ctx context.Context, tx Tx) error {
		inv, err := tx.Invitation(ctx, invitation)
		if errors.Is(err, ErrNotFound) {
			return errInvitationNotFound()
		}
		if err != nil {
			return err
		}
		result, err = s.act(ctx, tx, inv, inv.ActorFor(viewer), action)
		return err
	})
	if err != nil {
		return Invitation{}, err
	}
	return result, nil
}

// act asks the state machine and writes what it says, with all that follows from it.
func (s *Service) act(ctx context.Context, tx Tx, before Invitation, actor Actor, action Action) (Invitation, error) {
	now := s.now()
	after, event, err := Transition(before, actor, action, now)
	if err != nil || event == Unchanged {
		return before, err
	}
	if err := tx.ReplaceInvitation(ctx, before, after); err != nil {
		return before, err
	}
	switch event {
	case WasAccepted:
		if err := tx.LiftBars(ctx, after.Sender, after.Recipient); err != nil {
			return before, err
		}
		if err := tx.Connect(ctx, after.Sender, after.Recipient, now); err != nil {
			return before, err
		}
		err = s.notify(ctx, tx, notification.InvitationWasAccepted, after, now)
	case WasDeclined:
		err = tx.Bar(ctx, after.Sender, after.Recipient, Bar{DeclinedAt: now})
	case WasWithdrawn:
		if err := tx.Bar(ctx, after.Sender, after.Recipient, Bar{WithdrawnAt: now}); err != nil {
			return before, err
		}
		err = tx.Retract(ctx, after.Recipient, after.ID)
	case Unchanged, WasIgnored, WasFlagged, HasExpired: // the state is all there is to them
	}
	if err != nil {
		return before, err
	}
	return after, nil
}

// Remove ends a connection of the viewer's, for both and silently.
func (s *Service) Remove(ctx context.Context, viewer, other id.Member) error {
	return s.transact(ctx, func(ctx context.Context, tx Tx) error {
		removed, err := tx.Disconnect(ctx, viewer, other)
		if err != nil || removed {
			return err
		}
		exists, err := tx.MemberExists(ctx, other)
		if err != nil {
			return err
		}
		if !exists {
			return errMemberNotFound()
		}
		return refusal.New(CodeNotConnected, "You are not connected.", "memberId")
	})
}

// notify writes what an event tells, and to whom.
func (s *Service) notify(ctx context.Context, tx Tx, kind notification.EventKind, inv Invitation, now time.Time) error {
	drafts := notification.Plan(notification.Event{
		Kind: kind, Sender: inv.Sender, Recipient: inv.Recipient, Invitation: inv.ID,
	})
	for _, draft := range drafts {
		if err := tx.Notify(ctx, id.Notification(s.newID()), draft, now); err != nil {
			return err
		}
	}
	return nil
}

// transact runs a use case and, once it is committed, wakes those whose logs it wrote to.
func (s *Service) transact(ctx context.Context, do func(ctx context.Context, tx Tx) error) error {
	hints, err := s.store.Transact(ctx, do)
	if err == nil && len(hints) > 0 {
		s.waker.Wake(hints...)
	}
	return err
}

func errMemberNotFound() error {
	return refusal.New(CodeMemberNotFound, "There is no such member.", "memberId")
}

func isCode(err error, code refusal.Code) bool {
	var refused *refusal.Error
	return errors.As(err, &refused) && refused.Code == code
}
