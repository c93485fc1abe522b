package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"go.jetify.com/typeid/base32"
)

// What the checker of the tests of faults is to find, it finds: each way in which tables, an inbox or what a subscriber had
// may be wrong, and nothing where all is well.
func TestCheckerFinds(t *testing.T) {
	t.Parallel()
	ada, ben, cleo := uuid.UUID{1}, uuid.UUID{2}, uuid.UUID{3}
	open, accepted := uuid.UUID{11}, uuid.UUID{12}
	known := []acknowledged{
		{invitationID(open), "ben", "ada", false},
		{invitationID(accepted), "cleo", "ada", true},
	}
	right := func() *tables {
		return &tables{
			subjects:    map[uuid.UUID]string{ada: "ada", ben: "ben", cleo: "cleo"},
			invitations: map[uuid.UUID]invitationRow{open: {ben, ada, "pending"}, accepted: {cleo, ada, "accepted"}},
			connections: map[pair]bool{{ada, cleo}: true, {cleo, ada}: true},
			inboxes:     map[uuid.UUID]inboxRow{ada: {2, 1}, ben: {0, 0}, cleo: {1, 1}},
			logs: map[uuid.UUID][]notificationRow{
				ada:  {{1, "invitation_received", ben, open}, {2, "invitation_received", cleo, accepted}},
				cleo: {{1, "invitation_accepted", ada, accepted}},
			},
			feeds: map[uuid.UUID][]int64{ada: {1}, cleo: {1}},
		}
	}
	for _, c := range []struct {
		what  string
		wrong func(*tables)
		kind  func(findings) []string
		says  string
	}{
		{"all is well", func(*tables) {}, nil, ""},
		{"an acceptance without an answer was done", func(w *tables) {
			w.invitations[open] = invitationRow{ben, ada, "accepted"}
			w.connections[pair{ada, ben}], w.connections[pair{ben, ada}] = true, true
			w.logs[ben], w.inboxes[ben] = []notificationRow{{1, "invitation_accepted", ada, open}}, inboxRow{1, 0}
		}, nil, ""},
		{"an invitation is gone", func(w *tables) { delete(w.invitations, open) }, lost, "is not in the tables"},
		{"it is another's", func(w *tables) { w.invitations[open] = invitationRow{cleo, ada, "pending"} }, wrong, "is from cleo"},
		{"an acceptance is gone", func(w *tables) { w.invitations[accepted] = invitationRow{cleo, ada, "pending"} }, lost, "it is pending"},
		{"an acceptance by half: the state alone", func(w *tables) { w.invitations[open] = invitationRow{ben, ada, "accepted"} }, half, "is accepted, and there is a row"},
		{"an acceptance by half: the connection alone", func(w *tables) {
			w.connections[pair{ada, ben}], w.connections[pair{ben, ada}] = true, true
		}, half, "is pending, and there is a row"},
		{"one row of a connection", func(w *tables) { delete(w.connections, pair{cleo, ada}) }, half, "is accepted, and there is a row"},
		{"a connection of nothing", func(w *tables) { w.connections[pair{ben, cleo}] = true }, wrong, "without an invitation"},
		{"the same twice", func(w *tables) { w.invitations[uuid.UUID{13}] = w.invitations[open] }, twice, "are the same"},
		{"another state", func(w *tables) { w.invitations[open] = invitationRow{ben, ada, "declined"} }, wrong, "is declined"},
		{"the recipient is not told", func(w *tables) { w.logs[ada], w.inboxes[ada] = w.logs[ada][:1], inboxRow{1, 1} }, half, "the recipient is told"},
		{"the recipient is told twice", func(w *tables) {
			w.logs[ada] = append(w.logs[ada], notificationRow{3, "invitation_received", ben, open})
			w.inboxes[ada] = inboxRow{3, 1}
		}, twice, "the recipient is told"},
		{"the sender is not told", func(w *tables) { w.logs[cleo], w.inboxes[cleo] = nil, inboxRow{0, 1} }, half, "the sender is told"},
		{"the sender is told twice", func(w *tables) {
			w.logs[cleo] = append(w.logs[cleo], notificationRow{2, "invitation_accepted", ada, accepted})
			w.inboxes[cleo] = inboxRow{2, 1}
		}, twice, "the sender is told"},
		{"the sender is told of what did not happen", func(w *tables) {
			w.logs[ben], w.inboxes[ben] = []notificationRow{{1, "invitation_accepted", ada, open}}, inboxRow{1, 0}
		}, half, "the sender is told"},
		{"somebody else is told", func(w *tables) {
			w.logs[ben], w.inboxes[ben] = []notificationRow{{1, "invitation_received", cleo, accepted}}, inboxRow{1, 0}
		}, wrong, "what there is not"},
		{"a number is left out", func(w *tables) { w.logs[ada][1].sequence = 3 }, wrong, "have number 3 at place 2"},
		{"the last number is another", func(w *tables) { w.inboxes[ada] = inboxRow{3, 1} }, wrong, "the last number is 3"},
		{"a number of the feed is left out", func(w *tables) { w.feeds[ada] = []int64{2} }, wrong, "have number 2 at place 1"},
		{"the last of the feed is another", func(w *tables) { w.inboxes[ada] = inboxRow{2, 2} }, wrong, "the last number is 2"},
		{"no inbox", func(w *tables) { delete(w.inboxes, ben) }, half, "has no inbox"},
	} {
		tables := right()
		c.wrong(tables)
		expectFindings(t, c.what, tables.check(known), c.kind, c.says)
	}

	received := func(n int64, a acknowledged) event {
		e := event{Node: told{Sequence: n, Category: "INVITATION_RECEIVED"}}
		e.Node.Invitation.ID = a.id
		return e
	}
	inbox := []event{received(1, known[0]), received(2, known[1])}
	for _, c := range []struct {
		what         string
		inbox, heard []event
		kind         func(findings) []string
		says         string
	}{
		{"all is well", inbox, inbox, nil, ""},
		{"nothing in the inbox", nil, nil, lost, "is not in the inbox"},
		{"twice in the inbox", append(slices.Clone(inbox), received(3, known[1])), inbox, twice, "told 2 times"},
		{"a gap in the inbox", []event{inbox[0], received(3, known[1])}, inbox, wrong, "number 3 at place 2"},
		{"one not heard of", inbox, inbox[:1], wrong, "had 1 events"},
		{"heard of twice", inbox, append(slices.Clone(inbox), inbox[1]), wrong, "had 3 events"},
		{"in another order", inbox, []event{inbox[1], inbox[0]}, wrong, "in another order"},
	} {
		var found findings
		found.compare(&subscriber{name: "ada", heard: c.heard}, c.inbox, known)
		expectFindings(t, c.what, found, c.kind, c.says)
	}
	var found findings
	found.compare(&subscriber{name: "cleo"}, nil, known)
	expectFindings(t, "an acceptance is not in the inbox", found, lost, "acceptance of")
}

