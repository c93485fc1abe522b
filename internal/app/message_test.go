package app_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// execute changes the tables behind the server's back: what no operation of these tests brings about.
func execute(t *testing.T, database, statement string, members ...*apptest.Client) {
	t.Helper()
	driver, source := "postgres", database
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_time_format=sqlite"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	args := make([]any, len(members))
	for i, m := range members {
		key, ok := model.MemberID(m.ID)
		if !ok {
			t.Fatalf("%q", m.ID)
		}
		args[i] = uuid.UUID(key)
	}
	if _, err := db.Exec(statement, args...); err != nil {
		t.Fatal(err)
	}
}

const eraseRow = `UPDATE members SET erased_at = '2026-01-01 00:00:00+00:00', name = 'Former member' WHERE id = $1`

// expectSent checks the code of sending.
func expectSent(t *testing.T, what string, got apptest.Sent, code string) {
	t.Helper()
	expect(t, what, apptest.Payload{UserErrors: got.UserErrors}, code)
	if (got.Message == nil) != (code != "") {
		t.Errorf("%s gave the message %+v with %q", what, got.Message, code)
	}
}

// Who may write to whom, after everything that can happen between two members: ada is the sender of the invitations. What
// canSend says is what sending does.
func TestWhoMayWrite(t *testing.T) {
	t.Parallel()
	type pair struct {
		t        *testing.T
		s        *apptest.Server
		ada, ben *apptest.Client
		clock    *apptest.Clock
		database string
	}
	invite := func(p pair) string { return p.ada.Invite(p.ben.ID, "").Invitation.ID }
	answered := func(answers ...string) func(pair) {
		return func(p pair) {
			invitation := invite(p)
			for _, a := range answers {
				expect(p.t, a, p.ben.Respond(invitation, a), "")
			}
		}
	}
	writes := func(p pair) { expectSent(p.t, "the recipient", p.ben.Send(p.ada.ID, "hello"), "") }
	then := func(steps ...func(pair)) func(pair) {
		return func(p pair) {
			for _, step := range steps {
				step(p)
			}
		}
	}
	withdraw := func(p pair) {
		expect(p.t, "withdrawing", p.ada.Withdraw(p.ada.RelationshipTo(p.ben.ID).Invitation.ID), "")
	}
	remove := func(p pair) { expect(p.t, "removing", p.ben.Remove(p.ada.ID), "") }
	expire := func(p pair) {
		p.clock.Advance(181 * day)
		p.s.RunTasks(p.t)
	}
	blockBen := func(p pair) { expect(p.t, "blocking", p.ada.Block(p.ben.ID), "") }
	blockAda := func(p pair) { expect(p.t, "blocking", p.ben.Block(p.ada.ID), "") }
	erase := func(p pair) { execute(p.t, p.database, eraseRow, p.ben) }
	const yes, no, unknown, nobody = "", "MESSAGING_NOT_ALLOWED", "MEMBER_NOT_FOUND", "cannot sign in any more"

	for _, c := range []struct {
		what     string
		life     func(pair)
		ada, ben string
	}{
		{"strangers", func(pair) {}, no, no},
		{"connected", answered("ACCEPT"), yes, yes},
		{"pending", answered(), no, yes},
		{"ignored", answered("IGNORE"), no, yes},
		{"flagged", answered("DONT_KNOW"), no, yes},
		{"declined", answered("DECLINE"), no, yes},
		{"pending, written", then(answered(), writes), yes, yes},
		{"ignored, written", then(answered("IGNORE"), writes), yes, yes},
		{"declined, written", then(answered("DECLINE"), writes), yes, yes},
		{"written, then flagged", func(p pair) {
			invitation := invite(p)
			writes(p)
			expect(p.t, "flagging", p.ben.Respond(invitation, "DONT_KNOW"), "")
		}, yes, yes},
		{"written, then declined", func(p pair) {
			invitation := invite(p)
			writes(p)
			expect(p.t, "declining", p.ben.Respond(invitation, "DECLINE"), "")
		}, yes, yes},
		{"declined with a message", func(p pair) {
			expect(p.t, "declining", p.ben.RespondSaying(invite(p), "DECLINE", "sorry"), "")
		}, yes, yes},
		{"accepted with a message", func(p pair) {
			expect(p.t, "accepting", p.ben.RespondSaying(invite(p), "ACCEPT", "hello"), "")
		}, yes, yes},
		{"withdrawn", then(answered(), withdraw), no, no},
		{"written, then withdrawn", then(answered(), writes, withdraw), no, no},
		{"declined with a message, then withdrawn", func(p pair) {
			expect(p.t, "declining", p.ben.RespondSaying(invite(p), "DECLINE", "sorry"), "")
			withdraw(p)
		}, no, no},
		{"written, withdrawn, invited again", then(answered(), writes, withdraw, func(p pair) {
			p.clock.Advance(22 * day)
			invite(p)
		}), no, yes},
		{"written, withdrawn, invited and written again", then(answered(), writes, withdraw, func(p pair) {
			p.clock.Advance(22 * day)
			invite(p)
		}, writes), yes, yes},
		{"written, withdrawn, invited by the other", then(answered(), writes, withdraw, func(p pair) {
			expect(p.t, "inviting", p.ben.Invite(p.ada.ID, ""), "")
		}), yes, no},
		{"written, then expired", then(answered(), writes, expire), no, no},
		{"declined with a message, then expired", then(func(p pair) {
			expect(p.t, "declining", p.ben.RespondSaying(invite(p), "DECLINE", "sorry"), "")
		}, expire), no, no},
		{"connected, then removed", then(answered("ACCEPT"), writes, remove), no, no},
		{"written, connected, then removed", then(answered(), writes, func(p pair) {
			expect(p.t, "crossing", p.ben.Invite(p.ada.ID, ""), "")
		}, remove), no, no},
		{"removed, then connected again", then(answered("ACCEPT"), writes, remove, answered("ACCEPT")), yes, yes},
		{"removed, then invited again", then(answered("ACCEPT"), writes, remove, answered()), no, yes},
		{"connected, and blocked by ada", then(answered("ACCEPT"), blockBen), unknown, unknown},
		{"connected, and blocked by ben", then(answered("ACCEPT"), blockAda), unknown, unknown},
		{"written, and blocked by ben", then(answered(), writes, blockAda), unknown, unknown},
		{"written, blocked and unblocked", then(answered(), writes, blockAda, func(p pair) {
			expect(p.t, "unblocking", p.ben.Unblock(p.ada.ID), "")
		}), no, no},
		{"connected, and ben deleted", then(answered("ACCEPT"), erase), unknown, nobody},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			storetest.EachDatabase(t, func(t *testing.T, database string) {
				clock := &apptest.Clock{}
				s := apptest.Start(t, database, func(c *app.Config) { c.Now = clock.Now })
				p := pair{t, s, s.As(t, "ada"), s.As(t, "ben"), clock, database}
				c.life(p)
				type side struct {
					writer, other *apptest.Client
					want          string
				}
				sides := []side{{p.ada, p.ben, c.ada}, {p.ben, p.ada, c.ben}}
				for _, side := range sides {
					if side.want == nobody {
						continue
					}
					if found := conversationWith(side.writer, side.other); found != "" && side.writer.CanSend(found) != (side.want == yes) {
						t.Errorf("%s: canSend says %v", side.writer.Handle, side.want != yes)
					}
				}
				// First those who may not: a message can allow the other to reply.
				slices.SortStableFunc(sides, func(a, b side) int { return -strings.Compare(a.want, b.want) })
				for _, side := range sides {
					if side.want != nobody {
						expectSent(t, side.writer.Handle+" writes", side.writer.Send(side.other.ID, "may I?"), side.want)
					}
				}
			})
		})
	}
}

