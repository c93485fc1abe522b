package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

const day = 24 * time.Hour

// eachWithClock runs a test against a server on each kind of database, with a clock that the test moves.
func eachWithClock(t *testing.T, test func(t *testing.T, s *apptest.Server, clock *apptest.Clock)) {
	t.Helper()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		clock := &apptest.Clock{}
		test(t, apptest.Start(t, database, clock.Apply), clock)
	})
}

// expect checks the code of a payload.
func expect(t *testing.T, what string, got apptest.Payload, code string) {
	t.Helper()
	if got.Code() != code {
		t.Errorf("%s gave %q (%+v), want %q", what, got.Code(), got.UserErrors, code)
	}
	if code != "" && got.UserErrors[0].RetryAt != nil {
		t.Errorf("%s tells when to try again: %s", what, *got.UserErrors[0].RetryAt)
	}
}

// Once between two members, in either direction; the second of one side gives the first, unchanged.
func TestOneOpenInvitation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		first := ada.Invite(ben.ID, "first")
		again := ada.Invite(ben.ID, "second")
		expect(t, "inviting twice", again, "ALREADY_INVITED")
		if again.Invitation == nil || again.Invitation.ID != first.Invitation.ID || *again.Invitation.Note != "first" {
			t.Errorf("inviting twice gave %+v", again.Invitation)
		}
		expect(t, "inviting oneself", ada.Invite(ada.ID, ""), "CANNOT_INVITE_SELF")
		crossing := ben.Invite(ada.ID, "me too")
		expect(t, "crossing", crossing, "")
		if crossing.Invitation.ID != first.Invitation.ID || crossing.Invitation.State != "ACCEPTED" {
			t.Errorf("crossing gave %+v", crossing.Invitation)
		}
		expect(t, "inviting a connection", ada.Invite(ben.ID, ""), "ALREADY_CONNECTED")
		if got := inboxOf(ada); !slices.Equal(got, []string{"INVITATION_ACCEPTED"}) {
			t.Errorf("the first sender was told %v", got)
		}
		if got := inboxOf(ben); !slices.Equal(got, []string{"INVITATION_RECEIVED"}) {
			t.Errorf("the one who crossed was told %v", got)
		}
	})
}

// After a withdrawal its sender waits 21 days; the recipient may invite at once.
func TestReinviteAfterWithdrawal(t *testing.T) {
	t.Parallel()
	eachWithClock(t, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		invitation := ada.Invite(ben.ID, "").Invitation.ID
		expect(t, "withdrawing", ada.Withdraw(invitation), "")
		expect(t, "withdrawing twice", ada.Withdraw(invitation), "")
		expect(t, "answering a withdrawn one", ben.Respond(invitation, "ACCEPT"), "INVITATION_WITHDRAWN")
		expect(t, "inviting again at once", ada.Invite(ben.ID, ""), "REINVITE_NOT_ALLOWED")
		clock.Advance(21*day - time.Minute)
		expect(t, "inviting again a minute early", ada.Invite(ben.ID, ""), "REINVITE_NOT_ALLOWED")
		clock.Advance(2 * time.Minute)
		second := ada.Invite(ben.ID, "")
		expect(t, "inviting again after 21 days", second, "")
		expect(t, "withdrawing the second", ada.Withdraw(second.Invitation.ID), "")
		expect(t, "the other way meanwhile", ben.Invite(ada.ID, ""), "")
	})
}

// A decline bars its sender for good, through withdrawal and any time, until the two have been connected.
func TestReinviteAfterDecline(t *testing.T) {
	t.Parallel()
	eachWithClock(t, func(t *testing.T, s *apptest.Server, clock *apptest.Clock) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		invitation := ada.Invite(ben.ID, "").Invitation.ID
		expect(t, "declining", ben.Respond(invitation, "DECLINE"), "")
		expect(t, "declining twice", ben.Respond(invitation, "DECLINE"), "")
		expect(t, "accepting after declining", ben.Respond(invitation, "ACCEPT"), "INVITATION_ALREADY_ANSWERED")
		if got := ben.RelationshipTo(ada.ID); got.Status != "NONE" || got.Invitation != nil {
			t.Errorf("to the one who declined it is %+v", got)
		}
		expect(t, "inviting again while it looks open", ada.Invite(ben.ID, ""), "ALREADY_INVITED")
		expect(t, "withdrawing", ada.Withdraw(invitation), "")
		clock.Advance(100 * day)
		expect(t, "inviting again", ada.Invite(ben.ID, ""), "REINVITE_NOT_ALLOWED")
		apptest.Connect(ben, ada)
		expect(t, "removing", ada.Remove(ben.ID), "")
		expect(t, "inviting after they were connected", ada.Invite(ben.ID, ""), "")
	})
}

