package app_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/acquaint/acquaint/internal/app/apptest"
)

// sees reports whether a member finds another by handle and by id.
func sees(t *testing.T, c, other *apptest.Client) bool {
	t.Helper()
	var data struct {
		Member, Node *struct{ ID string }
		Nodes        []*struct{ ID string }
	}
	c.Get(&data, `query($h: String!, $id: ID!) { member(handle: $h) { id } node(id: $id) { id } nodes(ids: [$id]) { id } }`,
		apptest.Vars{"h": other.Handle, "id": other.ID})
	if (data.Member != nil) != (data.Node != nil) || (data.Node != nil) != (data.Nodes[0] != nil) {
		t.Errorf("%s finds %s in one way and not in another: %+v", c.Handle, other.Handle, data)
	}
	return data.Member != nil
}

// blockedOf gives whom a member has blocked, and how each is shown.
func blockedOf(c *apptest.Client) (ids, statuses []string) {
	var data struct {
		Viewer struct {
			BlockedMembers struct {
				TotalCount int
				Nodes      []struct {
					ID           string
					Relationship apptest.Relationship
				}
			}
		}
	}
	c.Get(&data, `{ viewer { blockedMembers { totalCount nodes { id relationship { status degree } } } } }`, nil)
	for _, n := range data.Viewer.BlockedMembers.Nodes {
		ids, statuses = append(ids, n.ID), append(statuses, n.Relationship.Status)
	}
	return ids, statuses
}

// A block ends what is between two members, hides each from the other, takes back what told of the other, and notifies
// nobody; lifting it brings nothing back.
func TestBlock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben, cleo := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cleo")
		apptest.Connect(ada, ben)
		apptest.Connect(ada, cleo)
		apptest.Connect(ben, cleo)
		expect(t, "blocking oneself", ada.Block(ada.ID), "INVALID")
		expect(t, "blocking nobody", ada.Block("mbr_01m81546s2fkqayf0000000000"), "MEMBER_NOT_FOUND")
		got := ben.Block(ada.ID)
		expect(t, "blocking", got, "")
		if got.Member == nil || got.Member.ID != ada.ID || got.Member.Relationship.Status != "BLOCKED" {
			t.Errorf("the payload shows %+v", got.Member)
		}
		expect(t, "blocking again", ben.Block(ada.ID), "")
		if ids, statuses := blockedOf(ben); !slices.Equal(ids, []string{ada.ID}) || statuses[0] != "BLOCKED" {
			t.Errorf("the blocker's list: %v %v", ids, statuses)
		}
		if ids, _ := blockedOf(ada); len(ids) > 0 {
			t.Errorf("the blocked one's list: %v", ids)
		}
		if sees(t, ada, ben) || sees(t, ben, ada) || !sees(t, ada, cleo) || !sees(t, cleo, ada) {
			t.Error("the two find each other, or others do not find them")
		}
		for what, refused := range map[string]apptest.Payload{
			"inviting the blocker": ada.Invite(ben.ID, ""), "inviting the blocked": ben.Invite(ada.ID, ""),
			"removing": ada.Remove(ben.ID), "blocking the blocker": ada.Block(ben.ID), "unblocking the blocker": ada.Unblock(ben.ID),
		} {
			expect(t, what, refused, "MEMBER_NOT_FOUND")
		}
		if got := inboxOf(ada); !slices.Equal(got, []string{"INVITATION_ACCEPTED"}) { // cleo's
			t.Errorf("the blocked one's inbox: %v", got)
		}
		if got := inboxOf(ben); len(got) != 1 { // cleo's acceptance; ada's invitation is gone
			t.Errorf("the blocker's inbox: %v", got)
		}
		var data struct {
			Viewer struct{ Connections struct{ TotalCount int } }
			Member struct {
				MutualConnections struct {
					TotalCount int
					Nodes      []struct{ ID string }
				}
			}
		}
		ada.Get(&data, `{ viewer { connections { totalCount } } member(handle: "cleo") { mutualConnections { totalCount nodes { id } } } }`, nil)
		if data.Viewer.Connections.TotalCount != 1 || data.Member.MutualConnections.TotalCount != 0 || len(data.Member.MutualConnections.Nodes) != 0 {
			t.Errorf("after the block: %+v", data)
		}

		unblocked := ben.Unblock(ada.ID)
		expect(t, "unblocking", unblocked, "")
		if unblocked.Member == nil || unblocked.Member.Relationship.Status != "NONE" {
			t.Errorf("the payload shows %+v", unblocked.Member)
		}
		expect(t, "unblocking again", ben.Unblock(ada.ID), "")
		if !sees(t, ada, ben) || !sees(t, ben, ada) {
			t.Error("the two do not find each other")
		}
		expect(t, "inviting afterwards", ada.Invite(ben.ID, ""), "")
	})
}

