package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/acquaint/acquaint/ent/schema"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/postgres"
)

// Both lock in the order of the members' ids, as Tx.Lock does: so groups and single transactions cannot deadlock. Who is
// locked for an invitation does not depend on its state, so its row may be read without a lock.
const (
	lockMembers = `SELECT member_id, last_number, last_change, muted, paused_until FROM inboxes
WHERE member_id = ANY($1::uuid[]) ORDER BY member_id FOR NO KEY UPDATE`
	lockTwo = `SELECT member_id, last_number, last_change, muted, paused_until FROM inboxes
WHERE member_id IN ($1::uuid, $2::uuid) ORDER BY member_id FOR NO KEY UPDATE`
	lockMembersAndInvitations = `SELECT member_id, last_number, last_change, muted, paused_until FROM inboxes
WHERE member_id IN (
	SELECT unnest($1::uuid[]) UNION SELECT sender_id FROM invitations WHERE id = ANY($2::uuid[])
	UNION SELECT recipient_id FROM invitations WHERE id = ANY($2::uuid[])
) ORDER BY member_id FOR NO KEY UPDATE`
)

// load locks the inboxes of all members that jobs are about, and reads what those are about. Each statement sees what was
// committed before it began, so the later ones see what the locks waited for.
func (g *group) load(ctx context.Context, jobs []*job) error {
	var members, senders, recipients, since, places, invitations []string
	for n, j := range jobs {
		if j.about.Invitation != (id.Invitation{}) {
			invitations = append(invitations, idText(j.about.Invitation))
			continue
		}
		from, to := idText(j.about.Sender), idText(j.about.Recipient)
		members, senders, recipients = append(members, from, to), append(senders, from), append(recipients, to)
		since, places = append(since, timeText(j.about.Since)), append(places, strconv.Itoa(n))
	}
	locking := postgres.Call{Query: lockMembers, Args: []any{pq.Array(members)}}
	pairs := postgres.Call{Query: pairFacts, Args: []any{pq.Array(senders), pq.Array(recipients), pq.Array(since), pq.Array(places)}}
	switch {
	case len(invitations) > 0:
		locking.Query, locking.Args = lockMembersAndInvitations, append(locking.Args, pq.Array(invitations))
	case g.single: // as in groupStatement
		locking = postgres.Call{Query: lockTwo, Args: []any{members[0], members[1]}}
		pairs = postgres.Call{Query: pairFactsOfOne, Args: []any{senders[0], recipients[0], since[0], places[0]}}
	}
	script := postgres.Script{Before: "BEGIN READ WRITE", Calls: []postgres.Call{locking}}
	scans := []func(*sql.Rows) error{g.scanInbox}
	if len(senders) > 0 {
		script.Calls = append(script.Calls, pairs)
		scans = append(scans, g.scanPair)
	}
	if len(invitations) > 0 {
		script.Calls = append(script.Calls, postgres.Call{Query: invitationsByID, Args: []any{pq.Array(invitations)}})
		scans = append(scans, g.scanInvitation)
	}
	g.inboxes = make(map[id.Member]*inbox, 2*len(jobs)) //nolint:mnd // a pair
	g.pairs = make(map[int]facts, len(senders))
	g.found = make(map[id.Invitation]network.Invitation, len(invitations))
	return g.pool.run(ctx, g.conn, script, func(call int, rows *sql.Rows) error { return scans[call](rows) })
}

func (g *group) scanInbox(rows *sql.Rows) error {
	var (
		member uuid.UUID
		box    inbox
	)
	err := rows.Scan(&member, &box.number, &box.change, &box.muted, &box.pausedUntil)
	g.inboxes[id.Member(member)] = &box
	return err
}

const invitationColumns = `i.id, i.sender_id, i.recipient_id, i.note, i.acquaintance, i.state, i.flagged, i.sent_at, i.accepted_at,
	i.reminders, i.reminded_at, i.listed_at, i.conversation_id`

// pairFacts is Tx.Standing for many pairs, and the open invitation of each. Everything is a subquery that PostgreSQL can
// only do pair by pair, by key: a join, or EXISTS, it may do by reading the whole of a table.
const (
	pairFacts      = pairFactsTop + `unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::int[])` + pairFactsRest
	pairFactsOfOne = pairFactsTop + `(VALUES ($1::uuid, $2::uuid, $3::timestamptz, $4::int))` + pairFactsRest

	pairFactsTop = `SELECT p.place, m.erased_at, m.who_can_invite, m.email, bar.declined_at, bar.withdrawn_at,
	(SELECT restricted_until FROM restrictions WHERE member_id = p.sender LIMIT 1),
	(SELECT 1 FROM connections WHERE owner_id = p.sender AND peer_id = p.recipient LIMIT 1),
	COALESCE((SELECT 1 FROM blocks WHERE blocker_id = p.sender AND blocked_id = p.recipient LIMIT 1),
		(SELECT 1 FROM blocks WHERE blocker_id = p.recipient AND blocked_id = p.sender LIMIT 1)),
	(SELECT count(*) FROM invitations WHERE sender_id = p.sender AND sent_at > p.since),
	(SELECT count(*) FROM invitations WHERE sender_id = p.sender AND ` + schema.OpenStates + `),
	` + invitationColumns + `
FROM `
	pairFactsRest = ` AS p(sender, recipient, since, place)
CROSS JOIN LATERAL (SELECT erased_at, who_can_invite, email FROM members WHERE id = p.recipient LIMIT 1) m
LEFT JOIN LATERAL (SELECT declined_at, withdrawn_at FROM reinvite_bars
	WHERE sender_id = p.sender AND recipient_id = p.recipient LIMIT 1) bar ON true
LEFT JOIN LATERAL (SELECT ` + invitationColumns + ` FROM invitations i
	WHERE pair_lo = least(p.sender, p.recipient) AND pair_hi = greatest(p.sender, p.recipient) AND ` + schema.OpenStates + ` LIMIT 1) i ON true`
)

func (g *group) scanPair(rows *sql.Rows) error {
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
}

const invitationsByID = `SELECT ` + invitationColumns + ` FROM invitations i WHERE i.id = ANY($1::uuid[])`

func (g *group) scanInvitation(rows *sql.Rows) error {
	var row invitationRow
	if err := rows.Scan(row.columns()...); err != nil {
		return err
	}
	inv := row.invitation()
	g.found[inv.ID] = inv
	return nil
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
