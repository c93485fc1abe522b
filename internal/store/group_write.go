package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/postgres"
)

// part is a part of the statement that writes all of a group: each is there when there is something for it. What one
// writes the others do not see, so none may depend on another. Its question mark stands for the rows, named p.
type part struct {
	names, types []string // of the rows' columns
	text         string
}

func newPart(columns, text string) part {
	p := part{text: text}
	for column := range strings.SplitSeq(columns, ", ") {
		name, kind, _ := strings.Cut(column, " ")
		p.names, p.types = append(p.names, name), append(p.types, kind)
	}
	return p
}

var (
	partInserted = newPart("id uuid, sender uuid, recipient uuid, state text, note text, acquaintance text, sent timestamptz, listed timestamptz",
		`i AS (INSERT INTO invitations
	(id, sender_id, recipient_id, pair_lo, pair_hi, state, flagged, note, acquaintance, sent_at, reminders, listed_at)
	SELECT id, sender, recipient, least(sender, recipient), greatest(sender, recipient), state, false, NULLIF(note, ''), acquaintance, sent, 0, listed
	FROM ?)`)
	partReplaced = newPart("id uuid, before text, state text, flagged boolean, accepted text, reminders int, reminded text, listed timestamptz",
		`u AS (UPDATE invitations i
	SET state = p.state, flagged = p.flagged, accepted_at = NULLIF(p.accepted, '')::timestamptz,
	reminders = p.reminders, reminded_at = NULLIF(p.reminded, '')::timestamptz, listed_at = p.listed
	FROM ? WHERE i.id = p.id AND i.state = p.before RETURNING i.id)`)
	partLifted = newPart("a uuid, b uuid",
		`b AS (DELETE FROM reinvite_bars bar USING ? WHERE bar.sender_id = p.a AND bar.recipient_id = p.b)`)
	partConnected = newPart("a uuid, b uuid, at timestamptz",
		`c AS (INSERT INTO connections (owner_id, peer_id, connected_at) SELECT a, b, at FROM ?)`)
	partNotified = newPart("id uuid, member uuid, number bigint, kind text, other text, invitation text, reminder boolean, held boolean, at timestamptz",
		`n AS (INSERT INTO notifications (id, member_id, sequence, category, actor_id, invitation_id, reminder, held, created_at)
	SELECT id, member, number, kind, NULLIF(other, '')::uuid, NULLIF(invitation, '')::uuid, reminder, held, at FROM ?)`)
	partFed = newPart("id uuid, member uuid, number bigint, kind text, other text, invitation text",
		`f AS (INSERT INTO feed_entries (id, member_id, number, kind, other_id, invitation_id)
	SELECT id, member, number, kind, NULLIF(other, '')::uuid, NULLIF(invitation, '')::uuid FROM ?)`)
	partNumbered = newPart("member uuid, number bigint, change bigint",
		`x AS (UPDATE inboxes i SET last_number = p.number, last_change = p.change FROM ? WHERE i.member_id = p.member)`)
)

// statementUsual is about how long the statement of an invite, or an answer, is in bytes.
const statementUsual = 3 << 10

// groupStatement is put together of parts. For one use case alone it has a place for each value, which is less for the
// database to do; for several, one for each column, as there would be a statement for each number of them.
type groupStatement struct {
	single bool
	text   strings.Builder
	args   []any
}

// add adds a part with n rows, given by columns.
func (s *groupStatement) add(p part, n int, columns ...any) {
	if n == 0 {
		return
	}
	if s.text.Len() > 0 {
		s.text.WriteString(", ")
	} else {
		s.text.WriteString("WITH ")
	}
	before, after, _ := strings.Cut(p.text, "?")
	s.text.WriteString(before)
	if s.single {
		s.text.WriteString("(VALUES ")
		for row := range n {
			if row > 0 {
				s.text.WriteString(", ")
			}
			s.text.WriteString("(")
			for c, column := range columns {
				s.place(c, p.types[c], valueOf(column, row))
			}
			s.text.WriteString(")")
		}
		s.text.WriteString(")")
	} else {
		s.text.WriteString("unnest(")
		for c, column := range columns {
			s.place(c, p.types[c]+"[]", pq.Array(column))
		}
		s.text.WriteString(")")
	}
	s.text.WriteString(" AS p(" + strings.Join(p.names, ", ") + ")" + after)
}

// place adds a place for an argument, the nth of a list.
func (s *groupStatement) place(n int, kind string, arg any) {
	if n > 0 {
		s.text.WriteString(", ")
	}
	s.args = append(s.args, arg)
	s.text.WriteString("$" + strconv.Itoa(len(s.args)) + "::" + kind)
}

// valueOf gives a column's value in a row.
func valueOf(column any, row int) any {
	switch c := column.(type) {
	case []int64:
		return c[row]
	case []bool:
		return c[row]
	default:
		return column.([]string)[row] //nolint:forcetypeassert // there are no others
	}
}

