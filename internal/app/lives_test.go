package app_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// A life is a sequence of what several members do. It is lived twice, in worlds that differ only in what recipients do in
// silence; what a sender, and a bystander, see of the two must be the same to the byte: all of the API, after each step.

// step is one thing that somebody does. Whom is the index of a recipient.
type step struct {
	Do   string
	Whom int
	// What the recipient does in silence in each of the two worlds; of steps "silent" alone.
	Silent [2]string
	Days   int // of steps "wait" alone
}

// recipients of a life; fewer than make a warning of flags, which the product shows.
const recipients = 2

// silences are the answers of which a sender must learn nothing.
var silences = []string{"", "IGNORE", "DONT_KNOW", "DECLINE", "IGNORE DECLINE", "DONT_KNOW DECLINE"}

// steps that are the same in both worlds.
var steps = []string{
	"invite", "invite", "remind", "withdraw", "write", "write", "cross", "reply", "remove", "block", "unblock",
	"removed", "blocked", "unblocked", "read", "profile", "export", "silent", "silent", "silent", "wait", "wait",
}

// drawLife draws what the product keeps silent about, and nothing else: a decline shows to a sender who withdraws, or
// lets the invitation expire, and then invites again after the cool-down, and is meant to. Every life begins with an
// invitation that is treated differently in the two worlds.
func drawLife(t *rapid.T) []step {
	one := rapid.IntRange(0, len(silences)-1).Draw(t, "in one world")
	other := (one + rapid.IntRange(1, len(silences)-1).Draw(t, "in the other")) % len(silences)
	life := []step{{Do: "invite"}}
	if rapid.Bool().Draw(t, "with a word before") {
		life = append(life, step{Do: "reply"})
	}
	life = append(life, step{Do: "silent", Silent: [2]string{silences[one], silences[other]}})
	if rapid.Bool().Draw(t, "with a reminder") {
		life = append(life, step{Do: "wait", Days: 8}, step{Do: "remind"})
	}
	w := watch{}
	for _, s := range life {
		w.allows(s)
	}
	for range rapid.IntRange(2, 9).Draw(t, "length") {
		s := step{
			Do: rapid.SampledFrom(steps).Draw(t, "do"), Whom: rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "whom"),
		}
		switch s.Do {
		case "silent":
			s.Silent[0] = rapid.SampledFrom(silences).Draw(t, "silently here")
			s.Silent[1] = rapid.SampledFrom(silences).Draw(t, "silently there")
		case "wait":
			s.Days = rapid.SampledFrom([]int{1, 8, 8, 30, 181}).Draw(t, "days")
		}
		if w.allows(s) {
			life = append(life, s)
		}
	}
	return life
}

// watch keeps track of what a sender is about to be told in any case.
type watch struct {
	day      int
	openedOn [recipients]int // the day after, 0 for none open
	closedOn [recipients]int // the day after, 0 for never; unanswered
	expired  [recipients]bool
}

// allows reports whether the product keeps silent about a step.
func (w *watch) allows(s step) bool {
	i := s.Whom
	switch s.Do {
	case "wait":
		w.day += s.Days
		for i := range w.openedOn {
			if w.openedOn[i] > 0 && w.day+1-w.openedOn[i] >= 180 {
				w.openedOn[i], w.closedOn[i], w.expired[i] = 0, w.day+1, true
			}
		}
	case "invite":
		if w.closedOn[i] > 0 && (w.expired[i] || w.day+1-w.closedOn[i] >= 21) {
			return false
		}
		if w.closedOn[i] == 0 && w.openedOn[i] == 0 {
			w.openedOn[i] = w.day + 1
		}
	case "withdraw", "block", "blocked":
		if w.openedOn[i] > 0 {
			w.openedOn[i], w.closedOn[i] = 0, w.day+1
		}
	case "cross": // connected, or invited the other way: then a bar, if any, may show later
		w.openedOn[i], w.closedOn[i], w.expired[i] = 0, w.day+1, true
	}
	return true
}

// frozen is a clock that moves only when a test moves it, so that times can be compared.
type frozen struct{ at atomic.Int64 }

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (f *frozen) Now() time.Time { return epoch.Add(time.Duration(f.at.Load())) }

func (f *frozen) Advance(d time.Duration) { f.at.Add(int64(d)) }