// conversationWith gives the id of the client's conversation with another, "" for none that it sees.
func conversationWith(c, other *apptest.Client) string {
	for _, found := range conversationsOf(c) {
		if found.With.ID == other.ID {
			return found.ID
		}
	}
	return ""
}

type conversation struct {
	ID          string
	CanSend     bool
	UnreadCount int
	With        struct{ ID, Name string }
	LastMessage *apptest.Letter
}

// conversationsOf gives the client's conversations in their order.
func conversationsOf(c *apptest.Client) []conversation {
	var data struct {
		Viewer struct {
			Conversations struct {
				TotalCount int
				Nodes      []conversation
			}
		}
	}
	c.Get(&data, `{ viewer { conversations(first: 100) { totalCount nodes { id canSend unreadCount with { id name } lastMessage { `+apptest.LetterFields+` } } } } }`, nil)
	if list := data.Viewer.Conversations; list.TotalCount != len(list.Nodes) {
		panic(fmt.Sprintf("%d of %d conversations", len(list.Nodes), list.TotalCount))
	}
	return data.Viewer.Conversations.Nodes
}

// To oneself, to nobody, and to what is no member: refused, the last two alike to the letter.
func TestWriteToNobody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		invitation := ada.Invite(ben.ID, "").Invitation.ID
		self := ada.Send(ada.ID, "note to self")
		expectSent(t, "to oneself", self, "MESSAGING_NOT_ALLOWED")
		if !slices.Equal(self.UserErrors[0].Field, []string{"memberId"}) {
			t.Errorf("blames %v", self.UserErrors[0].Field)
		}
		for _, body := range []string{"hello", ""} {
			raw := func(memberID string) string {
				return string(ada.Do(apptest.SendQuery, apptest.Vars{"i": apptest.Vars{"memberId": memberID, "body": body}}).Raw)
			}
			want := raw("mbr_01h455vb4pex5vsknk084sn02q")
			for _, memberID := range []string{invitation, "", "x"} {
				if got := raw(memberID); got != want {
					t.Errorf("to %q: %s, and to a member who does not exist %s", memberID, got, want)
				}
			}
		}
		expectSent(t, "to nobody", ada.Send("mbr_01h455vb4pex5vsknk084sn02q", "hello"), "MEMBER_NOT_FOUND")
	})
}

