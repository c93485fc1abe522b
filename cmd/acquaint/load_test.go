package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// senders is how many clients of members who come once there are at the same time.
const senders = 6

// underLoad lets members invite, answer and listen while something goes wrong, and then compares what was acknowledged, what
// is in the tables and in the inboxes, and what the subscribers had.
func underLoad(t *testing.T, c *cluster, wrong func()) {
	t.Helper()
	for _, s := range c.subscribers {
		if err := insist(t.Context(), c.nodes[0].address, s.name, memberQuery, nil, into(&s.id)); err != nil {
			t.Fatal(err)
		}
	}
	listening, leave := context.WithCancel(t.Context())
	asking, enough := context.WithCancel(t.Context())
	var listeners, clients sync.WaitGroup
	for _, s := range c.subscribers {
		listeners.Go(func() { c.listen(listening, s) })
	}
	for range senders {
		clients.Go(func() {
			for asking.Err() == nil {
				c.acquaint(t.Context())
			}
		})
	}
	wrong()
	enough()
	clients.Wait()
	// A last one for each, after which nothing can be missing.
	last := make([]string, len(c.subscribers))
	for i, s := range c.subscribers {
		var data invited
		if err := insist(t.Context(), c.nodes[0].address, fmt.Sprint("last", i), inviteMutation, map[string]any{"m": s.id}, &data); err != nil {
			t.Fatal(err)
		}
		last[i] = data.InviteMember.Invitation.ID
		c.ledger.invited(last[i], fmt.Sprint("last", i), s.name, c.nodes[0])
	}
	c.awaitNewest(last)
	leave()
	listeners.Wait()
	c.check()
}

// acquaint has a subscriber and a new member get to know each other: one of them invites the other, who often accepts.
func (c *cluster) acquaint(ctx context.Context) {
	s, other := c.subscribers[rand.IntN(len(c.subscribers))], fmt.Sprint("member", c.made.Add(1))
	if rand.IntN(2) == 0 {
		if invitation := c.invite(ctx, other, s.name, s.id); invitation != "" && rand.IntN(2) == 0 {
			c.accept(ctx, s.name, invitation)
		}
		return
	}
	var id string
	if _, ok := c.ask(ctx, other, memberQuery, nil, into(&id)); !ok {
		return
	}
	if invitation := c.invite(ctx, s.name, other, id); invitation != "" && rand.IntN(4) > 0 {
		c.accept(ctx, other, invitation)
	}
}

// invite gives an invitation that was acknowledged, and otherwise "".
func (c *cluster) invite(ctx context.Context, from, to, id string) string {
	var data invited
	node, ok := c.ask(ctx, from, inviteMutation, map[string]any{"m": id}, &data)
	if !ok {
		return ""
	}
	if len(data.InviteMember.UserErrors) > 0 {
		c.t.Errorf("an invitation was refused: %+v", data.InviteMember.UserErrors)
		return ""
	}
	c.ledger.invited(data.InviteMember.Invitation.ID, from, to, node)
	c.sent.Add(1)
	c.goesOn()
	return data.InviteMember.Invitation.ID
}

func (c *cluster) accept(ctx context.Context, recipient, invitation string) {
	var data struct {
		RespondToInvitation struct {
			UserErrors []struct{ Code string }
		}
	}
	node, ok := c.ask(ctx, recipient, acceptMutation, map[string]any{"i": invitation}, &data)
	if !ok {
		return
	}
	if len(data.RespondToInvitation.UserErrors) > 0 {
		c.t.Errorf("an acceptance was refused: %+v", data.RespondToInvitation.UserErrors)
		return
	}
	c.ledger.accepted(invitation, node)
	c.accepted.Add(1)
	c.goesOn()
}

// ask asks some node, and counts what gets no answer. It gives the node that answered.
func (c *cluster) ask(ctx context.Context, subject, query string, variables map[string]any, data any) (*process, bool) {
	node := c.oneOf(ctx, c.asks)
	if node == nil {
		return nil, false
	}
	node.asked.Add(1)
	defer c.goesOn()
	defer node.asked.Add(-1)
	ctx, cancel := context.WithTimeout(ctx, c.waits)
	defer cancel()
	err := call(ctx, node.address, subject, query, variables, data)
	if err == nil {
		return node, true
	}
	c.failed.Add(1)
	failed, answered := errors.AsType[*failure](err)
	switch {
	case answered && failed.code != "UNAVAILABLE":
		c.t.Errorf("what cannot be done just now is answered with %v", err)
	case errors.Is(err, context.DeadlineExceeded):
		c.inVain.Add(1)
		if !c.hangs {
			c.t.Errorf("a client waited for %v in vain: %v", c.waits, err)
		}
	case c.mayLose != nil && !c.mayLose(err):
		c.t.Errorf("what may not get lost did: %v", err)
	}
	return node, false
}

const (
	memberQuery    = `{ viewer { member { id } } }`
	inviteMutation = `mutation($m: ID!) { inviteMember(input: {memberId: $m}) { invitation { id } userErrors { code } } }`
	acceptMutation = `mutation($i: ID!) { respondToInvitation(input: {invitationId: $i, response: ACCEPT}) { userErrors { code } } }`
)

// invited is what inviteMutation gives.
type invited struct {
	InviteMember struct {
		Invitation *struct{ ID string }
		UserErrors []struct{ Code string }
	}
}
