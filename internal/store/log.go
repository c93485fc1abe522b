package store

import (
	"context"
	"database/sql"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// entry is what a transaction writes to a log of a member before it commits: a notification, or an entry of a feed.
type entry struct {
	id         uuid.UUID
	log        notification.Log
	member     id.Member
	kind       string // the category, or the kind of the feed's entry
	bit        int64  // of the category; 0 for a feed, which nothing mutes
	other      id.Member
	invitation id.Invitation
	message    id.Message
	published  id.Publication
	reminder   bool
	at         time.Time

	number int64 // set where the inbox is at hand; else the statement that writes it numbers it
	held   bool  // likewise
}

// written is what anybody reads of an entry once it has its number.
func (e entry) written(number int64, held bool) any {
	if e.log == notification.FeedLog {
		return feed.Entry{Number: number, Draft: feed.Draft{
			Member: e.member, Kind: feed.Kind(e.kind), Other: e.other, Invitation: e.invitation, Message: e.message,
		}}
	}
	return notification.Notification{
		ID: id.Notification(e.id), Member: e.member, Sequence: number, Category: notification.Category(e.kind), Actor: e.other,
		Invitation: e.invitation, Message: e.message, Publication: e.published, Reminder: e.reminder, Held: held, CreatedAt: e.at.UTC(),
	}
}

// Notify implements notification.Tx.
func (t *tx) Notify(_ context.Context, nid id.Notification, d notification.Draft, at time.Time) error {
	t.entries = append(t.entries, notificationEntry(nid, d, at))
	return nil
}

func notificationEntry(nid id.Notification, d notification.Draft, at time.Time) entry {
	return entry{
		id: uuid.UUID(nid), log: notification.InboxLog, member: d.Member, kind: string(d.Category), bit: d.Category.Bit(),
		other: d.Actor, invitation: d.Invitation, message: d.Message, published: d.Publication, reminder: d.Reminder, at: at,
	}
}

// Append implements notification.Tx.
func (t *tx) Append(_ context.Context, eid id.UUID, d feed.Draft) error {
	t.entries = append(t.entries, feedEntry(eid, d))
	return nil
}

func feedEntry(eid id.UUID, d feed.Draft) entry {
	return entry{
		id: uuid.UUID(eid), log: notification.FeedLog, member: d.Member, kind: string(d.Kind),
		other: d.Other, invitation: d.Invitation, message: d.Message,
	}
}

// writeEntries numbers and writes what the transaction tells. It honours preferences as they stand under the locks of the
// inboxes, which the use case has taken; so a number is never spent in vain, and a changed preference holds from the next
// entry on. Nothing is written for a member who is not there any more.
func (t *tx) writeEntries(ctx context.Context) error {
	entries := t.entries
	t.entries = nil
	switch {
	case len(entries) == 0:
		return nil
	case t.dialect == dialect.Postgres:
		return t.writeTogether(ctx, entries)
	}
	for _, e := range entries {
		if err := t.writeEntry(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// writeEntry is for SQLite, which has no round trips to save.
func (t *tx) writeEntry(ctx context.Context, e entry) error {
	hint := notification.Hint{Log: e.log, Member: e.member}
	column := "last_number"
	if e.log == notification.FeedLog {
		column = "last_change"
	}
	b := statement(t.dialect)
	b.WriteString("UPDATE inboxes SET " + column + " = " + column + " + 1 WHERE member_id = ").Arg(uuid.UUID(e.member)).
		WriteString(" AND (muted & ").Arg(e.bit).WriteString(") = 0").
		WriteString(" RETURNING " + column + ", CASE WHEN paused_until > ").Arg(e.at).WriteString(" THEN 1 ELSE 0 END")
	query, args := b.Query()
	var held int
	written, err := scanOne(ctx, t.client, query, args, &hint.Number, &held)
	if err != nil || !written {
		return err
	}
	hint.Entry = e.written(hint.Number, held == 1)
	t.hints = append(t.hints, hint)
	if e.log == notification.FeedLog {
		return t.client.FeedEntry.Create().
			SetID(e.id).SetMemberID(uuid.UUID(e.member)).SetNumber(hint.Number).SetKind(e.kind).
			SetNillableOtherID(optionalID(e.other)).SetNillableInvitationID(optionalID(e.invitation)).
			SetNillableMessageID(optionalID(e.message)).Exec(ctx)
	}
	return t.client.Notification.Create().
		SetID(e.id).SetMemberID(uuid.UUID(e.member)).SetSequence(hint.Number).
		SetCategory(e.kind).SetNillableActorID(optionalID(e.other)).
		SetNillableInvitationID(optionalID(e.invitation)).SetNillableMessageID(optionalID(e.message)).
		SetNillablePublicationID(optionalID(e.published)).SetReminder(e.reminder).
		SetHeld(held == 1).SetCreatedAt(e.at).Exec(ctx)
}

// entriesTogether writes entries of any number of logs in one round trip. The numbers begin where the inboxes stand: they
// are locked, so what the statement sees of them is what there is.
const entriesTogether = `
WITH draft AS (
	SELECT id, log, member, kind, bit, other, invitation, message, publication, reminder, at, place
	FROM unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[],
		$10::boolean[], $11::timestamptz[]) WITH ORDINALITY
		AS d(id, log, member, kind, bit, other, invitation, message, publication, reminder, at, place)
), kept AS (
	SELECT d.id, d.log, d.member, d.kind, d.other, d.invitation, d.message, d.publication, d.reminder, d.at, d.place,
		COALESCE(i.paused_until > d.at, false) AS held,
		CASE d.log WHEN 0 THEN i.last_number ELSE i.last_change END
			+ row_number() OVER (PARTITION BY d.member, d.log ORDER BY d.place) AS number
	FROM draft d JOIN inboxes i ON i.member_id = d.member WHERE (i.muted & d.bit) = 0
), counted AS (
	UPDATE inboxes i SET last_number = i.last_number + k.notifications, last_change = i.last_change + k.changes
	FROM (SELECT member, count(*) FILTER (WHERE log = 0) AS notifications, count(*) FILTER (WHERE log = 1) AS changes FROM kept GROUP BY member) k
	WHERE i.member_id = k.member
), notified AS (
	INSERT INTO notifications (id, member_id, sequence, category, actor_id, invitation_id, message_id, publication_id, reminder, held, created_at)
	SELECT id, member, number, kind, NULLIF(other, '')::uuid, NULLIF(invitation, '')::uuid, NULLIF(message, '')::uuid,
		NULLIF(publication, '')::uuid, reminder, held, at FROM kept WHERE log = 0
), fed AS (
	INSERT INTO feed_entries (id, member_id, number, kind, other_id, invitation_id, message_id)
	SELECT id, member, number, kind, NULLIF(other, '')::uuid, NULLIF(invitation, '')::uuid, NULLIF(message, '')::uuid FROM kept WHERE log = 1
)
SELECT place, number, held FROM kept ORDER BY place`

func (t *tx) writeTogether(ctx context.Context, entries []entry) error {
	n := len(entries)
	var (
		ids, members, kinds, others      = make([]string, n), make([]string, n), make([]string, n), make([]string, n)
		invitations, messages, published = make([]string, n), make([]string, n), make([]string, n)
		logs, bits                       = make([]int64, n), make([]int64, n)
		reminders, times                 = make([]bool, n), make([]string, n)
	)
	for i, e := range entries {
		ids[i], members[i], kinds[i] = e.id.String(), uuid.UUID(e.member).String(), e.kind
		logs[i], bits[i], reminders[i] = int64(e.log), e.bit, e.reminder
		times[i] = e.at.UTC().Format(time.RFC3339Nano)
		others[i], invitations[i] = idText(e.other), idText(e.invitation)
		messages[i], published[i] = idText(e.message), idText(e.published)
	}
	args := []any{
		pq.Array(ids), pq.Array(logs), pq.Array(members), pq.Array(kinds), pq.Array(bits), pq.Array(others), pq.Array(invitations),
		pq.Array(messages), pq.Array(published), pq.Array(reminders), pq.Array(times),
	}
	return scanAll(ctx, t.client, entriesTogether, args, func(rows *sql.Rows) error {
		var (
			place, number int64
			held          bool
		)
		if err := rows.Scan(&place, &number, &held); err != nil {
			return err
		}
		e := entries[place-1]
		t.hints = append(t.hints, notification.Hint{Log: e.log, Member: e.member, Number: number, Entry: e.written(number, held)})
		return nil
	})
}

// idText gives the empty text for the zero id.
func idText[T ~[16]byte](v T) string {
	if v == (T{}) {
		return ""
	}
	return uuid.UUID(v).String()
}