// The text of a message: trimmed, 1 to 8,000 characters, tab and newline allowed.
func TestMessageTexts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		apptest.Connect(ada, ben)
		for _, c := range []struct{ what, body, want, code string }{
			{"plain", "hello", "hello", ""},
			{"trimmed", " \n hello\n\tthere \n", "hello\n\tthere", ""},
			{"the longest", strings.Repeat("ü", 8000), strings.Repeat("ü", 8000), ""},
			{"too long", strings.Repeat("ü", 8001), "", "TOO_LONG"},
			{"empty", "", "", "BLANK"},
			{"blank", " \n\t ", "", "BLANK"},
			{"invisible", "\u200b\u200d", "", "BLANK"},
			{"a bell", "ding\a", "", "INVALID"},
			{"NUL", "a\x00b", "", "INVALID"},
			{"markup stays text", `<b>"hi"</b>`, `<b>"hi"</b>`, ""},
		} {
			got := ada.Send(ben.ID, c.body)
			expectSent(t, c.what, got, c.code)
			if c.code != "" && !slices.Equal(got.UserErrors[0].Field, []string{"body"}) {
				t.Errorf("%s blames %v", c.what, got.UserErrors[0].Field)
			}
			if c.code == "" && (got.Message.Body != c.want || got.Message.Sender.ID != ada.ID) {
				t.Errorf("%s gave %+v", c.what, got.Message)
			}
		}
		for _, c := range []struct{ what, key, code string }{
			{"an empty key", "", "BLANK"}, {"a key too long", strings.Repeat("k", 101), "TOO_LONG"},
			{"a key with a newline", "a\nb", "INVALID"}, {"the longest key", strings.Repeat("ü", 100), ""},
		} {
			got := ada.Send(ben.ID, "hello", c.key)
			expectSent(t, c.what, got, c.code)
			if c.code != "" && !slices.Equal(got.UserErrors[0].Field, []string{"clientKey"}) {
				t.Errorf("%s blames %v", c.what, got.UserErrors[0].Field)
			}
		}
	})
}

