package app_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// world is one way in which a recipient may silently treat an invitation.
type world struct {
	name  string
	treat func(recipient *apptest.Client, invitation string)
}

func worlds(t *testing.T) []world {
	answer := func(answers ...string) func(*apptest.Client, string) {
		return func(recipient *apptest.Client, invitation string) {
			for _, a := range answers {
				if got := recipient.Respond(invitation, a); got.Code() != "" {
					t.Errorf("%s gave %s", a, got.Code())
				}
			}
		}
	}
	return []world{
		{"left alone", answer()},
		{"ignored", answer("IGNORE")},
		{"flagged", answer("DONT_KNOW")},
		{"ignored, then flagged", answer("IGNORE", "DONT_KNOW")},
		{"declined", answer("DECLINE")},
		{"ignored, then declined", answer("IGNORE", "DECLINE")},
		{"flagged, then declined", answer("DONT_KNOW", "DECLINE")},
	}
}

// observer writes down, to the byte, all that a sender can see.
type observer struct {
	*apptest.Client

	log        strings.Builder
	recipient  string
	invitation string
	after      string // a cursor of the invitation sent before that one
	streams    []*apptest.Stream
	socket     *apptest.Socket

	t      *testing.T
	server *apptest.Server
	looks  int
}

const everything = `query($recipient: ID!, $invitation: ID!, $handle: String!, $after: String) {
	viewer {
		id unreadNotificationCount
		sentInvitations(first: 50) { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
			edges { cursor node { ...invitation } } }
		firstPage: sentInvitations(first: 2) { pageInfo { hasNextPage endCursor } nodes { ...invitation } }
		nextPage: sentInvitations(first: 2, after: $after) { pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { ...invitation } }
		receivedInvitations { totalCount nodes { ...invitation } }
		archive: receivedInvitations(state: IGNORED) { totalCount nodes { ...invitation } }
		connections { totalCount edges { cursor connectedAt node { ...member } } }
		notifications { totalCount nodes { ...notification } pageInfo { hasNextPage endCursor } }
		notificationPreferences { pausedUntil timeZone }
		invitationAllowance { remaining renewsAt restrictedUntil warned }
		blockedMembers { totalCount nodes { id } }
		conversations { totalCount nodes { id canSend unreadCount } }
		member { ...member }
	}
	node(id: $recipient) { ...member }
	nodes(ids: [$invitation, $recipient]) { __typename ...invitation ...member }
	member(handle: $handle) { ...member }
}
fragment member on Member { id handle name headline location company photoUrl
	relationship { id status degree connectedAt invitation { ...invitation } } mutualConnections { totalCount nodes { id } } }
fragment invitation on Invitation { id note acquaintance state sentAt acceptedAt lastRemindedAt sender { id } recipient { id } }
fragment notification on Notification { __typename id sequence category createdAt readAt actor { id }
	... on InvitationAcceptedNotification { invitation { ...invitation } } ... on InvitationReceivedNotification { invitation { ...invitation } } }`

func (o *observer) note(what string, raw []byte) { fmt.Fprintf(&o.log, "%s\n%s\n", what, raw) }

// look asks for everything there is to ask.
func (o *observer) look(when string) {
	r := o.Do(everything, apptest.Vars{"recipient": o.recipient, "invitation": o.invitation, "handle": "recipient", "after": o.after})
	o.note(when, r.Raw)
	// A mark: once it has come over a subscription, so has whatever was sent before.
	o.looks++
	mark := o.server.As(o.t, fmt.Sprint("mark", o.looks))
	mark.Invite(o.ID, "")
	for _, i := range []int{0, 1, 3} { // all but invitationAccepted, which is waited for where something was accepted
		for marked := false; !marked; {
			m := o.streams[i].Message()
			o.note(fmt.Sprintf("%s: subscription %d %s", when, i, m.Type), m.Payload)
			marked = strings.Contains(string(m.Payload), mark.ID)
		}
	}
	for _, m := range o.streams[2].Drain() {
		o.note(when+": subscription 2 "+m.Type, m.Payload)
	}
}

// try does something, and writes down what came of it.
func (o *observer) try(what, mutation string) {
	o.note(what, o.Do(mutation, apptest.Vars{"recipient": o.recipient, "invitation": o.invitation}).Raw)
}

const (
	inviteAgain = `mutation($recipient: ID!) { inviteMember(input: {memberId: $recipient, note: "again"}) {
		invitation { id state note sentAt acceptedAt } member { relationship { status } } userErrors { code message field retryAt } } }`
	answerOwn = `mutation($invitation: ID!) { respondToInvitation(input: {invitationId: $invitation, response: ACCEPT}) {
		invitation { id } userErrors { code message field retryAt } } }`
	withdraw = `mutation($invitation: ID!) { withdrawInvitation(input: {invitationId: $invitation}) {
		invitation { id state note sentAt acceptedAt } userErrors { code message field retryAt } } }`
	remindOwn = `mutation($invitation: ID!) { remindInvitation(input: {invitationId: $invitation}) {
		invitation { id state lastRemindedAt } userErrors { code message field retryAt } } }`
	remove = `mutation($recipient: ID!) { removeConnection(input: {memberId: $recipient}) {
		member { relationship { status } } userErrors { code message field retryAt } } }`
)

