package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/internal/app/apptest"
)

// Twenty messages at once to somebody who listens on two sockets, while ten go the other way: each is numbered once, and
// comes once, to each socket, in the order of the conversation.
func TestRaceSend(t *testing.T) {
	t.Parallel()
	const there, back = 20, 10
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		apptest.Connect(ada, ben)
		var streams []*apptest.Stream
		for range 2 {
			streams = append(streams, ben.Connect().Subscribe(subscribeMessages, nil))
		}
		var do []func()
		for i := range there + back {
			from, to := ada, ben
			if i >= there {
				from, to = ben, ada
			}
			do = append(do, func() { expectSent(t, "sending", from.Send(to.ID, fmt.Sprint(i)), "") })
		}
		together(do...)
		var data struct {
			Viewer struct {
				Conversations struct {
					Nodes []struct {
						Messages struct {
							TotalCount int
							Nodes      []apptest.Letter
						}
					}
				}
			}
		}
		ben.Get(&data, `{ viewer { conversations(first: 1) { nodes { messages(first: 100) { totalCount nodes { body sender { id } } } } } } }`, nil)
		if n := len(data.Viewer.Conversations.Nodes); n != 1 {
			t.Fatalf("%d conversations", n)
		}
		messages := data.Viewer.Conversations.Nodes[0].Messages
		var toBen []string
		bodies := map[string]bool{}
		for _, m := range slices.Backward(messages.Nodes) {
			bodies[m.Body] = true
			if m.Sender.ID == ada.ID {
				toBen = append(toBen, m.Body)
			}
		}
		// The count is the greatest number: as many as there are, so none is missing.
		if messages.TotalCount != there+back || len(messages.Nodes) != there+back || len(bodies) != there+back || len(toBen) != there {
			t.Fatalf("numbered %d, there are %d, %d different, %d to the listener", messages.TotalCount, len(messages.Nodes), len(bodies), len(toBen))
		}
		ada.Send(ben.ID, "marker")
		for i, stream := range streams {
			for _, want := range append(slices.Clone(toBen), "marker") {
				var event struct{ Message apptest.Letter }
				if stream.Next(&event); event.Message.Body != want {
					t.Fatalf("socket %d got %q, want %q", i, event.Message.Body, want)
				}
			}
		}
		notified := 0
		for _, category := range inboxOf(ben) {
			if category == "MESSAGE" {
				notified++
			}
		}
		if notified != there+1 {
			t.Errorf("notified of %d messages, not %d", notified, there+1)
		}
	})
}

// One key at many places at once is one message; for two members, it is one's, and refused for the other.
func TestRaceClientKey(t *testing.T) {
	t.Parallel()
	const times = 8
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben, cleo := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cleo")
		apptest.Connect(ada, ben)
		apptest.Connect(ada, cleo)
		for round := range rounds {
			sent := make([]apptest.Sent, times)
			do := make([]func(), times)
			for i := range times {
				do[i] = func() { sent[i] = ada.Send(ben.ID, fmt.Sprint(round), fmt.Sprint("key", round)) }
			}
			together(do...)
			for _, got := range sent {
				expectSent(t, "one of many", got, "")
				if got.Message == nil || got.Message.ID != sent[0].Message.ID {
					t.Fatalf("%+v and %+v", got.Message, sent[0].Message)
				}
			}
			said := slices.DeleteFunc(ben.Said(sent[0].Message.Conversation.ID), func(body string) bool { return body != fmt.Sprint(round) })
			if len(said) != 1 {
				t.Fatalf("round %d: they read it %d times", round, len(said))
			}
			var toBen, toCleo apptest.Sent
			together(
				func() { toBen = ada.Send(ben.ID, "to one", fmt.Sprint("key", round, "?")) },
				func() { toCleo = ada.Send(cleo.ID, "to one", fmt.Sprint("key", round, "?")) },
			)
			if codes := []string{toBen.Code(), toCleo.Code()}; !slices.Contains(codes, "") || !slices.Contains(codes, "INVALID") {
				t.Fatalf("to two members: %q", codes)
			}
		}
	})
}