// The recipient writes before answering: the invitation stays as it is, and both find the conversation in it.
func TestWriteBeforeAnswering(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		invitation := ada.Invite(ben.ID, "").Invitation.ID
		in := func(c *apptest.Client) string {
			t.Helper()
			var data struct {
				Node struct {
					State        string
					Conversation *struct{ ID string }
				}
			}
			c.Get(&data, `query($id: ID!) { node(id: $id) { ... on Invitation { state conversation { id } } } }`, apptest.Vars{"id": invitation})
			if data.Node.State != "PENDING" {
				t.Errorf("%s sees it %s", c.Handle, data.Node.State)
			}
			if data.Node.Conversation == nil {
				return ""
			}
			return data.Node.Conversation.ID
		}
		expectSent(t, "the sender first", ada.Send(ben.ID, "please"), "MESSAGING_NOT_ALLOWED")
		if in(ada) != "" || in(ben) != "" || conversationWith(ada, ben) != "" {
			t.Error("a conversation without a message")
		}
		sent := ben.Send(ada.ID, "who are you?")
		expectSent(t, "the recipient", sent, "")
		if c := sent.Message.Conversation; in(ada) != c.ID || in(ben) != c.ID || !c.CanSend || c.With.ID != ada.ID || !ada.CanSend(c.ID) {
			t.Errorf("%+v, to the sender %s, to the recipient %s", c, in(ada), in(ben))
		}
		reply := ada.Send(ben.ID, "Ada")
		expectSent(t, "the reply", reply, "")
		if reply.Message.Conversation.ID != sent.Message.Conversation.ID {
			t.Error("the reply is in another conversation")
		}
		expectSent(t, "and again", ben.Send(ada.ID, "ah"), "")
		if got := ben.Said(sent.Message.Conversation.ID); !slices.Equal(got, []string{"who are you?", "Ada", "ah"}) || !slices.Equal(got, ada.Said(sent.Message.Conversation.ID)) {
			t.Errorf("they said %q", got)
		}
		if got := inboxOf(ben); !slices.Equal(got, []string{"INVITATION_RECEIVED", "MESSAGE"}) {
			t.Errorf("the recipient was told %v", got)
		}
		if got := ben.RelationshipTo(ada.ID).Status; got != "INVITATION_RECEIVED" {
			t.Errorf("they are %s", got)
		}
	})
}

// A message with an answer: with ACCEPT and DECLINE, once, and with the whole answer or not at all.
func TestAnswerWithMessage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ben := s.As(t, "ben")
		n := 0
		invited := func() (*apptest.Client, string) {
			n++
			ada := s.As(t, fmt.Sprint("ada", n))
			return ada, ada.Invite(ben.ID, "").Invitation.ID
		}
		said := func(ada *apptest.Client) []string {
			if found := conversationWith(ada, ben); found != "" {
				return ada.Said(found)
			}
			return nil
		}

		ada, invitation := invited()
		expect(t, "accepting with a message", ben.RespondSaying(invitation, "ACCEPT", " Welcome! "), "")
		expect(t, "accepting again", ben.RespondSaying(invitation, "ACCEPT", "Welcome again!"), "")
		if got := said(ada); !slices.Equal(got, []string{"Welcome!"}) {
			t.Errorf("the accepted was told %q", got)
		}
		if got := inboxOf(ada); !slices.Equal(got, []string{"INVITATION_ACCEPTED", "MESSAGE"}) {
			t.Errorf("and notified of %v", got)
		}

		ada, invitation = invited()
		expect(t, "declining with a message", ben.RespondSaying(invitation, "DECLINE", "Sorry"), "")
		expect(t, "declining again", ben.RespondSaying(invitation, "DECLINE", "Sorry again"), "")
		if got := said(ada); !slices.Equal(got, []string{"Sorry"}) {
			t.Errorf("the declined was told %q", got)
		}
		if got := ada.RelationshipTo(ben.ID); got.Status != "INVITATION_SENT" || got.Invitation.State != "PENDING" {
			t.Errorf("to its sender a declined one is %+v", got)
		}

		ada, invitation = invited()
		expect(t, "ignoring", ben.Respond(invitation, "IGNORE"), "")
		expect(t, "accepting from the archive", ben.RespondSaying(invitation, "ACCEPT", "Late"), "")
		if got := said(ada); !slices.Equal(got, []string{"Late"}) {
			t.Errorf("the one from the archive was told %q", got)
		}

		for _, c := range []struct{ what, answer, words, code string }{
			{"ignoring with a message", "IGNORE", "bye", "INVALID"},
			{"flagging with a message", "DONT_KNOW", "who?", "INVALID"},
			{"accepting with a message too long", "ACCEPT", strings.Repeat("x", 8001), "TOO_LONG"},
			{"accepting with a bell", "ACCEPT", "\a", "INVALID"},
			{"declining with an invisible message", "DECLINE", "\u200b", "BLANK"},
		} {
			ada, invitation = invited()
			got := ben.RespondSaying(invitation, c.answer, c.words)
			expect(t, c.what, got, c.code)
			if !slices.Equal(got.UserErrors[0].Field, []string{"message"}) || got.Invitation != nil {
				t.Errorf("%s: %+v", c.what, got)
			}
			if state := ben.RelationshipTo(ada.ID); state.Status != "INVITATION_RECEIVED" || state.Invitation.State != "PENDING" || said(ada) != nil {
				t.Errorf("%s: then it is %+v, and %q was said", c.what, state, said(ada))
			}
		}
		for _, answer := range []string{"ACCEPT", "IGNORE", "DECLINE", "DONT_KNOW"} {
			ada, invitation = invited()
			expect(t, answer+" with an empty message", ben.RespondSaying(invitation, answer, " \n"), "")
			if got := said(ada); got != nil {
				t.Errorf("%s with an empty message said %q", answer, got)
			}
		}
		ada, invitation = invited()
		expect(t, "another's", ada.RespondSaying(invitation, "ACCEPT", "me"), "INVITATION_NOT_FOUND")
		expect(t, "withdrawing", ada.Withdraw(invitation), "")
		expect(t, "a withdrawn one", ben.RespondSaying(invitation, "ACCEPT", "yes"), "INVITATION_WITHDRAWN")
		if got := said(ada); got != nil {
			t.Errorf("refused, and said %q", got)
		}
	})
}

