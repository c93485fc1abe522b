package app_test

import (
	"testing"

	"github.com/acquaint/acquaint/internal/app/apptest"
)

// Who may invite a member is the member's to say; what is open stays, and crossing asks nobody.
func TestWhoCanInvite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ben := signInWithEmail(t, s, "ben", "ben@example.com")
		friend, nearby, stranger := s.As(t, "friend"), s.As(t, "nearby"), s.As(t, "stranger")
		apptest.Connect(friend, ben)
		apptest.Connect(friend, nearby)
		open := s.As(t, "earlier").Invite(ben.ID, "").Invitation.ID
		// again makes each try the first: what was sent goes, by way of a connection, which leaves no bar.
		again := func(from *apptest.Client, got apptest.Payload) {
			if got.Code() == "" {
				ben.Respond(got.Invitation.ID, "ACCEPT")
				ben.Remove(from.ID)
			}
		}
		for _, c := range []struct {
			audience    string
			from        *apptest.Client
			email, code string
		}{
			{"EVERYONE", stranger, "", ""},
			{"MUTUAL_CONNECTIONS", stranger, "", "RECIPIENT_NOT_ACCEPTING"},
			{"MUTUAL_CONNECTIONS", stranger, "ben@example.com", "RECIPIENT_NOT_ACCEPTING"},
			{"MUTUAL_CONNECTIONS", nearby, "", ""},
			{"KNOWS_EMAIL", nearby, "", "EMAIL_REQUIRED"},
			{"KNOWS_EMAIL", nearby, "someone@example.com", "EMAIL_REQUIRED"},
			{"KNOWS_EMAIL", stranger, " Ben@Example.com", ""},
			{"NOBODY", nearby, "ben@example.com", "RECIPIENT_NOT_ACCEPTING"},
		} {
			expect(t, "setting "+c.audience, ben.SetPrivacy(apptest.Vars{"whoCanInvite": c.audience}), "")
			before := allowanceOf(c.from).Remaining
			got := c.from.InviteByEmail(ben.ID, c.email)
			expect(t, c.from.Handle+" under "+c.audience+" with "+c.email, got, c.code)
			if spent := before - allowanceOf(c.from).Remaining; (spent == 1) != (c.code == "") {
				t.Errorf("%s under %s spent %d", c.from.Handle, c.audience, spent)
			}
			again(c.from, got)
		}
		ben.Invite(stranger.ID, "")
		expect(t, "crossing under NOBODY", stranger.Invite(ben.ID, ""), "")
		expect(t, "accepting what was open before", ben.Respond(open, "ACCEPT"), "")
	})
}