// invitationID is an id as clients see it.
func invitationID(key uuid.UUID) string { return "inv_" + base32.Encode(key) }

func lost(f findings) []string  { return f.lost }
func twice(f findings) []string { return f.twice }
func half(f findings) []string  { return f.half }
func wrong(f findings) []string { return f.wrong }

func expectFindings(t *testing.T, what string, found findings, kind func(findings) []string, says string) {
	t.Helper()
	if kind == nil {
		if all := found.all(); len(all) > 0 {
			t.Errorf("%s: it finds %q", what, all)
		}
		return
	}
	if !slices.ContainsFunc(kind(found), func(problem string) bool { return strings.Contains(problem, says) }) {
		t.Errorf("%s: it does not find that, but %+v", what, found)
	}
}

// Events count as heard of elsewhere whichever comes first, the answer or the event.
func TestLedgerCountsAcross(t *testing.T) {
	t.Parallel()
	var l ledger
	here, there := &process{}, &process{}
	l.invited("0", "ben", "ada", here)
	l.heard(fact{"0", "INVITATION_RECEIVED"}, here)
	l.invited("1", "ben", "ada", here)
	l.heard(fact{"1", "INVITATION_RECEIVED"}, there)
	l.heard(fact{"1", "INVITATION_ACCEPTED"}, here)
	l.accepted("1", there)
	if across := l.across.Load(); across != 2 {
		t.Errorf("%d were heard of elsewhere, want 2", across)
	}
}