// The same key is the same message: whatever has happened since, but for a block. With other contents it is refused.
func TestClientKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben, cleo := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cleo")
		apptest.Connect(ada, ben)
		apptest.Connect(ada, cleo)
		first := ada.Send(ben.ID, "hello", "k1")
		expectSent(t, "sending", first, "")
		same := func(what string) {
			t.Helper()
			again := ada.Send(ben.ID, "hello ", "k1")
			expectSent(t, what, again, "")
			if again.Message.ID != first.Message.ID || again.Message.SentAt != first.Message.SentAt {
				t.Errorf("%s gave %+v, not %+v", what, again.Message, first.Message)
			}
			if got := ben.Said(first.Message.Conversation.ID); !slices.Equal(got, []string{"hello"}) {
				t.Errorf("%s: they read %q", what, got)
			}
		}
		same("sending again")
		for what, got := range map[string]apptest.Sent{
			"another text": ada.Send(ben.ID, "hallo", "k1"), "another member": ada.Send(cleo.ID, "hello", "k1"),
		} {
			expectSent(t, what, got, "INVALID")
			if !slices.Equal(got.UserErrors[0].Field, []string{"clientKey"}) {
				t.Errorf("%s blames %v", what, got.UserErrors[0].Field)
			}
		}
		if got := inboxOf(ben); !slices.Equal(got, []string{"INVITATION_RECEIVED", "MESSAGE"}) {
			t.Errorf("the recipient was told %v", got)
		}
		expect(t, "removing", ben.Remove(ada.ID), "")
		same("sending again when it is not allowed any more")
		expectSent(t, "another key then", ada.Send(ben.ID, "hello", "k2"), "MESSAGING_NOT_ALLOWED")
		apptest.Connect(ben, ada)
		other := ben.Send(ada.ID, "hello", "k1")
		expectSent(t, "the same key of another", other, "")
		if other.Message.ID == first.Message.ID {
			t.Error("keys of two members are one")
		}
		expect(t, "blocking", ben.Block(ada.ID), "")
		expectSent(t, "sending again to one who has blocked", ada.Send(ben.ID, "hello", "k1"), "MEMBER_NOT_FOUND")
	})
}

// Under the in-app preference no notification is written, and none comes; the message itself does.
func TestMessagePreference(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		apptest.Connect(ada, ben)
		socket := ben.Connect()
		messages := socket.Subscribe(subscribeMessages, nil)
		notified := socket.Subscribe(`subscription { edge: notificationReceived(categories: [MESSAGE]) { node { sequence category ... on MessageNotification { actor { id } message { id body } } } } }`, nil)
		prefer(t, ben, inApp("MESSAGE", "OFF"))
		ada.Send(ben.ID, "quiet")
		prefer(t, ben, inApp("MESSAGE", "REALTIME"))
		loud := ada.Send(ben.ID, "loud")
		for _, want := range []string{"quiet", "loud"} {
			var event struct{ Message apptest.Letter }
			messages.Next(&event)
			if event.Message.Body != want || event.Message.Sender.ID != ada.ID {
				t.Errorf("got %+v, want %q", event.Message, want)
			}
		}
		var event struct {
			Edge struct {
				Node struct {
					Sequence int
					Category string
					Actor    struct{ ID string }
					Message  struct{ ID, Body string }
				}
			}
		}
		notified.Next(&event)
		if n := event.Edge.Node; n.Sequence != 2 || n.Category != "MESSAGE" || n.Actor.ID != ada.ID || n.Message.ID != loud.Message.ID || n.Message.Body != "loud" {
			t.Errorf("notified of %+v", n)
		}
		if got := inboxOf(ben); !slices.Equal(got, []string{"INVITATION_RECEIVED", "MESSAGE"}) {
			t.Errorf("the inbox has %v", got)
		}
		if got := inboxOf(ada); !slices.Equal(got, []string{"INVITATION_ACCEPTED"}) {
			t.Errorf("the writer was told %v", got)
		}
	})
}