// The archive: ignored invitations wait there, and can be accepted; a declined one is gone from both lists.
func TestArchive(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben, cleo := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cleo")
		lists := func() (inbox, archive int) {
			var data struct {
				Viewer struct{ Inbox, Archive struct{ TotalCount int } }
			}
			cleo.Get(&data, `{ viewer { inbox: receivedInvitations { totalCount } archive: receivedInvitations(state: IGNORED) { totalCount } } }`, nil)
			return data.Viewer.Inbox.TotalCount, data.Viewer.Archive.TotalCount
		}
		check := func(what string, inbox, archive int) {
			t.Helper()
			if i, a := lists(); i != inbox || a != archive {
				t.Errorf("%s: %d in the inbox and %d in the archive, want %d and %d", what, i, a, inbox, archive)
			}
		}
		fromAda, fromBen := ada.Invite(cleo.ID, "").Invitation.ID, ben.Invite(cleo.ID, "").Invitation.ID
		check("two invitations", 2, 0)
		expect(t, "ignoring", cleo.Respond(fromAda, "IGNORE"), "")
		expect(t, "flagging", cleo.Respond(fromBen, "DONT_KNOW"), "")
		expect(t, "ignoring after flagging", cleo.Respond(fromBen, "IGNORE"), "")
		check("ignored and flagged", 0, 2)
		if got := cleo.RelationshipTo(ada.ID); got.Status != "INVITATION_RECEIVED" || got.Invitation.State != "IGNORED" {
			t.Errorf("an ignored one reads %+v", got)
		}
		expect(t, "accepting from the archive", cleo.Respond(fromAda, "ACCEPT"), "")
		expect(t, "ignoring after accepting", cleo.Respond(fromAda, "IGNORE"), "INVITATION_ALREADY_ANSWERED")
		check("accepted one", 0, 1)
		expect(t, "declining from the archive", cleo.Respond(fromBen, "DECLINE"), "")
		check("declined the other", 0, 0)
	})
}

// Nobody but its recipient answers an invitation, and nobody but its sender withdraws it; to anybody else it is not there.
func TestOthersInvitations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben, eve := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "eve")
		invitation := ada.Invite(ben.ID, "secret").Invitation.ID
		for _, answer := range []string{"ACCEPT", "IGNORE", "DONT_KNOW", "DECLINE"} {
			expect(t, "a stranger's "+answer, eve.Respond(invitation, answer), "INVITATION_NOT_FOUND")
			expect(t, "the sender's "+answer, ada.Respond(invitation, answer), "INVITATION_NOT_FOUND")
		}
		expect(t, "a stranger's withdrawal", eve.Withdraw(invitation), "INVITATION_NOT_FOUND")
		expect(t, "the recipient's withdrawal", ben.Withdraw(invitation), "INVITATION_NOT_FOUND")
		for _, c := range []*apptest.Client{ada, ben, eve} {
			var data struct{ Node *struct{ ID string } }
			c.Get(&data, `query($id: ID!) { node(id: $id) { id } }`, apptest.Vars{"id": invitation})
			if sees := data.Node != nil; sees != (c != eve) {
				t.Errorf("%s sees the invitation: %v", c.Handle, sees)
			}
		}
		// A notification is its member's alone.
		var inbox struct {
			Viewer struct {
				Notifications struct{ Nodes []struct{ ID string } }
			}
		}
		ben.Get(&inbox, `{ viewer { notifications { nodes { id } } } }`, nil)
		var data struct{ Nodes []*struct{ ID string } }
		eve.Get(&data, `query($ids: [ID!]!) { nodes(ids: $ids) { id } }`, apptest.Vars{"ids": []string{inbox.Viewer.Notifications.Nodes[0].ID, eve.ID}})
		if data.Nodes[0] != nil || data.Nodes[1] == nil {
			t.Errorf("a stranger sees %v", data.Nodes)
		}
	})
}

