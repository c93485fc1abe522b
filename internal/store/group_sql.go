package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/acquaint/acquaint/ent/schema"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
)

// Both lock in the order of the members' ids, as Tx.Lock does: so groups and single transactions cannot deadlock. Who is
// locked for an invitation does not depend on its state, so its row may be read without a lock.
const (
	lockMembers = `SELECT member_id, last_number, last_change, muted, paused_until FROM inboxes
WHERE member_id = ANY($1::uuid[]) ORDER BY member_id FOR NO KEY UPDATE`
	lockMembersAndInvitations = `SELECT member_id, last_number, last_change, muted, paused_until FROM inboxes
WHERE member_id IN (
	SELECT unnest($1::uuid[]) UNION SELECT sender_id FROM invitations WHERE id = ANY($2::uuid[])
	UNION SELECT recipient_id FROM invitations WHERE id = ANY($2::uuid[])
) ORDER BY member_id FOR NO KEY UPDATE`
)

// lock locks the inboxes of all members that jobs are about.
func (g *group) lock(ctx context.Context, jobs []*job) error {
	var members, invitations []string
	for _, j := range jobs {
		if j.about.Invitation != (id.Invitation{}) {
			invitations = append(invitations, idText(j.about.Invitation))
		} else {
			members = append(members, idText(j.about.Sender), idText(j.about.Recipient))
		}
	}
	query, args := lockMembers, []any{pq.Array(members)}
	if len(invitations) > 0 {
		query, args = lockMembersAndInvitations, append(args, pq.Array(invitations))
	}
	g.inboxes = make(map[id.Member]*inbox, 2*len(jobs))
	return scanAll(ctx, g.tx.client, query, args, func(rows *sql.Rows) error {
		var (
			member uuid.UUID
			box    inbox
		)
		err := rows.Scan(&member, &box.number, &box.change, &box.muted, &box.pausedUntil)
		g.inboxes[id.Member(member)] = &box
		return err
	})
}

// load reads what jobs are about, once it is locked.
func (g *group) load(ctx context.Context, jobs []*job) error {
	var senders, recipients, since, places, invitations []string
	for n, j := range jobs {
		if j.about.Invitation != (id.Invitation{}) {
			invitations = append(invitations, idText(j.about.Invitation))
			continue
		}
		senders, recipients = append(senders, idText(j.about.Sender)), append(recipients, idText(j.about.Recipient))
		since, places = append(since, timeText(j.about.Since)), append(places, strconv.Itoa(n))
	}
	if len(senders) > 0 {
		if err := g.loadPairs(ctx, pq.Array(senders), pq.Array(recipients), pq.Array(since), pq.Array(places)); err != nil {
			return err
		}
	}
	if len(invitations) > 0 {
		return g.loadInvitations(ctx, pq.Array(invitations))
	}
	return nil
}

const invitationColumns = `i.id, i.sender_id, i.recipient_id, i.note, i.acquaintance, i.state, i.flagged, i.sent_at, i.accepted_at,
	i.reminders, i.reminded_at, i.listed_at, i.conversation_id`

// pairFacts is Tx.Standing for many pairs, and the open invitation of each. Everything is a subquery that PostgreSQL can
// only do pair by pair, by key: a join, or EXISTS, it may do by reading the whole of a table.
const pairFacts = `SELECT p.place, m.erased_at, m.who_can_invite, m.email, bar.declined_at, bar.withdrawn_at,
	(SELECT restricted_until FROM restrictions WHERE member_id = p.sender LIMIT 1),
	(SELECT 1 FROM connections WHERE owner_id = p.sender AND peer_id = p.recipient LIMIT 1),
	COALESCE((SELECT 1 FROM blocks WHERE blocker_id = p.sender AND blocked_id = p.recipient LIMIT 1),
		(SELECT 1 FROM blocks WHERE blocker_id = p.recipient AND blocked_id = p.sender LIMIT 1)),
	(SELECT count(*) FROM invitations WHERE sender_id = p.sender AND sent_at > p.since),
	(SELECT count(*) FROM invitations WHERE sender_id = p.sender AND ` + schema.OpenStates + `),
	` + invitationColumns + `
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::int[]) AS p(sender, recipient, since, place)
CROSS JOIN LATERAL (SELECT erased_at, who_can_invite, email FROM members WHERE id = p.recipient LIMIT 1) m
LEFT JOIN LATERAL (SELECT declined_at, withdrawn_at FROM reinvite_bars
	WHERE sender_id = p.sender AND recipient_id = p.recipient LIMIT 1) bar ON true
LEFT JOIN LATERAL (SELECT ` + invitationColumns + ` FROM invitations i
	WHERE pair_lo = least(p.sender, p.recipient) AND pair_hi = greatest(p.sender, p.recipient) AND ` + schema.OpenStates + ` LIMIT 1) i ON true`