const subscribeMessages = `subscription { message: messageReceived { ` + apptest.LetterFields + ` } }`

// Whoever has put an invitation away is not notified when its sender goes on writing; the messages come all the same.
func TestNoNotificationFromThoseWhoWerePutAway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		for answer, notified := range map[string]bool{"": true, "IGNORE": false, "DONT_KNOW": false, "DECLINE": false, "ACCEPT": true} {
			ada, ben := s.As(t, "ada"+strings.ToLower(answer)), s.As(t, "ben"+strings.ToLower(answer))
			invitation := ada.Invite(ben.ID, "").Invitation.ID
			expectSent(t, "the recipient", ben.Send(ada.ID, "who are you?"), "")
			if answer != "" {
				expect(t, answer, ben.Respond(invitation, answer), "")
			}
			messages := ben.Connect().Subscribe(subscribeMessages, nil)
			reply := ada.Send(ben.ID, "Ada")
			expectSent(t, "the reply after "+answer, reply, "")
			var event struct{ Message apptest.Letter }
			messages.Next(&event)
			if event.Message.ID != reply.Message.ID || event.Message.Conversation.UnreadCount != 1 {
				t.Errorf("after %s: got %+v", answer, event.Message)
			}
			want := []string{"INVITATION_RECEIVED"}
			if notified {
				want = append(want, "MESSAGE")
			}
			if got := inboxOf(ben); !slices.Equal(got, want) {
				t.Errorf("after %s: told %v, want %v", answer, got, want)
			}
		}
	})
}

// Conversations and messages are their two members' alone, and neither's while one blocks the other.
func TestConversationsAreOfTwo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben, eve := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "eve")
		apptest.Connect(ada, ben)
		apptest.Connect(ada, eve)
		apptest.Connect(ben, eve)
		sent := ada.Send(ben.ID, "between us").Message
		ids := []string{sent.ID, sent.Conversation.ID}
		sees := func(c *apptest.Client) (n int) {
			t.Helper()
			var data struct{ Nodes []*struct{ ID string } }
			c.Get(&data, `query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Message { body sender { id } conversation { id } } ... on Conversation { with { id } messages { nodes { body } } } } }`, apptest.Vars{"ids": ids})
			for i, node := range data.Nodes {
				var one struct{ Node *struct{ ID string } }
				c.Get(&one, `query($id: ID!) { node(id: $id) { id } }`, apptest.Vars{"id": ids[i]})
				if (one.Node == nil) != (node == nil) {
					t.Errorf("%s: node and nodes differ about %s", c.Handle, ids[i])
				}
				if node != nil {
					n++
				}
			}
			return n
		}
		mark := func(c *apptest.Client) string {
			t.Helper()
			_, code := markRead(c, apptest.Vars{"conversationId": sent.Conversation.ID})
			return code
		}
		if sees(ada) != 2 || sees(ben) != 2 || sees(eve) != 0 {
			t.Errorf("ada sees %d of 2, ben %d, eve %d", sees(ada), sees(ben), sees(eve))
		}
		if mark(ben) != "" || mark(eve) != "CONVERSATION_NOT_FOUND" || len(conversationsOf(eve)) != 0 {
			t.Errorf("marking: ben %q, eve %q", mark(ben), mark(eve))
		}
		for _, other := range []string{"", "x", ada.ID, sent.ID, "cnv_01h455vb4pex5vsknk084sn02q"} {
			if _, code := markRead(ben, apptest.Vars{"conversationId": other}); code != "CONVERSATION_NOT_FOUND" {
				t.Errorf("marking %q gave %q", other, code)
			}
		}

		stream := ben.Connect().Subscribe(subscribeMessages, nil)
		expect(t, "blocking", ben.Block(ada.ID), "")
		if got := inboxOf(ben); slices.Contains(got, "MESSAGE") {
			t.Errorf("blocked, and the inbox has %v", got)
		}
		if sees(ada) != 0 || sees(ben) != 0 || len(conversationsOf(ada)) != 0 || len(conversationsOf(ben)) != 0 || mark(ada) != "CONVERSATION_NOT_FOUND" || mark(ben) != "CONVERSATION_NOT_FOUND" {
			t.Errorf("blocked, and ada sees %d, ben %d", sees(ada), sees(ben))
		}
		expectSent(t, "writing to one who has blocked", ada.Send(ben.ID, "hello?"), "MEMBER_NOT_FOUND")
		expect(t, "unblocking", ben.Unblock(ada.ID), "")
		if sees(ada) != 2 || sees(ben) != 2 {
			t.Errorf("unblocked, and ada sees %d of 2, ben %d", sees(ada), sees(ben))
		}
		after := eve.Send(ben.ID, "marker").Message
		var event struct{ Message apptest.Letter }
		if stream.Next(&event); event.Message.ID != after.ID {
			t.Errorf("got %+v", event.Message)
		}
	})
}