// A note is trimmed, composed and at most 300 code points; an empty one is none; nothing in it is interpreted.
func TestNotes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada := s.As(t, "ada")
		for i, c := range []struct{ note, want, code string }{
			{strings.Repeat("é", 300), strings.Repeat("é", 300), ""},
			{strings.Repeat("e\u0301", 300), strings.Repeat("é", 300), ""},
			{strings.Repeat("é", 301), "", "TOO_LONG"},
			{"  \n\t ", "", ""},
			{"\u202eright to left\u200b <b>&amp;</b> ${x} '; DROP TABLE members; --", "\u202eright to left\u200b <b>&amp;</b> ${x} '; DROP TABLE members; --", ""},
			{"line\nand\ttab", "line\nand\ttab", ""},
			{"a\x00b", "", "INVALID"},
			{"a\x1bb", "", "INVALID"},
			{"a\u0085b", "", "INVALID"},
		} {
			other := s.As(t, "other"+string(rune('a'+i)))
			got := ada.Invite(other.ID, c.note)
			expect(t, c.note, got, c.code)
			switch {
			case c.code != "":
				if got.Invitation != nil || !slices.Equal(got.UserErrors[0].Field, []string{"note"}) {
					t.Errorf("%q gave %+v", c.note, got)
				}
				if r := ada.RelationshipTo(other.ID); r.Status != "NONE" {
					t.Errorf("a refused note %q left %s", c.note, r.Status)
				}
			case c.want == "":
				if got.Invitation.Note != nil {
					t.Errorf("%q became %q", c.note, *got.Invitation.Note)
				}
			case *got.Invitation.Note != c.want:
				t.Errorf("%q became %q", c.note, *got.Invitation.Note)
			}
		}
	})
}

// How the sender knows the recipient is one of the enum, and UNSPECIFIED when it is not said.
func TestAcquaintance(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada := s.As(t, "ada")
		for _, given := range []any{"COLLEAGUE", "CLASSMATE", "BUSINESS_CONTACT", "FRIEND", "MET_AT_EVENT", "OTHER", "UNSPECIFIED", nil} {
			ben := s.As(t, fmt.Sprint("ben", given))
			var data struct {
				InviteMember struct{ Invitation struct{ Acquaintance string } }
			}
			ada.Get(&data, `mutation($m: ID!, $a: Acquaintance) { inviteMember(input: {memberId: $m, acquaintance: $a}) { invitation { acquaintance } } }`,
				apptest.Vars{"m": ben.ID, "a": given})
			want := "UNSPECIFIED"
			if given != nil {
				want = given.(string)
			}
			if got := data.InviteMember.Invitation.Acquaintance; got != want {
				t.Errorf("%v became %s", given, got)
			}
		}
	})
}

// A crossing is not stopped by a cool-down: both want it now.
func TestCrossingDuringCoolDown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		expect(t, "withdrawing", ada.Withdraw(ada.Invite(ben.ID, "").Invitation.ID), "")
		expect(t, "the other invites", ben.Invite(ada.ID, ""), "")
		crossing := ada.Invite(ben.ID, "")
		expect(t, "crossing during one's own cool-down", crossing, "")
		if crossing.Invitation.State != "ACCEPTED" {
			t.Errorf("crossing gave %+v", crossing.Invitation)
		}
	})
}

// The numbers of the rules are settings.
func TestPolicySettings(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t), func(c *app.Config) {
		c.Policy.NoteMax = 5
		c.Policy.ReinviteCooldown = 0
	})
	ada, ben := s.As(t, "ada"), s.As(t, "ben")
	expect(t, "six characters", ada.Invite(ben.ID, "sechs!"), "TOO_LONG")
	sent := ada.Invite(ben.ID, "fünf!")
	expect(t, "five characters", sent, "")
	expect(t, "withdrawing", ada.Withdraw(sent.Invitation.ID), "")
	expect(t, "inviting again without a cool-down", ada.Invite(ben.ID, ""), "")
}
