package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// Blocking and unblocking gets around no cool-down: whoever has an open invitation closed so waits, as after a withdrawal,
// before the same member hears of them again.
func TestBlockGetsAroundNothing(t *testing.T) {
	t.Parallel()
	eachWithClock(t, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		for round := range 5 {
			want := "REINVITE_NOT_ALLOWED"
			if round == 0 {
				want = ""
			}
			expect(t, fmt.Sprint("invitation ", round), ada.Invite(ben.ID, "pay attention"), want)
			ada.Block(ben.ID)
			ada.Unblock(ben.ID)
		}
		clock.Advance(21 * day)
		expect(t, "after the cool-down", ada.Invite(ben.ID, ""), "")
	})
}

// The deletion of a recipient does not tell a sender whether that recipient's flag was among those that warned.
func TestDeletionTellsNoFlag(t *testing.T) {
	t.Parallel()
	eachWithClock(t, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		host, ada := s.Service(t), s.As(t, "ada")
		for i := range 3 {
			other := s.As(t, fmt.Sprint("r", i))
			other.Respond(ada.Invite(other.ID, "").Invitation.ID, "DONT_KNOW")
		}
		clock.Advance(day + time.Hour)
		s.RunTasks(t)
		host.Delete("r0")
		clock.Advance(day + time.Hour)
		s.RunTasks(t)
		if !allowanceOf(ada).Warned {
			t.Error("one who had flagged was deleted, and that shows")
		}
		clock.Advance(90 * day) // it ages like any other
		s.RunTasks(t)
		if allowanceOf(ada).Warned {
			t.Error("the flag of a deleted member never ends")
		}
	})
}

// Where flags take effect at once, so does their end, if within a day.
func TestWarningEnds(t *testing.T) {
	t.Parallel()
	eachWithPolicy(t, func(c *app.Config) { c.Policy.FlagEvaluation = 0 }, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		ada := s.As(t, "ada")
		for i := range 3 {
			other := s.As(t, fmt.Sprint("r", i))
			other.Respond(ada.Invite(other.ID, "").Invitation.ID, "DONT_KNOW")
		}
		if !allowanceOf(ada).Warned {
			t.Fatal("not warned at once")
		}
		clock.Advance(91 * day)
		s.RunTasks(t)
		if allowanceOf(ada).Warned {
			t.Error("still warned when the flags count no more")
		}
	})
}

// What cannot expire, as its recipient is half deleted, holds up neither the sweep nor what comes after it.
func TestExpiryPassesOver(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		clock := &apptest.Clock{}
		s := apptest.Start(t, database, clock.Apply)
		ada, ben, cleo := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cleo")
		ada.Invite(ben.ID, "")
		clock.Advance(time.Second)
		later := ada.Invite(cleo.ID, "").Invitation.ID
		// As a node leaves it that dies in the middle of a deletion.
		apptest.ChangeTables(t, database,
			`DELETE FROM notifications WHERE member_id = `+ben.Key(), `DELETE FROM inboxes WHERE member_id = `+ben.Key(),
			`UPDATE members SET erased_at = '2026-01-01 00:00:00+00:00', subject = 'erased:1', handle = 'former-1' WHERE id = `+ben.Key())
		clock.Advance(181 * day)
		s.RunTasks(t)
		var data struct{ Node apptest.Invitation }
		ada.Get(&data, `query($i: ID!) { node(id: $i) { ... on Invitation { state } } }`, apptest.Vars{"i": later})
		if data.Node.State != "EXPIRED" {
			t.Errorf("the one after it is %s", data.Node.State)
		}
	})
}

// When both sides of a conversation are deleted nothing of it is left.
func TestConversationOfTheDeleted(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s := apptest.Start(t, database)
		host, ada, ben := s.Service(t), s.As(t, "ada"), s.As(t, "ben")
		apptest.Connect(ada, ben)
		ada.Send(ben.ID, "between the two of us", "key")
		host.Delete("ada")
		if left := rows(t, database, "between the two of us"); len(left) != 1 {
			t.Errorf("with one side left: %q", left)
		}
		host.Delete("ben")
		if left := rows(t, database, "between the two of us|^conversations: .*-"); len(left) != 0 {
			t.Errorf("with none: %q", left)
		}
	})
}

// The allowance says when it really grows, whichever limit is the nearer; a limit of none promises nothing.
func TestAllowanceGrows(t *testing.T) {
	t.Parallel()
	eachWithPolicy(t, func(c *app.Config) { c.Policy.OpenInvitationLimit = 2 }, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		ada := s.As(t, "ada")
		start := clock.Now()
		ada.Invite(s.As(t, "ben").ID, "")
		if got := allowanceOf(ada); got.Remaining != 1 || got.RenewsAt == nil || got.RenewsAt.Sub(start.Add(180*day)).Abs() > 5*time.Second {
			t.Errorf("with one of two open: %+v", got)
		}
	})
	eachWithPolicy(t, func(c *app.Config) { c.Policy.InvitationLimit = 0 }, func(t *testing.T, s *apptest.Server, _ *apptest.Clock) {
		ada := s.As(t, "ada")
		expect(t, "where nobody may invite", ada.Invite(s.As(t, "ben").ID, ""), "INVITATION_LIMIT_REACHED") // without a time
		if got := allowanceOf(ada); got.Remaining != 0 || got.RenewsAt != nil {
			t.Errorf("where nobody may invite: %+v", got)
		}
	})
}
