package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
)

// findings is what a checker found, by what is wrong with it.
type findings struct{ lost, twice, half, wrong []string }

func (f *findings) all() []string { return slices.Concat(f.lost, f.twice, f.half, f.wrong) }

func notef(kind *[]string, format string, args ...any) {
	*kind = append(*kind, fmt.Sprintf(format, args...))
}

// graphCategory is a category as clients see it.
func graphCategory(c notification.Category) string { return strings.ToUpper(string(c)) }

// check compares what was acknowledged with the tables, the tables with the inboxes, and the inboxes with what the
// subscribers had.
func (c *cluster) check() {
	c.t.Helper()
	rows := readTables(c.t, c.nodes[0].database)
	found := rows.check(c.ledger.all())
	cuts := int64(0)
	for _, s := range c.subscribers {
		cuts += s.cuts.Load()
		inbox := c.inbox(s)
		c.catchUp(s, len(inbox))
		found.compare(s, inbox, c.ledger.all())
	}
	for _, problem := range found.all() {
		c.t.Error(problem)
	}
	c.t.Logf("%d invitations and %d acceptances acknowledged, %d without an answer; %d lost, %d twice, %d half; %d events heard, %d across, %d connections lost",
		c.sent.Load(), c.accepted.Load(), c.failed.Load(), len(found.lost), len(found.twice), len(found.half), c.had.Load(), c.ledger.across.Load(), cuts)
	if c.sent.Load() == 0 || c.accepted.Load() == 0 || c.had.Load() == 0 {
		c.t.Error("nothing was acknowledged at all, or heard of")
	}
}

// compare compares what a subscriber had with its inbox, and that with what was acknowledged.
func (f *findings) compare(s *subscriber, inbox []event, all []acknowledged) {
	count := make(map[fact]int, len(inbox))
	for n, e := range inbox {
		count[fact{e.Node.Invitation.ID, e.Node.Category}]++
		if e.Node.Sequence != int64(n+1) {
			notef(&f.wrong, "%s: the inbox has number %d at place %d", s.name, e.Node.Sequence, n+1)
		}
	}
	for what, n := range count {
		if n > 1 {
			notef(&f.twice, "%s: told %d times of %v", s.name, n, what)
		}
	}
	for _, a := range all {
		if a.recipient == s.name && count[fact{a.id, graphCategory(notification.InvitationReceived)}] == 0 {
			notef(&f.lost, "%s: invitation %s was acknowledged and is not in the inbox", s.name, a.id)
		}
		if a.sender == s.name && a.accepted && count[fact{a.id, graphCategory(notification.InvitationAccepted)}] == 0 {
			notef(&f.lost, "%s: acceptance of %s was acknowledged and is not in the inbox", s.name, a.id)
		}
	}
	if !slices.EqualFunc(s.heard, inbox, func(a, b event) bool { return a.Node == b.Node }) {
		notef(&f.wrong, "%s: had %d events, the inbox has %d, or in another order:\n%+v\n%+v", s.name, len(s.heard), len(inbox), s.heard, inbox)
	}
}

// check compares the tables with what was acknowledged, and with themselves: what got no answer was done or was not, and
// never by half.
func (t *tables) check(all []acknowledged) findings {
	var found findings
	for _, a := range all {
		key, _ := model.InvitationID(a.id)
		row, is := t.invitations[uuid.UUID(key)]
		switch {
		case !is:
			notef(&found.lost, "invitation %s was acknowledged and is not in the tables", a.id)
		case t.subjects[row.sender] != a.sender || t.subjects[row.recipient] != a.recipient:
			notef(&found.wrong, "invitation %s is from %s to %s, and not %+v", a.id, t.subjects[row.sender], t.subjects[row.recipient], a)
		case a.accepted && row.state != string(network.Accepted):
			notef(&found.lost, "acceptance of %s was acknowledged, and it is %s", a.id, row.state)
		}
	}
	t.checkInvitations(&found)
	t.checkConnections(&found)
	t.checkLogs(&found)
	return found
}

// checkInvitations holds every invitation against what there is of it elsewhere.
func (t *tables) checkInvitations(found *findings) {
	type telling struct {
		member, actor, invitation uuid.UUID
		category                  string
	}
	told := make(map[telling]int)
	for member, log := range t.logs {
		for _, n := range log {
			told[telling{member, n.actor, n.invitation, n.category}]++
		}
	}
	pairs := make(map[pair]uuid.UUID)
	for id, row := range t.invitations {
		if other, is := pairs[pair{row.sender, row.recipient}]; is {
			notef(&found.twice, "invitations %v and %v are the same", id, other)
		}
		pairs[pair{row.sender, row.recipient}] = id
		accepted := row.state == string(network.Accepted)
		if !accepted && row.state != string(network.Pending) {
			notef(&found.wrong, "invitation %v is %s", id, row.state)
		}
		received := telling{row.recipient, row.sender, id, string(notification.InvitationReceived)}
		answered := telling{row.sender, row.recipient, id, string(notification.InvitationAccepted)}
		expect(found, told[received], true, "the recipient is told of invitation", id)
		expect(found, told[answered], accepted, "the sender is told of the acceptance of", id)
		delete(told, received)
		delete(told, answered)
		for _, side := range []pair{{row.sender, row.recipient}, {row.recipient, row.sender}} {
			if t.connections[side] != accepted {
				notef(&found.half, "invitation %v is %s, and there is a row of the connection: %v", id, row.state, t.connections[side])
			}
		}
	}
	for what := range told {
		notef(&found.wrong, "somebody is told of what there is not: %+v", what)
	}
}

// expect notes what is told of another number of times than it should be.
func expect(found *findings, times int, should bool, what string, id uuid.UUID) {
	switch {
	case times > 1:
		notef(&found.twice, "%s %v %d times", what, id, times)
	case (times == 1) != should:
		notef(&found.half, "%s %v %d times", what, id, times)
	}
}

// checkConnections looks for connections that nobody has accepted.
func (t *tables) checkConnections(found *findings) {
	from := make(map[pair]bool)
	for _, row := range t.invitations {
		from[pair{row.sender, row.recipient}], from[pair{row.recipient, row.sender}] = true, true
	}
	for side := range t.connections {
		if !from[side] {
			notef(&found.wrong, "%v and %v are connected without an invitation", side.owner, side.peer)
		}
	}
}

// checkLogs holds the numbers of both logs of every member against 1, 2, 3 … and the last that were given.
func (t *tables) checkLogs(found *findings) {
	for member, subject := range t.subjects {
		inbox, is := t.inboxes[member]
		if !is {
			notef(&found.half, "%s has no inbox", subject)
		}
		var numbers []int64
		for _, n := range t.logs[member] {
			numbers = append(numbers, n.sequence)
		}
		for what, log := range map[string]struct {
			numbers []int64
			last    int64
		}{"notifications": {numbers, inbox.lastNumber}, "feed": {t.feeds[member], inbox.lastChange}} {
			for i, n := range log.numbers {
				if n != int64(i+1) {
					notef(&found.wrong, "the %s of %s have number %d at place %d", what, subject, n, i+1)
					break
				}
			}
			if int64(len(log.numbers)) != log.last {
				notef(&found.wrong, "the %s of %s are %d, and the last number is %d", what, subject, len(log.numbers), log.last)
			}
		}
	}
}