const wholeWorld = `query($r0: ID!, $r1: ID!, $h0: String!, $h1: String!, $i: [ID!]!) {
	viewer {
		id unreadNotificationCount
		invitationAllowance { id remaining renewsAt restrictedUntil warned }
		sentInvitations(first: 10) { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { ...invitation } } }
		receivedInvitations(first: 10) { totalCount edges { cursor node { ...invitation } } }
		archive: receivedInvitations(state: IGNORED, first: 5) { totalCount nodes { ...invitation } }
		connections(first: 10) { totalCount edges { cursor connectedAt node { ...member } } }
		notifications(first: 30) { totalCount edges { cursor node { ...notification } } }
		blockedMembers(first: 5) { totalCount edges { cursor node { ...member } } }
		conversations(first: 5) { totalCount edges { node { ...conversation } } }
		notificationPreferences { pausedUntil timeZone } privacySettings { id whoCanInvite }
		member { ...member }
	}
	a: node(id: $r0) { ...member } b: node(id: $r1) { ...member }
	nodes(ids: $i) { __typename ...invitation }
	c: member(handle: $h0) { ...member } d: member(handle: $h1) { ...member }
}
fragment member on Member { id handle name headline relationship { id status degree connectedAt invitation { ...invitation } }
	mutualConnections(first: 5) { totalCount nodes { id } } profile { id about email skills } connections(first: 5) { totalCount nodes { id } } }
fragment invitation on Invitation { id note acquaintance state sentAt acceptedAt lastRemindedAt sender { id } recipient { id } conversation { id canSend unreadCount } }
fragment conversation on Conversation { id canSend unreadCount with { id } messages(first: 10) { totalCount nodes { id body sentAt sender { id } } } }
fragment notification on Notification { __typename id sequence category createdAt readAt actor { id }
	... on InvitationAcceptedNotification { invitation { ...invitation } } ... on InvitationReceivedNotification { reminder invitation { ...invitation } }
	... on MessageNotification { message { id body } } }`

// witness writes down all that a member sees.
type witness struct {
	*apptest.Client

	socket  *apptest.Socket
	streams []*apptest.Stream
	log     *strings.Builder
}

var everySubscription = []string{
	`subscription { notificationReceived(after: "") { cursor node { __typename id sequence category createdAt actor { id } } } }`,
	`subscription { invitationReceived { id state sentAt lastRemindedAt sender { id } } }`,
	// Without the unread count, which is as of the moment at which the event is written.
	`subscription { networkChanged { kind member { id } invitation { id state sentAt lastRemindedAt } } }`,
	`subscription { messageReceived { id body sentAt sender { id } conversation { id canSend } } }`,
	`subscription { invitationAccepted { id state acceptedAt recipient { id } } }`,
}

func newWitness(c *apptest.Client) *witness {
	w := &witness{Client: c, socket: c.Connect(), log: &strings.Builder{}}
	for _, q := range everySubscription {
		w.streams = append(w.streams, w.socket.Subscribe(q, nil))
	}
	return w
}

// world is one run of a life.
type worldOfLife struct {
	t           *testing.T
	server      *apptest.Server
	clock       *frozen
	sender      *witness
	bystander   *witness
	friend      *apptest.Client // connected to both, and writes to them as a mark
	people      [recipients]*apptest.Client
	invitations []string
	n           int
}

func (w *worldOfLife) whom(i int) *apptest.Client { return w.people[i] }

// try does something as the sender, and writes down what came of it.
func (w *worldOfLife) try(what, mutation string, vars apptest.Vars) apptest.Response {
	r := w.sender.Do(mutation, vars)
	fmt.Fprintf(w.sender.log, "%s\n%s\n", what, r.Raw)
	return r
}

const refusal = `userErrors { code message field retryAt }`

// open is the sender's open invitation to a member, or "".
func (w *worldOfLife) open(to *apptest.Client) string {
	var data struct {
		Node *struct{ Relationship apptest.Relationship }
	}
	w.sender.Get(&data, `query($id: ID!) { node(id: $id) { ... on Member { relationship { status invitation { id sender { id } } } } } }`, apptest.Vars{"id": to.ID})
	if data.Node == nil || data.Node.Relationship.Invitation == nil || data.Node.Relationship.Invitation.Sender.ID != w.sender.ID {
		return ""
	}
	open := data.Node.Relationship.Invitation.ID
	if !slices.Contains(w.invitations, open) {
		w.invitations = append(w.invitations, open)
	}
	return open
}

