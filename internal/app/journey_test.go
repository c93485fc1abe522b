package app_test

import (
	"testing"

	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

type edge struct {
	Cursor string
	Node   struct {
		Typename   string `json:"__typename"`
		ID         string
		Sequence   int
		Category   string
		Actor      *struct{ ID, Name string }
		ReadAt     *string
		Invitation *apptest.Invitation
		Reminder   *bool
	}
}

const notificationFields = `cursor node { __typename id sequence category actor { id name } readAt
	... on InvitationReceivedNotification { reminder invitation { id state note sender { id } } }
	... on InvitationAcceptedNotification { invitation { id state recipient { id } } } }`

const subscribeNotifications = `subscription($after: String) { edge: notificationReceived(after: $after) { ` + notificationFields + ` } }`

type edgeEvent struct{ Edge edge }

// The main job: one invites with a note, the other, subscribed, has it in the same moment and accepts, the first has
// that in the same moment, both are in each other's connections, and all is there after a restart.
func TestJourney(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		server := apptest.Start(t, database)
		ada, ben := server.As(t, "ada"), server.As(t, "ben")
		toBen := ben.Connect()
		notified := toBen.Subscribe(subscribeNotifications, nil)
		received := toBen.Subscribe(`subscription { invitation: invitationReceived { id note state sender { id } } }`, nil)
		accepted := ada.Connect().Subscribe(`subscription { invitation: invitationAccepted { id state acceptedAt recipient { id } } }`, nil)

		sent := ada.Invite(ben.ID, "  Hello Ben,\nwe met in Malmö. ")
		if sent.Code() != "" || sent.Invitation.State != "PENDING" || *sent.Invitation.Note != "Hello Ben,\nwe met in Malmö." {
			t.Fatalf("invite gave %+v", sent)
		}
		if got := sent.Member.Relationship; got.Status != "INVITATION_SENT" || got.Invitation.ID != sent.Invitation.ID {
			t.Errorf("the payload's member has the relationship %+v", got)
		}

		var event edgeEvent
		notified.Next(&event)
		node := event.Edge.Node
		if node.Typename != "InvitationReceivedNotification" || node.Sequence != 1 || node.Category != "INVITATION_RECEIVED" ||
			node.Actor.ID != ada.ID || node.Invitation.ID != sent.Invitation.ID || *node.Reminder {
			t.Errorf("the recipient was notified of %+v", node)
		}
		var incoming struct{ Invitation apptest.Invitation }
		received.Next(&incoming)
		if incoming.Invitation.ID != sent.Invitation.ID || incoming.Invitation.Sender.ID != ada.ID {
			t.Errorf("the recipient received %+v", incoming)
		}

		answer := ben.Respond(sent.Invitation.ID, "ACCEPT")
		if answer.Code() != "" || answer.Invitation.State != "ACCEPTED" || answer.Member.ID != ada.ID || answer.Member.Relationship.Status != "CONNECTED" {
			t.Fatalf("accept gave %+v", answer)
		}
		var outgoing struct{ Invitation apptest.Invitation }
		accepted.Next(&outgoing)
		if outgoing.Invitation.ID != sent.Invitation.ID || outgoing.Invitation.State != "ACCEPTED" || outgoing.Invitation.AcceptedAt == nil {
			t.Errorf("the sender heard of %+v", outgoing)
		}

		connected := func(a, b *apptest.Client) {
			t.Helper()
			r := a.RelationshipTo(b.ID)
			if r.Status != "CONNECTED" || r.Degree == nil || *r.Degree != 1 || r.ConnectedAt == nil || r.Invitation != nil {
				t.Errorf("%s to %s is %+v", a.Handle, b.Handle, r)
			}
			var data struct {
				Viewer struct {
					Connections struct {
						TotalCount int
						Nodes      []struct{ ID string }
					}
					SentInvitations, ReceivedInvitations struct{ TotalCount int }
				}
			}
			a.Get(&data, `{ viewer { connections { totalCount nodes { id } } sentInvitations { totalCount } receivedInvitations { totalCount } } }`, nil)
			v := data.Viewer
			if v.Connections.TotalCount != 1 || v.Connections.Nodes[0].ID != b.ID || v.SentInvitations.TotalCount+v.ReceivedInvitations.TotalCount != 0 {
				t.Errorf("the lists of %s are %+v", a.Handle, v)
			}
		}
		connected(ada, ben)
		connected(ben, ada)

		server.Stop(t)
		again := apptest.Start(t, database)
		ada, ben = ada.On(again), ben.On(again)
		connected(ada, ben)
		connected(ben, ada)
		resumed := ben.Connect().Subscribe(subscribeNotifications, apptest.Vars{"after": ""})
		resumed.Next(&event)
		if event.Edge.Node.ID != node.ID || event.Edge.Node.Invitation.State != "ACCEPTED" {
			t.Errorf("after the restart the inbox begins with %+v", event.Edge.Node)
		}
	})
}

// Removing is silent, immediate and for both; after it, inviting is free again.
func TestRemove(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben, cleo := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cleo")
		apptest.Connect(ada, ben)
		stream := ben.Connect().Subscribe(subscribeNotifications, nil)
		if got := ada.Remove(ben.ID); got.Code() != "" || got.Member.Relationship.Status != "NONE" {
			t.Fatalf("remove gave %+v", got)
		}
		for _, c := range []*apptest.Client{ada, ben} {
			other := ada.ID
			if c == ada {
				other = ben.ID
			}
			if got := c.RelationshipTo(other); got.Status != "NONE" || got.Degree != nil {
				t.Errorf("%s still has %+v", c.Handle, got)
			}
		}
		if got := ada.Remove(ben.ID); got.Code() != "NOT_CONNECTED" {
			t.Errorf("removing twice gave %+v", got)
		}
		if got := ada.Remove(ada.ID); got.Code() != "NOT_CONNECTED" {
			t.Errorf("removing oneself gave %+v", got)
		}
		// The next thing that Ben hears of is Cleo, not the removal.
		cleo.Invite(ben.ID, "")
		var event edgeEvent
		stream.Next(&event)
		if event.Edge.Node.Actor.ID != cleo.ID {
			t.Errorf("ben was notified of %+v", event.Edge.Node)
		}
		for _, pair := range [][2]*apptest.Client{{ada, ben}, {ben, ada}} {
			apptest.Connect(pair[0], pair[1])
			if got := pair[1].Remove(pair[0].ID); got.Code() != "" {
				t.Errorf("remove gave %+v", got)
			}
		}
	})
}
