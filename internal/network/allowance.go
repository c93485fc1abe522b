package network

import (
	"context"
	"time"

	"github.com/acquaint/acquaint/internal/id"
)

// Usage is what a member has used of the limits.
type Usage struct {
	InWindow int       // invitations within the window
	Oldest   time.Time // when the oldest of them was sent; zero for none
	Open     int       // open invitations
	// When the oldest open one was sent; zero for none.
	OldestOpen time.Time
	// When the nth newest invitation, and the nth newest open one, were sent; zero where there are fewer.
	Nth, NthOpen time.Time
	Restriction  Restriction
}

// Allowance is what a member may still send.
type Allowance struct {
	Remaining       int
	RenewsAt        time.Time // when it next grows by itself; zero when nothing is used
	RestrictedUntil time.Time // zero when not restricted
	Warned          bool
}

// Allowance tells what the viewer may still send, and whether flags restrict it; never whose.
func (s *Service) Allowance(ctx context.Context, viewer id.Member) (Allowance, error) {
	now := s.now()
	usage, err := s.store.Usage(ctx, viewer, now.Add(-s.policy.InvitationWindow), s.policy.InvitationLimit, s.policy.OpenInvitationLimit)
	if err != nil {
		return Allowance{}, err
	}
	return s.policy.allowance(usage, now), nil
}

func (p Policy) allowance(u Usage, now time.Time) Allowance {
	a := Allowance{
		Remaining: max(0, min(p.InvitationLimit-u.InWindow, p.OpenInvitationLimit-u.Open)),
		Warned:    u.Restriction.Warned,
	}
	if now.Before(u.Restriction.Until) {
		a.RestrictedUntil = u.Restriction.Until
	}
	if a.Remaining == 0 {
		a.RenewsAt = p.freeAgain(u)
		return a
	}
	// It grows when what is scarcer grows: when the oldest leaves the window, or expires.
	inWindow, open := p.InvitationLimit-u.InWindow, p.OpenInvitationLimit-u.Open
	if inWindow <= open && !u.Oldest.IsZero() {
		a.RenewsAt = u.Oldest.Add(p.InvitationWindow)
	}
	if expires := u.OldestOpen.Add(p.InvitationExpiry); open <= inWindow && !u.OldestOpen.IsZero() && expires.After(a.RenewsAt) {
		a.RenewsAt = expires
	}
	return a
}

// freeAgain is when a member at a limit may send one again without doing anything for it: when the nth newest leaves the
// window, and the nth newest open one expires.
func (p Policy) freeAgain(u Usage) time.Time {
	var at time.Time
	if !u.Nth.IsZero() && u.InWindow >= p.InvitationLimit {
		at = u.Nth.Add(p.InvitationWindow)
	}
	if !u.NthOpen.IsZero() && u.Open >= p.OpenInvitationLimit {
		if expires := u.NthOpen.Add(p.InvitationExpiry); expires.After(at) {
			at = expires
		}
	}
	return at
}