// live plays a sender's life with an invitation that the recipient treats in the way of a world, up to an end, and gives
// everything that the sender saw, with ids, cursors and times replaced by the order of their appearance.
func live(t *testing.T, database string, w world, end func(o *observer, recipient *apptest.Client)) string {
	t.Helper()
	clock := &apptest.Clock{}
	s := apptest.Start(t, database, clock.Apply)
	recipient, bystander := s.As(t, "recipient"), s.As(t, "bystander")
	o := &observer{Client: s.As(t, "sender"), recipient: recipient.ID, t: t, server: s}
	apptest.Connect(bystander, recipient)
	apptest.Connect(o.Client, bystander)
	o.socket = o.Connect()
	for _, q := range []string{
		`subscription { notificationReceived(after: "") { cursor node { __typename id sequence category createdAt actor { id } } } }`,
		`subscription { invitationReceived { id state sentAt sender { id } } }`,
		`subscription { invitationAccepted { id state acceptedAt } }`,
		`subscription { networkChanged { kind member { id } invitation { id state lastRemindedAt } } }`,
	} {
		o.streams = append(o.streams, o.socket.Subscribe(q, nil))
	}
	// Others before and after, so that an order or a page could tell.
	o.Invite(s.As(t, "earlier1").ID, "")
	o.Invite(s.As(t, "earlier2").ID, "")
	o.invitation = o.Invite(recipient.ID, "Do you remember me?").Invitation.ID
	o.Invite(s.As(t, "later1").ID, "")
	var page struct {
		Viewer struct{ SentInvitations struct{ PageInfo pageInfo } }
	}
	o.Get(&page, `{ viewer { sentInvitations(first: 1) { pageInfo { endCursor } } } }`, nil)
	o.after = *page.Viewer.SentInvitations.PageInfo.EndCursor
	o.Invite(s.As(t, "later2").ID, "")
	recipientSees := recipient.Connect().Subscribe(subscribeNotifications, apptest.Vars{"after": ""})
	var event edgeEvent
	recipientSees.Next(&event) // the bystander's
	recipientSees.Next(&event)
	if event.Edge.Node.Actor.ID != o.ID {
		t.Fatalf("the recipient was told of %+v", event.Edge.Node)
	}

	w.treat(recipient, o.invitation)
	o.look("after the treatment")
	o.try("invite again", inviteAgain)
	o.try("answer it oneself", answerOwn)
	o.try("remove what is not there", remove)
	o.look("after trying")
	for range 3 {
		clock.Advance(8 * day)
		o.try("remind", remindOwn)
		o.look("after reminding")
	}
	end(o, recipient)
	s.Stop(t)
	return rename(o.log.String())
}

var (
	identity = regexp.MustCompile(`[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}(_[0-9a-hjkmnp-tv-z]{26})?`)
	instant  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)
	cursor   = regexp.MustCompile(`"(cursor|startCursor|endCursor)":"[\w-]+"`)
)

// rename replaces what differs from run to run by the order of its first appearance, so that equal things stay equal
// and different ones different.
func rename(s string) string {
	for name, pattern := range map[string]*regexp.Regexp{"id": identity, "cursor": cursor} {
		names := map[string]string{}
		s = pattern.ReplaceAllStringFunc(s, func(found string) string {
			if _, ok := names[found]; !ok {
				names[found] = fmt.Sprintf("%s-%d", name, len(names)+1)
			}
			return names[found]
		})
	}
	// Two things may or may not have happened in the same millisecond: only that there is a time is compared.
	return instant.ReplaceAllString(s, "time")
}

// Silence: the same life of a sender, in worlds that differ only in what the recipient did, looks the same to the byte.
func TestSilence(t *testing.T) {
	t.Parallel()
	ends := map[string]func(o *observer, recipient *apptest.Client){
		"withdrawn": func(o *observer, _ *apptest.Client) {
			o.try("withdraw", withdraw)
			o.look("after withdrawing")
			o.try("withdraw again", withdraw)
			o.try("invite again", inviteAgain)
			o.look("at the end")
		},
		"crossed": func(o *observer, recipient *apptest.Client) {
			if got := recipient.Invite(o.ID, "now I do"); got.Code() != "" || got.Invitation.State != "ACCEPTED" {
				panic(fmt.Sprintf("crossing gave %+v", got))
			}
			m := o.streams[2].Message() // invitationAccepted
			o.note("subscription 2 "+m.Type, m.Payload)
			o.look("after crossing")
			o.try("withdraw", withdraw)
			o.try("invite again", inviteAgain)
			o.try("remove", remove)
			o.try("invite anew", inviteAgain)
			o.look("at the end")
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, d := range storetest.Databases() {
				t.Run(d.Name, func(t *testing.T) {
					t.Parallel()
					var first string
					for _, w := range worlds(t) {
						seen := live(t, d.New(t), w, end)
						if first == "" {
							first = seen
						}
						if seen != first {
							t.Errorf("a sender can tell %q from %q:\n%s", w.name, "left alone", difference(first, seen))
						}
					}
				})
			}
		})
	}
}

// difference gives the first line in which two texts differ.
func difference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, as[i], bs[i])
		}
	}
	return fmt.Sprintf("%d lines and %d lines", len(as), len(bs))
}