func (g *group) loadPairs(ctx context.Context, args ...any) error {
	g.pairs = make(map[int]facts)
	return scanAll(ctx, g.tx.client, pairFacts, args, func(rows *sql.Rows) error {
		var (
			place                              int
			f                                  facts
			erased, declined, withdrawn, until *time.Time
			email                              *string
			connected, blocked                 *int
			open                               invitationRow
		)
		s := &f.standing
		if err := rows.Scan(append([]any{
			&place, &erased, &s.Audience, &email, &declined, &withdrawn, &until, &connected, &blocked, &s.InWindow, &s.Open,
		}, open.columns()...)...); err != nil {
			return err
		}
		s.Connected, s.Blocked = connected != nil, blocked != nil
		s.Gone, s.Email, s.RestrictedUntil = erased != nil, textOf(email), timeOf(until)
		s.Bar = network.Bar{DeclinedAt: timeOf(declined), WithdrawnAt: timeOf(withdrawn)}
		if open.id != nil {
			inv := open.invitation()
			f.open = &inv
		}
		g.pairs[place] = f
		return nil
	})
}

const invitationsByID = `SELECT ` + invitationColumns + ` FROM invitations i WHERE i.id = ANY($1::uuid[])`

func (g *group) loadInvitations(ctx context.Context, args ...any) error {
	g.found = make(map[id.Invitation]network.Invitation)
	return scanAll(ctx, g.tx.client, invitationsByID, args, func(rows *sql.Rows) error {
		var row invitationRow
		if err := rows.Scan(row.columns()...); err != nil {
			return err
		}
		inv := row.invitation()
		g.found[inv.ID] = inv
		return nil
	})
}

// invitationRow is invitationColumns, all null where there is none.
type invitationRow struct {
	id, sender, recipient, conversation *uuid.UUID
	note, acquaintance, state           *string
	flagged                             *bool
	reminders                           *int
	sent, accepted, reminded, listed    *time.Time
}

func (r *invitationRow) columns() []any {
	return []any{
		&r.id, &r.sender, &r.recipient, &r.note, &r.acquaintance, &r.state, &r.flagged, &r.sent, &r.accepted,
		&r.reminders, &r.reminded, &r.listed, &r.conversation,
	}
}

func (r *invitationRow) invitation() network.Invitation {
	inv := network.Invitation{
		ID: id.Invitation(*r.id), Sender: id.Member(*r.sender), Recipient: id.Member(*r.recipient),
		Note: textOf(r.note), Acquaintance: network.Acquaintance(*r.acquaintance),
		State: network.State(*r.state), Flagged: *r.flagged, SentAt: r.sent.UTC(), AcceptedAt: timeOf(r.accepted),
		Reminders: *r.reminders, RemindedAt: timeOf(r.reminded), ListedAt: timeOf(r.listed),
	}
	if r.conversation != nil {
		inv.Conversation = id.Conversation(*r.conversation)
	}
	return inv
}