// write writes what was collected. It gives network.ErrStale when an invitation was not as it was read, which the locks
// do not let happen.
func (g *group) write(ctx context.Context) error {
	s := groupStatement{single: g.single}
	s.text.Grow(statementUsual)
	w := &g.writes
	addInserted(&s, w.inserted)
	addReplaced(&s, w.replaced)
	addPairs(&s, w)
	g.addEntries(&s)
	if len(w.replaced) == 0 {
		s.text.WriteString(" SELECT 0")
	} else {
		s.text.WriteString(" SELECT count(*) FROM u")
	}
	replaced, err := g.pool.number(ctx, g.conn, postgres.Call{Query: s.text.String(), Args: s.args})
	if err == nil && replaced != int64(len(w.replaced)) {
		err = network.ErrStale
	}
	return err
}

func addInserted(s *groupStatement, list []network.Invitation) {
	n := len(list)
	ids, senders, recipients := make([]string, n), make([]string, n), make([]string, n)
	states, notes, acquaintances := make([]string, n), make([]string, n), make([]string, n)
	sent, listed := make([]string, n), make([]string, n)
	for i, inv := range list {
		ids[i], senders[i], recipients[i] = idText(inv.ID), idText(inv.Sender), idText(inv.Recipient)
		states[i], notes[i], acquaintances[i] = string(inv.State), inv.Note, string(inv.Acquaintance)
		sent[i], listed[i] = timeText(inv.SentAt), timeText(inv.ListedAt)
	}
	s.add(partInserted, n, ids, senders, recipients, states, notes, acquaintances, sent, listed)
}

func addReplaced(s *groupStatement, list []replacement) {
	n := len(list)
	ids, befores, states, flagged := make([]string, n), make([]string, n), make([]string, n), make([]bool, n)
	accepted, reminders, reminded, listed := make([]string, n), make([]int64, n), make([]string, n), make([]string, n)
	for i, r := range list {
		ids[i], befores[i], states[i], flagged[i] = idText(r.after.ID), string(r.before.State), string(r.after.State), r.after.Flagged
		accepted[i], reminders[i], reminded[i] = timeText(r.after.AcceptedAt), int64(r.after.Reminders), timeText(r.after.RemindedAt)
		listed[i] = timeText(r.after.ListedAt)
	}
	s.add(partReplaced, n, ids, befores, states, flagged, accepted, reminders, reminded, listed)
}

// addPairs adds what is written of pairs, each in both directions.
func addPairs(s *groupStatement, w *groupWrites) {
	n := 2 * len(w.lifted)
	a, b := make([]string, 0, n), make([]string, 0, n)
	for _, p := range w.lifted {
		a, b = append(a, idText(p[0]), idText(p[1])), append(b, idText(p[1]), idText(p[0]))
	}
	s.add(partLifted, n, a, b)
	n = 2 * len(w.connected)
	a, b, at := make([]string, 0, n), make([]string, 0, n), make([]string, 0, n)
	for _, c := range w.connected {
		a, b = append(a, idText(c.a), idText(c.b)), append(b, idText(c.b), idText(c.a))
		at = append(at, timeText(c.at), timeText(c.at))
	}
	s.add(partConnected, n, a, b, at)
}

// addEntries adds the entries, and the inboxes as they stand after them.
func (g *group) addEntries(s *groupStatement) {
	var inbox, feed entryColumns
	numbered := make(map[id.Member]bool)
	for _, e := range g.writes.entries {
		if e.log == notification.FeedLog {
			feed.add(e)
		} else {
			inbox.add(e)
		}
		numbered[e.member] = true
	}
	s.add(partNotified, len(inbox.ids), inbox.ids, inbox.members, inbox.numbers, inbox.kinds, inbox.others, inbox.invitations,
		inbox.reminders, inbox.held, inbox.times)
	s.add(partFed, len(feed.ids), feed.ids, feed.members, feed.numbers, feed.kinds, feed.others, feed.invitations)
	n := len(numbered)
	members, numbers, changes := make([]string, 0, n), make([]int64, 0, n), make([]int64, 0, n)
	for m := range numbered {
		members = append(members, idText(m))
		numbers, changes = append(numbers, g.inboxes[m].number), append(changes, g.inboxes[m].change)
	}
	s.add(partNumbered, n, members, numbers, changes)
}

// entryColumns are the columns of entries. None is of a message, or was published by the host.
type entryColumns struct {
	ids, members, kinds, others, invitations, times []string
	numbers                                         []int64
	reminders, held                                 []bool
}

func (c *entryColumns) add(e entry) {
	c.ids, c.members, c.kinds = append(c.ids, e.id.String()), append(c.members, idText(e.member)), append(c.kinds, e.kind)
	c.numbers, c.others = append(c.numbers, e.number), append(c.others, idText(e.other))
	c.invitations, c.times = append(c.invitations, idText(e.invitation)), append(c.times, timeText(e.at))
	c.reminders, c.held = append(c.reminders, e.reminder), append(c.held, e.held)
}

// timeText gives the empty text for the zero time.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