// What a deleted member wrote stays with whom they wrote to, under the name that is left of them.
func TestConversationWithDeleted(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s := apptest.Start(t, database)
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		apptest.Connect(ada, ben)
		sent := ben.Send(ada.ID, "remember me").Message
		execute(t, database, eraseRow, ben)
		found := conversationsOf(ada)
		if len(found) != 1 || found[0].CanSend || found[0].With.Name != "Former member" || found[0].LastMessage.ID != sent.ID || found[0].LastMessage.Sender.Name != "Former member" {
			t.Errorf("found %+v", found)
		}
		if got := ada.Said(sent.Conversation.ID); !slices.Equal(got, []string{"remember me"}) {
			t.Errorf("reads %q", got)
		}
		expectSent(t, "writing to the deleted", ada.Send(ben.ID, "hello?"), "MEMBER_NOT_FOUND")
	})
}

// markRead marks a conversation as read, and gives its unread messages then, or the code.
func markRead(c *apptest.Client, input apptest.Vars) (unread int, code string) {
	var data struct {
		MarkConversationRead struct {
			Conversation *struct{ UnreadCount int }
			UserErrors   []apptest.UserError
		}
	}
	c.Get(&data, `mutation($i: MarkConversationReadInput!) { markConversationRead(input: $i) { conversation { id unreadCount } userErrors { code message field } } }`, apptest.Vars{"i": input})
	if found := data.MarkConversationRead.Conversation; found != nil {
		unread = found.UnreadCount
	}
	return unread, apptest.Payload{UserErrors: data.MarkConversationRead.UserErrors}.Code()
}

// canSend, in the sender's conversation, after each event.
func TestCanSendAfterEachEvent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		invitation := ada.Invite(ben.ID, "").Invitation.ID
		conversation := ben.Send(ada.ID, "hm").Message.Conversation.ID
		check := func(what string, want bool) {
			t.Helper()
			if a, b := ada.CanSend(conversation), ben.CanSend(conversation); a != want || b != want {
				t.Errorf("%s: ada %v, ben %v, want %v", what, a, b, want)
			}
			if got := ada.Said(conversation); len(got) == 0 || got[0] != "hm" {
				t.Errorf("%s: the history is %q", what, got)
			}
		}
		check("written", true)
		for _, answer := range []string{"IGNORE", "DONT_KNOW", "ACCEPT"} {
			expect(t, answer, ben.Respond(invitation, answer), "")
			check(answer, true)
		}
		expect(t, "removing", ada.Remove(ben.ID), "")
		check("removed", false)
		invitation = ada.Invite(ben.ID, "").Invitation.ID
		if ada.CanSend(conversation) || !ben.CanSend(conversation) {
			t.Error("invited again: wants the recipient alone")
		}
		expect(t, "declining", ben.RespondSaying(invitation, "DECLINE", "no"), "")
		check("declined with a message", true)
		expect(t, "withdrawing", ada.Withdraw(invitation), "")
		check("withdrawn", false)
		apptest.Connect(ben, ada)
		check("connected", true)
	})
}
