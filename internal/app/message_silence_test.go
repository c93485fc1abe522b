package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// writer writes down, to the byte, all that a sender who writes and is written to can see.
type writer struct {
	*apptest.Client

	log          strings.Builder
	recipient    string
	invitation   string
	conversation string
	streams      map[string]*apptest.Stream
	marker       *apptest.Client
	markers      int
}

const everythingSaid = `query($recipient: ID!, $invitation: ID!, $conversation: ID!) {
	viewer { unreadNotificationCount
		conversations { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { ...conversation } } }
		newest: conversations(first: 1) { pageInfo { hasNextPage endCursor } nodes { id } }
		oldest: conversations(last: 1) { pageInfo { hasPreviousPage startCursor } nodes { id } }
		sentInvitations { totalCount nodes { ...invitation } }
		notifications { totalCount nodes { ...notification } } }
	recipient: node(id: $recipient) { ... on Member { id relationship { status degree invitation { ...invitation } } } }
	invitation: node(id: $invitation) { ...invitation }
	conversation: node(id: $conversation) { ...conversation }
}
fragment invitation on Invitation { id state sentAt acceptedAt lastRemindedAt conversation { ...conversation } }
fragment conversation on Conversation { id canSend unreadCount with { id name } lastMessage { ...message }
	messages { totalCount pageInfo { hasNextPage startCursor endCursor } edges { cursor node { ...message } } } }
fragment message on Message { id body sentAt sender { id } conversation { id canSend unreadCount } }
fragment notification on Notification { __typename id sequence category createdAt readAt actor { id }
	... on MessageNotification { message { ...message } } ... on InvitationReceivedNotification { invitation { id note } } }`

func (w *writer) note(what string, raw []byte) { fmt.Fprintf(&w.log, "%s\n%s\n", what, raw) }

// look waits until all has come that was sent before, by markers that come after it, and asks for everything.
func (w *writer) look(t *testing.T, s *apptest.Server, when string) {
	t.Helper()
	w.markers++
	mark := fmt.Sprintf("marker %d", w.markers)
	if got := s.As(t, fmt.Sprint("newcomer", w.markers)).Invite(w.ID, mark); got.Code() != "" {
		t.Fatal(got.Code())
	}
	until := func(name, last string) {
		for seen := false; !seen; {
			m := w.streams[name].Message()
			w.note(when+": "+name+" "+m.Type, m.Payload)
			seen = strings.Contains(string(m.Payload), last)
		}
	}
	until("networkChanged", mark) // before anything else is unread: it counts that as it comes
	until("notificationReceived", mark)
	expectSent(t, mark, w.marker.Send(w.ID, mark), "")
	until("messageReceived", mark)
	until("notificationReceived", mark)
	w.note(when, w.Do(everythingSaid, apptest.Vars{"recipient": w.recipient, "invitation": w.invitation, "conversation": w.conversation}).Raw)
}

// send writes to the recipient, and writes down what came of it.
func (w *writer) send(what, body, key string) {
	w.note(what, w.Do(apptest.SendQuery, apptest.Vars{"i": apptest.Vars{"memberId": w.recipient, "body": body, "clientKey": key}}).Raw)
}

// correspond plays the life of the sender of an invitation that the recipient treats in the way of a world, and gives
// everything that the sender saw.
func correspond(t *testing.T, database string, w world) string {
	t.Helper()
	s := apptest.Start(t, database)
	recipient := s.As(t, "recipient")
	o := &writer{Client: s.As(t, "sender"), marker: s.As(t, "bystander"), recipient: recipient.ID, streams: map[string]*apptest.Stream{}}
	apptest.Connect(o.Client, o.marker)
	o.marker.Send(o.ID, "an older conversation")
	o.invitation = o.Invite(recipient.ID, "Do you remember me?").Invitation.ID
	o.conversation = "cnv_01h455vb4pex5vsknk084sn02q"
	socket := o.Connect()
	for name, selection := range map[string]string{
		"messageReceived":      `{ id body sentAt sender { id } conversation { id canSend unreadCount messages { totalCount } } }`,
		"notificationReceived": `{ cursor node { __typename sequence category actor { id } ... on MessageNotification { message { id body } } ... on InvitationReceivedNotification { invitation { note } } } }`,
		"networkChanged":       `{ kind member { id } invitation { id note state } unreadNotificationCount }`,
	} {
		o.streams[name] = socket.Subscribe(`subscription { `+name+selection+` }`, nil)
	}
	o.send("before the recipient has written", "please", "k0")

	w.treat(recipient, o.invitation)
	if found := conversationWith(o.Client, recipient); found != "" {
		o.conversation = found
	}
	o.look(t, s, "after the treatment")
	o.send("a reply", "It is me", "k1")
	o.send("the reply again", "It is me", "k1")
	o.send("another text under its key", "It was me", "k1")
	o.send("and again", "Are you there?", "k2")
	o.note("read", o.Do(`mutation($i: MarkConversationReadInput!) { markConversationRead(input: $i) { conversation { id unreadCount } userErrors { code message field } } }`,
		apptest.Vars{"i": apptest.Vars{"conversationId": o.conversation}}).Raw)
	o.look(t, s, "after replying")
	// Whatever the recipient did, the recipient may write, and it comes.
	expectSent(t, "the recipient, later", recipient.Send(o.ID, "later"), "")
	o.conversation = conversationWith(o.Client, recipient)
	o.look(t, s, "after the recipient has written")
	o.send("a late reply", "At last", "k3")
	o.look(t, s, "after the late reply")
	o.note("withdraw", o.Do(withdraw, apptest.Vars{"invitation": o.invitation}).Raw)
	o.send("after withdrawing", "Hello?", "k4")
	o.send("the reply again after withdrawing", "It is me", "k1")
	o.look(t, s, "after withdrawing")
	if got := recipient.Send(o.ID, "too late").Code(); got != "MESSAGING_NOT_ALLOWED" {
		t.Errorf("the recipient of a withdrawn invitation: %q", got)
	}
	o.look(t, s, "at the end")
	s.Stop(t)
	return rename(o.log.String())
}