// live does a step.
func (w *worldOfLife) live(s step, world int) {
	other := w.whom(s.Whom)
	latest := w.open(other)
	id, invitation := apptest.Vars{"id": other.ID}, apptest.Vars{"id": latest}
	switch s.Do {
	case "invite":
		w.try("invite", `mutation($id: ID!) { inviteMember(input: {memberId: $id, note: "Hello"}) { invitation { id state sentAt } member { id } `+refusal+` } }`, id)
	case "remind":
		w.try("remind", `mutation($id: ID!) { remindInvitation(input: {invitationId: $id}) { invitation { id state lastRemindedAt } `+refusal+` } }`, invitation)
	case "withdraw":
		w.try("withdraw", `mutation($id: ID!) { withdrawInvitation(input: {invitationId: $id}) { invitation { id state } `+refusal+` } }`, invitation)
	case "remove":
		w.try("remove", `mutation($id: ID!) { removeConnection(input: {memberId: $id}) { member { id } `+refusal+` } }`, id)
	case "block":
		w.try("block", `mutation($id: ID!) { blockMember(input: {memberId: $id}) { member { id } `+refusal+` } }`, id)
	case "unblock":
		w.try("unblock", `mutation($id: ID!) { unblockMember(input: {memberId: $id}) { member { id } `+refusal+` } }`, id)
	case "write":
		w.try("write", `mutation($id: ID!) { sendMessage(input: {memberId: $id, body: "Are you there?"}) { message { id body sentAt conversation { id canSend } } `+refusal+` } }`, id)
	case "read":
		markAllRead(w.sender.Client)
	case "profile":
		w.try("profile", `mutation { updateMember(input: {headline: "Founder"}) { member { headline } `+refusal+` } }`, nil)
	case "export":
		w.try("export", `mutation { exportMyData { data `+refusal+` } }`, nil)
	case "cross":
		other.Invite(w.sender.ID, "")
	case "reply":
		other.Do(`mutation($id: ID!) { sendMessage(input: {memberId: $id, body: "Who are you?"}) { message { id } `+refusal+` } }`, apptest.Vars{"id": w.sender.ID})
	case "removed":
		other.Remove(w.sender.ID)
	case "blocked":
		other.Block(w.sender.ID)
	case "unblocked":
		other.Unblock(w.sender.ID)
	case "silent":
		for answer := range strings.FieldsSeq(s.Silent[world]) {
			if latest != "" {
				other.Respond(latest, answer)
			}
		}
	case "wait":
		w.clock.Advance(time.Duration(s.Days) * day)
		w.server.RunTasks(w.t)
	}
}

// look writes down what the witnesses see, once all that was sent before has come: a new member invites each, and a
// friend writes, which every subscription that could have something tells of.
func (w *worldOfLife) look(what string) {
	w.n++
	mark := w.server.As(w.t, fmt.Sprint("mark", w.n))
	for _, seen := range []*witness{w.sender, w.bystander} {
		mark.Invite(seen.ID, "mark")
		r := w.friend.Do(`mutation($id: ID!) { sendMessage(input: {memberId: $id, body: "mark"}) { message { id } `+refusal+` } }`, apptest.Vars{"id": seen.ID})
		if r.Code() != "" {
			w.t.Fatalf("the mark: %s", r.Raw)
		}
		for i, stream := range seen.streams[:4] {
			// Until the mark itself: the notifications of the message, the invitation, or the message.
			want := []string{`"MessageNotification"`, mark.ID, mark.ID, `"body":"mark"`}[i]
			for {
				m := stream.Message()
				fmt.Fprintf(seen.log, "%s: subscription %d %s %s\n", what, i, m.Type, m.Payload)
				if strings.Contains(string(m.Payload), want) && (i > 0 || strings.Contains(string(m.Payload), w.friend.ID)) {
					break
				}
			}
		}
		for _, m := range seen.streams[4].Drain() {
			fmt.Fprintf(seen.log, "accepted %s\n", m.Payload)
		}
		r = seen.Do(wholeWorld, apptest.Vars{
			"r0": w.people[0].ID, "r1": w.people[1].ID, "h0": w.people[0].Handle, "h1": w.people[1].Handle, "i": append([]string{}, w.invitations...),
		})
		if len(r.Errors) > 0 { // else nothing would be compared
			w.t.Fatalf("%s", r.Raw)
		}
		fmt.Fprintf(seen.log, "%s\n%s\n", what, r.Raw)
	}
}

// liveThrough lives a life in one of its worlds, and gives what the sender and the bystander saw.
func liveThrough(t *testing.T, database string, life []step, world int) string {
	t.Helper()
	clock := &frozen{}
	s := apptest.Start(t, database, func(c *app.Config) { c.Now, c.NoTasks = clock.Now, true })
	w := &worldOfLife{t: t, server: s, clock: clock, friend: s.As(t, "friend")}
	sender, bystander := s.As(t, "sender"), s.As(t, "bystander")
	apptest.Connect(w.friend, sender)
	apptest.Connect(w.friend, bystander)
	for i := range w.people {
		w.people[i] = s.As(t, fmt.Sprint("recipient", i))
		apptest.Connect(w.people[i], bystander)
	}
	w.sender, w.bystander = newWitness(sender), newWitness(bystander)
	for i, step := range life {
		clock.Advance(time.Second)
		w.live(step, world)
		clock.Advance(time.Second)
		w.look(fmt.Sprintf("%d %s %d", i, step.Do, step.Whom))
	}
	s.Stop(t)
	return rename(w.sender.log.String() + w.bystander.log.String())
}

// Silence, in random lives.
func TestSilenceInRandomLives(t *testing.T) {
	t.Parallel()
	for _, d := range storetest.Databases() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(r *rapid.T) {
				life := drawLife(r)
				one, other := liveThrough(t, d.New(t), life, 0), liveThrough(t, d.New(t), life, 1)
				if one != other {
					r.Fatalf("a sender can tell two worlds apart\n%v\n%s", life, difference(one, other))
				}
			})
		})
	}
}