// What ends the right to write ends it at once: when the removal, withdrawal or block has been answered, no message is
// written any more, however many are on their way.
func TestRaceSendAgainstTheEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		for name, end := range map[string]func(a, b *apptest.Client, invitation string) apptest.Payload{
			"removal":    func(a, b *apptest.Client, _ string) apptest.Payload { return b.Remove(a.ID) },
			"withdrawal": func(a, _ *apptest.Client, invitation string) apptest.Payload { return a.Withdraw(invitation) },
			"block":      func(a, b *apptest.Client, _ string) apptest.Payload { return b.Block(a.ID) },
		} {
			for round := range rounds {
				ada, ben := s.As(t, fmt.Sprint("a ", name, round)), s.As(t, fmt.Sprint("b ", name, round))
				invitation := ada.Invite(ben.ID, "").Invitation.ID
				conversation := ben.Send(ada.ID, "first").Message.Conversation.ID
				if name != "withdrawal" {
					expect(t, "accepting", ben.Respond(invitation, "ACCEPT"), "")
				}
				count := func() int {
					if name == "block" { // hides it, so unblock; that brings no right back
						expect(t, "unblocking", ben.Unblock(ada.ID), "")
					}
					return len(ben.Said(conversation))
				}
				socket := ben.Connect()
				stream := socket.Subscribe(subscribeMessages, nil)
				var after int
				do := []func(){func() {
					expect(t, name, end(ada, ben, invitation), "")
					after = count()
				}}
				var sent [4]apptest.Sent
				for i := range sent {
					from, to := ada, ben
					if i%2 == 1 {
						from, to = ben, ada
					}
					do = append(do, func() { sent[i] = from.Send(to.ID, fmt.Sprint(i)) })
				}
				together(do...)
				written := 1
				for _, got := range sent {
					switch got.Code() {
					case "":
						written++
					case "MESSAGING_NOT_ALLOWED":
					case "MEMBER_NOT_FOUND":
						if name != "block" {
							t.Errorf("%s: %s", name, got.Code())
						}
					default:
						t.Errorf("%s: %s", name, got.Code())
					}
				}
				if final := len(ben.Said(conversation)); final != after || final != written {
					t.Fatalf("%s, round %d: %d messages after it, %d in the end, of %d sent", name, round, after, final, written)
				}
				// What was hidden before it came is passed over, and is no error.
				socket.Ping()
				for _, m := range stream.Drain() {
					if m.Type != "next" || strings.Contains(string(m.Payload), `"errors"`) {
						t.Errorf("%s: there came %s %s", name, m.Type, m.Payload)
					}
				}
				socket.Close()
				if name == "block" && slices.Contains(append(inboxOf(ada), inboxOf(ben)...), "MESSAGE") {
					t.Errorf("%v and %v are notified of a blocked member's message", inboxOf(ada), inboxOf(ben))
				}
			}
		}
	})
}

// An acceptance with a message, from four windows at once: one message. Against a withdrawal: with the answer or not at
// all.
func TestRaceAnswerWithMessage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		for round := range rounds {
			ada, ben := s.As(t, fmt.Sprint("a", round)), s.As(t, fmt.Sprint("b", round))
			invitation := ada.Invite(ben.ID, "").Invitation.ID
			var do []func()
			for range 4 {
				do = append(do, func() { expect(t, "accepting", ben.RespondSaying(invitation, "ACCEPT", "welcome"), "") })
			}
			together(do...)
			if got := ada.Said(conversationWith(ada, ben)); !slices.Equal(got, []string{"welcome"}) {
				t.Errorf("accepted, and said %q", got)
			}
			cleo, dan := s.As(t, fmt.Sprint("c", round)), s.As(t, fmt.Sprint("d", round))
			invitation = cleo.Invite(dan.ID, "").Invitation.ID
			var declined apptest.Payload
			together(
				func() { declined = dan.RespondSaying(invitation, "DECLINE", "sorry") },
				func() { expect(t, "withdrawing", cleo.Withdraw(invitation), "") },
				func() { dan.Send(cleo.ID, "who?") },
			)
			said := cleo.Said(conversationWith(cleo, dan))
			if slices.Contains(said, "sorry") != (declined.Code() == "") {
				t.Errorf("declining gave %q, and %q was said", declined.Code(), said)
			}
		}
	})
}
