package network

import (
	"context"
	"errors"
	"time"

	"github.com/acquaint/acquaint/internal/feed"
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
	Email        string // the recipient's, where the sender knows it
}

// Invite sends an invitation. If the recipient has invited the viewer already this accepts that invitation instead, and
// gives it. When the viewer's own is still open it gives that with an ALREADY_INVITED refusal.
//
// The invitation is inserted before anything is asked: the unique index tells whether the pair has an open one, and what
// the policy counts includes it. A refusal rolls it back.
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
	since := s.now().Add(-s.policy.InvitationWindow)
	about := About{Sender: viewer, Recipient: in.Recipient, Since: since}
	err = s.transactTogether(ctx, about, func(ctx context.Context, tx Tx) error {
		if err := lock(ctx, tx, viewer, in.Recipient); err != nil {
			return err
		}
		now := s.now()
		result = Invitation{
			ID: id.Invitation(s.newID()), Sender: viewer, Recipient: in.Recipient,
			Note: note, Acquaintance: in.Acquaintance, State: Pending, SentAt: now, ListedAt: now,
		}
		inserted, err := tx.InsertInvitation(ctx, result)
		if err != nil {
			return err
		}
		if !inserted {
			result, err = s.meetOpen(ctx, tx, viewer, in.Recipient)
			return err
		}
		if err := s.judge(ctx, tx, result, since, in.Email); err != nil {
			return err
		}
		return s.follow(ctx, tx, result, result, wasSent, now)
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

// judge asks the policy about an invitation that has been inserted. It counts against the limit with those after since.
func (s *Service) judge(ctx context.Context, tx Tx, inv Invitation, since time.Time, email string) error {
	standing, err := tx.Standing(ctx, inv.Sender, inv.Recipient, since)
	if err != nil {
		return err
	}
	if standing.Audience == MutualConnections {
		mutual, err := tx.HaveMutual(ctx, inv.Sender, inv.Recipient)
		if err != nil {
			return err
		}
		standing.Mutual = mutual
	}
	err = s.policy.MayInvite(standing, email, inv.SentAt)
	if refused, ok := errors.AsType[*refusal.Error](err); ok && refused.Code == CodeInvitationLimitReached {
		// One more than the limit, as the invitation that is refused counts itself.
		usage, err := tx.Usage(ctx, inv.Sender, since, oneMore(s.policy.InvitationLimit), oneMore(s.policy.OpenInvitationLimit))
		if err != nil {
			return err
		}
		refused.RetryAt = s.policy.freeAgain(usage)
	}
	return err
}

// oneMore is a limit and one, or 0 for a limit of none, which no time ends.
func oneMore(limit int) int {
	if limit == 0 {
		return 0
	}
	return limit + 1
}

// Withdraw takes back an invitation of the viewer's, and the notification that told of it.
func (s *Service) Withdraw(ctx context.Context, viewer id.Member, invitation id.Invitation) (Invitation, error) {
	return s.actOn(ctx, viewer, invitation, Withdraw, "")
}

// Remind tells the recipient again of an invitation of the viewer's, unless the recipient has put it away; to the viewer
// it is the same.
func (s *Service) Remind(ctx context.Context, viewer id.Member, invitation id.Invitation) (Invitation, error) {
	return s.actOn(ctx, viewer, invitation, Remind, "")
}

func (s *Service) actOn(ctx context.Context, viewer id.Member, invitation id.Invitation, action Action, words string) (Invitation, error) {
	var result Invitation
	about := About{Invitation: invitation}
	if words != "" || !action.writesLittle() {
		about = About{}
	}
	err := s.transactTogether(ctx, about, func(ctx context.Context, tx Tx) error {
		inv, err := s.lockInvitation(ctx, tx, invitation)
		if err != nil {
			return err
		}
		actor := inv.ActorFor(viewer)
		if actor != ByOther && !inv.State.Open() { // a block has closed what was open
			blocked, err := tx.Blocked(ctx, inv.Sender, inv.Recipient)
			if err != nil {
				return err
			}
			if blocked {
				return errInvitationNotFound()
			}
		}
		result, err = s.act(ctx, tx, inv, actor, action)
		if err == nil {
			result, err = s.say(ctx, tx, inv, result, words)
		}
		return err
	})
	if err != nil {
		return Invitation{}, err
	}
	return result, nil
}

// writesLittle reports whether an action only changes the invitation and connects the two: what a store can put together
// with others'. The rest is rarer.
func (a Action) writesLittle() bool { return a == Accept || a == Ignore || a == Remind }

// lockInvitation gives an invitation as it is once its two members are locked.
func (s *Service) lockInvitation(ctx context.Context, tx Tx, invitation id.Invitation) (Invitation, error) {
	inv, err := tx.Invitation(ctx, invitation)
	if err == nil {
		both, err := tx.Lock(ctx, inv.Sender, inv.Recipient)
		if err != nil {
			return inv, err
		}
		if !both { // one of them was deleted just now
			return inv, errInvitationNotFound()
		}
		inv, err = tx.Invitation(ctx, invitation)
		if !errors.Is(err, ErrNotFound) {
			return inv, err
		}
	}
	if errors.Is(err, ErrNotFound) {
		return inv, errInvitationNotFound()
	}
	return inv, err
}

// act asks the state machine and writes what it says, with all that follows from it.
func (s *Service) act(ctx context.Context, tx Tx, before Invitation, actor Actor, action Action) (Invitation, error) {
	now := s.now()
	if action == Remind && actor == BySender && before.State.Open() {
		if err := s.policy.MayRemind(before, now); err != nil {
			return before, err
		}
	}
	after, event, err := Transition(before, actor, action, now)
	if err != nil || event == Unchanged {
		return before, err
	}
	if err := tx.ReplaceInvitation(ctx, before, after); err != nil {
		return before, err
	}
	if err := s.follow(ctx, tx, before, after, event, now); err != nil {
		return before, err
	}
	return after, nil
}

// wasSent is the event of an invitation that was not there before.
const wasSent Event = "sent"

// follow writes all that follows from an event besides the state of the invitation.
func (s *Service) follow(ctx context.Context, tx Tx, before, after Invitation, event Event, now time.Time) error {
	steps := []func() error{}
	then := func(step func() error) { steps = append(steps, step) }
	switch event {
	case WasAccepted:
		then(func() error { return tx.LiftBars(ctx, after.Sender, after.Recipient) })
		then(func() error { return tx.Connect(ctx, after.Sender, after.Recipient, now) })
	case WasDeclined:
		then(func() error { return tx.Bar(ctx, after.Sender, after.Recipient, Bar{DeclinedAt: now}) })
	case WasFlagged:
		then(func() error { return tx.Flag(ctx, after.Recipient, after.Sender, now) })
		if s.policy.FlagEvaluation == 0 {
			then(func() error { return s.evaluate(ctx, tx, after.Sender, now) })
		}
	case WasWithdrawn:
		then(func() error { return tx.Bar(ctx, after.Sender, after.Recipient, Bar{WithdrawnAt: now}) })
		then(func() error { return tx.Retract(ctx, after.Recipient, after.ID) })
	case WasBlocked:
		// As a withdrawal. Otherwise blocking and unblocking would get around the cool-down, and whoever invites again at
		// once would learn whether the invitation had been declined.
		then(func() error { return tx.Bar(ctx, after.Sender, after.Recipient, Bar{WithdrawnAt: now}) })
	case wasSent, WasIgnored, WasReminded, WasRemindedInVain, HasExpired, Unchanged: // the state is all there is to them
	}
	then(func() error { return s.tell(ctx, tx, before, after, event, now) })
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// Remove ends a connection of the viewer's, for both and silently.
func (s *Service) Remove(ctx context.Context, viewer, other id.Member) error {
	return s.transact(ctx, func(ctx context.Context, tx Tx) error {
		if err := lock(ctx, tx, viewer, other); err != nil {
			return err
		}
		removed, err := tx.Disconnect(ctx, viewer, other)
		if err != nil {
			return err
		}
		if removed {
			return s.record(ctx, tx, feed.Draft{Member: viewer, Kind: feed.ConnectionRemoved, Other: other},
				feed.Draft{Member: other, Kind: feed.ConnectionRemoved, Other: viewer})
		}
		blocked, err := tx.Blocked(ctx, viewer, other)
		if err != nil {
			return err
		}
		if blocked {
			return errMemberNotFound()
		}
		return refusal.New(CodeNotConnected, "You are not connected.", "memberId")
	})
}

// transact runs a use case and, once it is committed, wakes those whose logs it wrote to.
func (s *Service) transact(ctx context.Context, do func(ctx context.Context, tx Tx) error) error {
	hints, err := s.store.Transact(ctx, do)
	if err == nil && len(hints) > 0 {
		s.waker.Wake(hints...)
	}
	return err
}

// transactTogether is transact for a use case that may run in one transaction with others, if it says what it is about.
func (s *Service) transactTogether(ctx context.Context, about About, do func(ctx context.Context, tx Tx) error) error {
	if about == (About{}) {
		return s.transact(ctx, do)
	}
	hints, err := s.store.TransactTogether(ctx, about, do)
	if err == nil && len(hints) > 0 {
		s.waker.Wake(hints...)
	}
	return err
}

// lock locks two members, and refuses when one of them does not exist.
func lock(ctx context.Context, tx Tx, viewer, other id.Member) error {
	both, err := tx.Lock(ctx, viewer, other)
	if err == nil && !both {
		err = errMemberNotFound()
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
