package app_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// allowance is what a member may still invite.
type allowance struct {
	Remaining                 int
	RenewsAt, RestrictedUntil *time.Time
	Warned                    bool
}

func allowanceOf(c *apptest.Client) allowance {
	var data struct {
		Viewer struct{ InvitationAllowance allowance }
	}
	c.Get(&data, `{ viewer { invitationAllowance { id remaining renewsAt restrictedUntil warned } } }`, nil)
	return data.Viewer.InvitationAllowance
}

// eachWithPolicy runs a test against a server on each kind of database, with a clock and settings of its own.
func eachWithPolicy(t *testing.T, change func(*app.Config), test func(t *testing.T, s *apptest.Server, clock *apptest.Clock)) {
	t.Helper()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		clock := &apptest.Clock{}
		test(t, apptest.Start(t, database, change, clock.Apply), clock)
	})
}

// A hundred and fifty invitations at once let exactly a hundred through.
func TestRaceInvitationLimit(t *testing.T) {
	t.Parallel()
	patient := func(c *app.Config) { c.Limits.RequestTimeout = time.Minute } // they wait for each other
	eachWithPolicy(t, patient, func(t *testing.T, s *apptest.Server, _ *apptest.Clock) {
		ada := s.As(t, "ada")
		var (
			sent, refused atomic.Int64
			all           []func()
		)
		for i := range 150 {
			other := s.As(t, fmt.Sprint("m", i)).ID
			all = append(all, func() {
				switch got := ada.Invite(other, ""); got.Code() {
				case "":
					sent.Add(1)
				case "INVITATION_LIMIT_REACHED":
					refused.Add(1)
				default:
					t.Errorf("got %+v", got)
				}
			})
		}
		together(all...)
		if sent.Load() != 100 || refused.Load() != 50 {
			t.Errorf("%d sent, %d refused", sent.Load(), refused.Load())
		}
		var data struct {
			Viewer struct{ SentInvitations struct{ TotalCount int } }
		}
		ada.Get(&data, `{ viewer { sentInvitations { totalCount } } }`, nil)
		if data.Viewer.SentInvitations.TotalCount != 100 || allowanceOf(ada).Remaining != 0 {
			t.Errorf("%d open, %d remaining", data.Viewer.SentInvitations.TotalCount, allowanceOf(ada).Remaining)
		}
	})
}

// The window rolls; withdrawing gives nothing back; answering and crossing are free.
func TestInvitationLimit(t *testing.T) {
	t.Parallel()
	eachWithPolicy(t, func(c *app.Config) { c.Policy.InvitationLimit = 3 }, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		ada := s.As(t, "ada")
		if got := allowanceOf(ada); got.Remaining != 3 || got.RenewsAt != nil || got.RestrictedUntil != nil || got.Warned {
			t.Errorf("at first: %+v", got)
		}
		start := clock.Now()
		first := ada.Invite(s.As(t, "ben").ID, "").Invitation.ID
		clock.Advance(day)
		expect(t, "the second", ada.Invite(s.As(t, "cleo").ID, ""), "")
		clock.Advance(day)
		expect(t, "the third", ada.Invite(s.As(t, "dan").ID, ""), "")
		expect(t, "withdrawing", ada.Withdraw(first), "")
		refusedUntil(t, "the fourth", ada.Invite(s.As(t, "eve").ID, ""), "INVITATION_LIMIT_REACHED", start.Add(7*day))
		if got := allowanceOf(ada); got.Remaining != 0 || got.RenewsAt == nil || got.RenewsAt.Sub(start.Add(7*day)).Abs() > 5*time.Second {
			t.Errorf("at the limit: %+v", got)
		}
		incoming := s.As(t, "eve").Invite(ada.ID, "")
		expect(t, "accepting at the limit", ada.Respond(incoming.Invitation.ID, "ACCEPT"), "")
		s.As(t, "fay").Invite(ada.ID, "")
		expect(t, "crossing at the limit", ada.Invite(s.As(t, "fay").ID, ""), "")
		clock.Advance(5*day + time.Second) // the first is a week old
		if got := allowanceOf(ada); got.Remaining != 1 || got.RenewsAt == nil || got.RenewsAt.Sub(start.Add(8*day)).Abs() > 5*time.Second {
			t.Errorf("a week after the first: %+v", got)
		}
		expect(t, "one more", ada.Invite(s.As(t, "gil").ID, ""), "")
		refusedUntil(t, "and another", ada.Invite(s.As(t, "hal").ID, ""), "INVITATION_LIMIT_REACHED", start.Add(8*day))
	})
}