// Silence in what the two write: the sender cannot tell whether an invitation was left alone, ignored, flagged or
// declined, and neither whether the recipient wrote before answering or with the answer.
func TestSilenceOfMessages(t *testing.T) {
	t.Parallel()
	const words = "Who are you?"
	answers := func(recipient *apptest.Client, invitation string, answers ...string) {
		for _, a := range answers {
			if got := recipient.Respond(invitation, a); got.Code() != "" {
				t.Errorf("%s gave %s", a, got.Code())
			}
		}
	}
	writes := func(recipient *apptest.Client) {
		expectSent(t, "the recipient", recipient.Send(senderOf(recipient), words), "")
	}
	wrote := worlds(t)
	for i, w := range wrote {
		treat := w.treat
		wrote[i] = world{"written, then " + w.name, func(recipient *apptest.Client, invitation string) {
			writes(recipient)
			treat(recipient, invitation)
		}}
	}
	wrote = append(wrote,
		world{"declined with a message", func(recipient *apptest.Client, invitation string) {
			expect(t, "declining", recipient.RespondSaying(invitation, "DECLINE", words), "")
		}},
		world{"ignored, then declined with a message", func(recipient *apptest.Client, invitation string) {
			answers(recipient, invitation, "IGNORE")
			expect(t, "declining", recipient.RespondSaying(invitation, "DECLINE", words), "")
		}},
		world{"ignored, then written", func(recipient *apptest.Client, invitation string) {
			sender := senderOf(recipient)
			answers(recipient, invitation, "IGNORE")
			expectSent(t, "the recipient", recipient.Send(sender, words), "")
		}},
		world{"declined, then written", func(recipient *apptest.Client, invitation string) {
			sender := senderOf(recipient)
			answers(recipient, invitation, "DONT_KNOW", "DECLINE")
			expectSent(t, "the recipient", recipient.Send(sender, words), "")
		}},
		world{"written, then declined with nothing", func(recipient *apptest.Client, invitation string) {
			writes(recipient)
			expect(t, "declining", recipient.RespondSaying(invitation, "DECLINE", "  "), "")
		}},
		world{"declined with a message, twice", func(recipient *apptest.Client, invitation string) {
			for range 2 {
				expect(t, "declining", recipient.RespondSaying(invitation, "DECLINE", words), "")
			}
		}},
	)
	for name, list := range map[string][]world{"not written": worlds(t), "written": wrote} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, d := range storetest.Databases() {
				t.Run(d.Name, func(t *testing.T) {
					t.Parallel()
					var first string
					for _, w := range list {
						seen := correspond(t, d.New(t), w)
						if first == "" {
							first = seen
						}
						if seen != first {
							t.Errorf("a sender can tell %q from %q:\n%s", w.name, list[0].name, difference(first, seen))
						}
					}
				})
			}
		})
	}
}

// senderOf gives the sender of the one invitation in a member's inbox.
func senderOf(recipient *apptest.Client) string {
	var data struct {
		Viewer struct {
			ReceivedInvitations struct{ Nodes []apptest.Invitation }
		}
	}
	recipient.Get(&data, `{ viewer { receivedInvitations { nodes { sender { id } } } } }`, nil)
	return data.Viewer.ReceivedInvitations.Nodes[0].Sender.ID
}