// The parts of the statement that writes all of a group: each is there when there is something for it. What one writes
// the others do not see, so none may depend on another.
const (
	partInserted = `i AS (INSERT INTO invitations
	(id, sender_id, recipient_id, pair_lo, pair_hi, state, flagged, note, acquaintance, sent_at, reminders, listed_at)
	SELECT id, sender, recipient, least(sender, recipient), greatest(sender, recipient), state, false, NULLIF(note, ''), acquaintance, sent, 0, listed
	FROM unnest(?::uuid[], ?::uuid[], ?::uuid[], ?::text[], ?::text[], ?::text[], ?::timestamptz[], ?::timestamptz[])
		AS p(id, sender, recipient, state, note, acquaintance, sent, listed))`
	partReplaced = `u AS (UPDATE invitations i SET state = p.state, flagged = p.flagged, accepted_at = NULLIF(p.accepted, '')::timestamptz,
	reminders = p.reminders, reminded_at = NULLIF(p.reminded, '')::timestamptz, listed_at = p.listed
	FROM unnest(?::uuid[], ?::text[], ?::text[], ?::boolean[], ?::text[], ?::int[], ?::text[], ?::timestamptz[])
		AS p(id, before, state, flagged, accepted, reminders, reminded, listed)
	WHERE i.id = p.id AND i.state = p.before RETURNING i.id)`
	partLifted = `b AS (DELETE FROM reinvite_bars bar USING unnest(?::uuid[], ?::uuid[]) AS p(a, b)
	WHERE bar.sender_id = p.a AND bar.recipient_id = p.b)`
	partConnected = `c AS (INSERT INTO connections (owner_id, peer_id, connected_at)
	SELECT a, b, at FROM unnest(?::uuid[], ?::uuid[], ?::timestamptz[]) AS p(a, b, at))`
	partNotified = `n AS (INSERT INTO notifications
	(id, member_id, sequence, category, actor_id, invitation_id, message_id, publication_id, reminder, held, created_at)
	SELECT id, member, number, kind, NULLIF(other, '')::uuid, NULLIF(invitation, '')::uuid, NULLIF(message, '')::uuid,
		NULLIF(publication, '')::uuid, reminder, held, at
	FROM unnest(?::uuid[], ?::uuid[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::boolean[], ?::boolean[], ?::timestamptz[])
		AS p(id, member, number, kind, other, invitation, message, publication, reminder, held, at))`
	partFed = `f AS (INSERT INTO feed_entries (id, member_id, number, kind, other_id, invitation_id, message_id)
	SELECT id, member, number, kind, NULLIF(other, '')::uuid, NULLIF(invitation, '')::uuid, NULLIF(message, '')::uuid
	FROM unnest(?::uuid[], ?::uuid[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[])
		AS p(id, member, number, kind, other, invitation, message))`
	partNumbered = `x AS (UPDATE inboxes i SET last_number = p.number, last_change = p.change
	FROM unnest(?::uuid[], ?::bigint[], ?::bigint[]) AS p(member, number, change) WHERE i.member_id = p.member)`
)

// groupStatement is put together of parts.
type groupStatement struct {
	text strings.Builder
	args []any
}

// add adds a part, whose question marks stand for columns of n values each.
func (s *groupStatement) add(part string, n int, columns ...any) {
	if n == 0 {
		return
	}
	if s.text.Len() > 0 {
		s.text.WriteString(", ")
	} else {
		s.text.WriteString("WITH ")
	}
	for {
		before, after, found := strings.Cut(part, "?")
		s.text.WriteString(before)
		if !found {
			return
		}
		s.args = append(s.args, pq.Array(columns[0]))
		s.text.WriteString("$" + strconv.Itoa(len(s.args)))
		part, columns = after, columns[1:]
	}
}

// write writes what was collected. It gives network.ErrStale when an invitation was not as it was read, which the locks
// do not let happen.
func (g *group) write(ctx context.Context) error {
	var s groupStatement
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
	var replaced int
	if _, err := scanOne(ctx, g.tx.client, s.text.String(), s.args, &replaced); err != nil {
		return err
	}
	if replaced != len(w.replaced) {
		return network.ErrStale
	}
	return nil
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
		inbox.messages, inbox.published, inbox.reminders, inbox.held, inbox.times)
	s.add(partFed, len(feed.ids), feed.ids, feed.members, feed.numbers, feed.kinds, feed.others, feed.invitations, feed.messages)
	n := len(numbered)
	members, numbers, changes := make([]string, 0, n), make([]int64, 0, n), make([]int64, 0, n)
	for m := range numbered {
		members = append(members, idText(m))
		numbers, changes = append(numbers, g.inboxes[m].number), append(changes, g.inboxes[m].change)
	}
	s.add(partNumbered, n, members, numbers, changes)
}

// entryColumns are the columns of entries.
type entryColumns struct {
	ids, members, kinds, others, invitations, messages, published, times []string
	numbers                                                              []int64
	reminders, held                                                      []bool
}

func (c *entryColumns) add(e entry) {
	c.ids, c.members, c.kinds = append(c.ids, e.id.String()), append(c.members, idText(e.member)), append(c.kinds, e.kind)
	c.numbers, c.others = append(c.numbers, e.number), append(c.others, idText(e.other))
	c.invitations, c.messages = append(c.invitations, idText(e.invitation)), append(c.messages, idText(e.message))
	c.published, c.times = append(c.published, idText(e.published)), append(c.times, timeText(e.at))
	c.reminders, c.held = append(c.reminders, e.reminder), append(c.held, e.held)
}

// timeText gives the empty text for the zero time.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