// Ignored and declined invitations are open to the limit, too, as they are to their sender.
func TestOpenInvitationLimit(t *testing.T) {
	t.Parallel()
	eachWithPolicy(t, func(c *app.Config) { c.Policy.OpenInvitationLimit = 2 }, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		ada, ben, cleo, dan := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cleo"), s.As(t, "dan")
		start := clock.Now()
		toBen := ada.Invite(ben.ID, "").Invitation.ID
		clock.Advance(day)
		toCleo := ada.Invite(cleo.ID, "").Invitation.ID
		cleo.Respond(toCleo, "DECLINE")
		refusedUntil(t, "the third open one", ada.Invite(dan.ID, ""), "INVITATION_LIMIT_REACHED", start.Add(180*day))
		if got := allowanceOf(ada); got.Remaining != 0 || got.RenewsAt == nil || got.RenewsAt.Sub(start.Add(180*day)).Abs() > 5*time.Second {
			t.Errorf("at the limit: %+v", got)
		}
		ben.Respond(toBen, "ACCEPT")
		expect(t, "when one is accepted", ada.Invite(dan.ID, ""), "")
	})
}

// signInWithEmail is As with an email address.
func signInWithEmail(t *testing.T, s *apptest.Server, subject, email string) *apptest.Client {
	t.Helper()
	c := s.As(t, subject)
	c.With(apptest.Token(t, member.Claims{Subject: subject, PreferredUsername: subject, Email: email}, 4000*day))
	c.Get(&struct{}{}, `{ viewer { id } }`, nil)
	return c
}

// Flags of five recipients restrict a sender, for a week, once they are evaluated; three warn; and an accepted invitation
// does not clear its flag. With a recipient's email address a restricted member still invites.
func TestRestriction(t *testing.T) {
	t.Parallel()
	eachWithPolicy(t, func(*app.Config) {}, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		ada := s.As(t, "ada")
		flag := func(subject string) {
			other := s.As(t, subject)
			invitation := ada.Invite(other.ID, "").Invitation.ID
			expect(t, "flagging", other.Respond(invitation, "DONT_KNOW"), "")
			if subject == "b1" { // it stays a flag
				expect(t, "accepting afterwards", other.Respond(invitation, "ACCEPT"), "")
			}
		}
		s.RunTasks(t)
		for i := range 3 {
			flag(fmt.Sprint("b", i))
		}
		if got := allowanceOf(ada); got.Warned {
			t.Errorf("warned before the evaluation: %+v", got)
		}
		clock.Advance(day)
		s.RunTasks(t)
		if got := allowanceOf(ada); !got.Warned || got.RestrictedUntil != nil {
			t.Errorf("after three flags: %+v", got)
		}
		flag("b3")
		flag("b4")
		clock.Advance(day)
		s.RunTasks(t)
		start := clock.Now()
		got := allowanceOf(ada)
		if !got.Warned || got.RestrictedUntil == nil || got.RestrictedUntil.Sub(start.Add(7*day)).Abs() > 5*time.Second {
			t.Errorf("after five flags: %+v", got)
		}
		ben := signInWithEmail(t, s, "ben", "ben@example.com")
		refusedUntil(t, "inviting", ada.Invite(ben.ID, ""), "INVITATIONS_RESTRICTED", start.Add(7*day))
		refusedUntil(t, "with a wrong address", ada.InviteByEmail(ben.ID, "ann@example.com"), "INVITATIONS_RESTRICTED", start.Add(7*day))
		expect(t, "with the address", ada.InviteByEmail(ben.ID, "Ben@Example.com"), "")
		eve := s.As(t, "eve")
		eve.Invite(ada.ID, "")
		expect(t, "crossing while restricted", ada.Invite(eve.ID, ""), "")
		clock.Advance(7 * day)
		s.RunTasks(t)
		if got := allowanceOf(ada); got.RestrictedUntil != nil || !got.Warned {
			t.Errorf("a week later: %+v", got)
		}
		expect(t, "inviting a week later", ada.Invite(s.As(t, "fay").ID, ""), "")
		clock.Advance(90 * day)
		s.RunTasks(t)
		if got := allowanceOf(ada); got.Warned {
			t.Errorf("when the flags count no more: %+v", got)
		}
	})
}

// One recipient counts once, however often; and with an evaluation at once the fifth flag restricts.
func TestFlagsOfDistinctRecipients(t *testing.T) {
	t.Parallel()
	change := func(c *app.Config) {
		c.Policy.FlagEvaluation, c.Policy.ReinviteCooldown, c.Policy.FlagWarn, c.Policy.FlagRestrict = 0, 0, 1, 2
	}
	eachWithPolicy(t, change, func(t *testing.T, s *apptest.Server, _ *apptest.Clock) {
		ada, ben, cleo := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cleo")
		for range 3 {
			invitation := ada.Invite(ben.ID, "").Invitation.ID
			ben.Respond(invitation, "DONT_KNOW")
			ben.Respond(invitation, "DONT_KNOW")
			ada.Withdraw(invitation)
		}
		if got := allowanceOf(ada); got.RestrictedUntil != nil {
			t.Errorf("one recipient restricts: %+v", got)
		}
		cleo.Respond(ada.Invite(cleo.ID, "").Invitation.ID, "DONT_KNOW")
		if got := allowanceOf(ada); got.RestrictedUntil == nil {
			t.Errorf("two recipients do not: %+v", got)
		}
	})
}