// A block closes an open invitation, whichever side of it blocks and whatever the recipient did, and the invitation is
// gone for both. It counts as a withdrawal: inviting again at once tells nothing, and gets around no cool-down.
func TestBlockClosesInvitations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		for _, blocker := range []string{"sender", "recipient"} {
			for _, answer := range []string{"", "IGNORE", "DONT_KNOW", "DECLINE"} {
				name := blocker + answer
				a, b := s.As(t, "a"+name), s.As(t, "b"+name)
				invitation := a.Invite(b.ID, "").Invitation.ID
				if answer != "" {
					b.Respond(invitation, answer)
				}
				who, whom := a, b
				if blocker == "recipient" {
					who, whom = b, a
				}
				expect(t, "blocking", who.Block(whom.ID), "")
				for _, c := range []*apptest.Client{a, b} {
					var data struct {
						Node   *struct{ ID string }
						Viewer struct{ SentInvitations, Pending, Archive struct{ TotalCount int } }
					}
					c.Get(&data, `query($i: ID!) { node(id: $i) { id } viewer { sentInvitations { totalCount }
						pending: receivedInvitations { totalCount } archive: receivedInvitations(state: IGNORED) { totalCount } } }`, apptest.Vars{"i": invitation})
					if data.Node != nil || data.Viewer.SentInvitations.TotalCount+data.Viewer.Pending.TotalCount+data.Viewer.Archive.TotalCount != 0 {
						t.Errorf("%s: %s still has %+v", name, c.Handle, data)
					}
				}
				expect(t, "answering", b.Respond(invitation, "ACCEPT"), "INVITATION_NOT_FOUND")
				expect(t, "withdrawing", a.Withdraw(invitation), "INVITATION_NOT_FOUND")
				expect(t, "reminding", a.Remind(invitation), "INVITATION_NOT_FOUND")
				if got := inboxOf(b); len(got) != 0 {
					t.Errorf("%s: the recipient's inbox has %v", name, got)
				}
				expect(t, "unblocking", who.Unblock(whom.ID), "")
				expect(t, "inviting afterwards", a.Invite(b.ID, ""), "REINVITE_NOT_ALLOWED")
				expect(t, "inviting the other way", b.Invite(a.ID, ""), "")
			}
		}
	})
}

// A block against a simultaneous invitation, crossing, answer or removal leaves no connection, no open invitation and no
// notification, whichever was first.
func TestRaceBlock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		races := map[string]func(a, b *apptest.Client, invitation string) []func(){
			"invite": func(a, b *apptest.Client, _ string) []func() {
				return []func(){func() { a.Invite(b.ID, "") }, func() { b.Invite(a.ID, "") }}
			},
			"accept": func(a, b *apptest.Client, invitation string) []func() {
				return []func(){func() { b.Respond(invitation, "ACCEPT") }, func() { b.Invite(a.ID, "") }}
			},
			"withdraw and invite again": func(a, b *apptest.Client, invitation string) []func() {
				return []func(){func() { a.Withdraw(invitation) }, func() { b.Invite(a.ID, "") }}
			},
			"mutual blocks": func(a, b *apptest.Client, _ string) []func() {
				return []func(){func() { a.Block(b.ID) }, func() { a.Invite(b.ID, "") }}
			},
		}
		for name, race := range races {
			for round := range rounds {
				a, b := s.As(t, fmt.Sprint("a ", name, round)), s.As(t, fmt.Sprint("b ", name, round))
				invitation := ""
				if name == "accept" || name == "withdraw and invite again" {
					invitation = a.Invite(b.ID, "").Invitation.ID
				}
				together(append(race(a, b, invitation), func() { b.Block(a.ID) })...)
				for _, c := range []*apptest.Client{a, b} {
					var data struct {
						Viewer struct {
							SentInvitations, ReceivedInvitations, Connections, Notifications struct{ TotalCount int }
						}
					}
					c.Get(&data, `{ viewer { sentInvitations { totalCount } receivedInvitations { totalCount } connections { totalCount } notifications { totalCount } } }`, nil)
					if data.Viewer.SentInvitations.TotalCount+data.Viewer.ReceivedInvitations.TotalCount+data.Viewer.Connections.TotalCount+data.Viewer.Notifications.TotalCount != 0 {
						t.Fatalf("%s, round %d: %s is left with %+v", name, round, c.Handle, data.Viewer)
					}
				}
				ofA, _ := blockedOf(a)
				ofB, _ := blockedOf(b)
				if len(ofA)+len(ofB) != 1 {
					t.Fatalf("%s: %d and %d are blocked", name, len(ofA), len(ofB))
				}
			}
		}
	})
}
