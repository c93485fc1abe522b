package store

import (
	"context"
	"database/sql"
	"math"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/acquaint/acquaint/ent"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/notification"
)

// This file reads the rows of notifications, by statements of its own: ent takes as long to build such a statement and to
// make its objects as the database to answer.

// Notifications implements notification.Store. Who the notifications are of comes with them: to ask for those afterwards
// takes as long again.
func (s *Store) Notifications(ctx context.Context, of id.Member, page notification.Page) (notification.Listing, error) {
	before := page.After // in the order of the list, which is the newest first
	if before <= 0 {
		before = math.MaxInt64
	}
	order := newestFirst
	if page.Backward {
		order = oldestFirst
	}
	var (
		row     notificationRow
		actor   publicRow
		columns = row.columns()
		b       = statement(s.dialect)
	)
	b.WriteString("SELECT " + prefixed("n", notificationColumns))
	if page.Actors {
		columns = append(columns, actor.columns()...)
		b.WriteString(", " + prefixed("a", publicColumns))
	}
	b.WriteString(" FROM notifications n ")
	if page.Actors {
		b.WriteString(actorJoins[s.dialect])
	}
	b.WriteString(" WHERE n.member_id = ").Arg(uuid.UUID(of)).
		WriteString(" AND n.sequence < ").Arg(before).WriteString(" AND n.sequence > ").Arg(page.Before).
		WriteString(" ORDER BY n.sequence " + order + " LIMIT ").Arg(page.Limit + 1) // upTo says why the limit is an argument
	query, args := b.Query()
	list := notification.Listing{Notifications: make([]notification.Notification, 0, page.Limit+1)}
	if page.Actors {
		list.Actors = make(map[id.Member]member.Public, page.Limit+1)
	}
	err := scanAll(ctx, s.client, query, args, func(rows *sql.Rows) error {
		if err := rows.Scan(columns...); err != nil {
			return err
		}
		n := row.notification(of)
		list.Notifications = append(list.Notifications, n)
		if actor.handle.Valid && len(list.Notifications) <= page.Limit { // one more only tells whether there are more
			list.Actors[n.Actor] = actor.public(n.Actor)
		}
		return nil
	})
	list.Notifications, list.More = cut(list.Notifications, page.Limit)
	if page.Backward {
		slices.Reverse(list.Notifications)
	}
	return list, err
}

// actorJoins join the actor a of a notification n. PostgreSQL can do the one that it has only by the key of each: a plain
// join it may do by reading all members.
var actorJoins = map[string]string{
	dialect.Postgres: "LEFT JOIN LATERAL (SELECT " + publicColumns + " FROM members WHERE id = n.actor_id LIMIT 1) a ON TRUE",
	dialect.SQLite:   "LEFT JOIN members a ON a.id = n.actor_id",
}

// prefixed gives a list of columns of a table that has another name.
func prefixed(table, columns string) string {
	return table + "." + strings.ReplaceAll(columns, ", ", ", "+table+".")
}

// NotificationsByID implements notification.Store. PostgreSQL can do it by the key of each only: else it may read the
// index of the whole inbox.
func (s *Store) NotificationsByID(ctx context.Context, member id.Member, ids []id.Notification) ([]notification.Notification, error) {
	b := statement(s.dialect)
	if s.dialect == dialect.Postgres {
		b.WriteString("SELECT " + prefixed("n", notificationColumns) + " FROM unnest(").Arg(pq.Array(textsOf(uuids(ids)))).
			WriteString("::uuid[]) AS key CROSS JOIN LATERAL (" + selectNotifications + " WHERE id = key AND member_id = ").
			Arg(uuid.UUID(member)).WriteString(" LIMIT 1) n")
	} else {
		b.WriteString(selectNotifications + " WHERE member_id = ").Arg(uuid.UUID(member)).WriteString(" AND ")
		writeAmong(b, "id", uuids(ids))
	}
	query, args := b.Query()
	return scanNotifications(ctx, s.client, member, query, args, len(ids))
}

// NotificationsAfter implements realtime.Source. PostgreSQL answers for all cursors in one statement, which saves a round
// trip for each; SQLite has no round trips to save, and no LATERAL.
func (s *Store) NotificationsAfter(ctx context.Context, cursors []notification.Cursor, limit int) (map[notification.Cursor][]notification.Notification, error) {
	out := make(map[notification.Cursor][]notification.Notification, len(cursors))
	if s.dialect == dialect.Postgres && len(cursors) > 1 {
		return out, s.notificationsAfterEach(ctx, cursors, limit, out)
	}
	for _, c := range cursors {
		b := statement(s.dialect)
		b.WriteString(selectNotifications + " WHERE member_id = ").Arg(uuid.UUID(c.Member)).
			WriteString(" AND sequence > ").Arg(c.After).WriteString(" ORDER BY sequence LIMIT ").Arg(limit)
		query, args := b.Query()
		list, err := scanNotifications(ctx, s.client, c.Member, query, args, 0)
		if err != nil {
			return nil, err
		}
		out[c] = list
	}
	return out, nil
}

// afterEach reads a page for each cursor, by the index over (member_id, sequence). It says by its place which cursor a row
// is of.
const afterEach = `SELECT c.place, n.* FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS c(member, after, place)
	CROSS JOIN LATERAL (` + selectNotifications + ` WHERE member_id = c.member AND sequence > c.after ORDER BY sequence LIMIT $3) n
	ORDER BY c.place, n.sequence`

func (s *Store) notificationsAfterEach(ctx context.Context, cursors []notification.Cursor, limit int,
	out map[notification.Cursor][]notification.Notification,
) error {
	members, after := make([]string, len(cursors)), make([]int64, len(cursors))
	for i, c := range cursors {
		members[i], after[i] = uuid.UUID(c.Member).String(), c.After
	}
	var (
		place int
		row   notificationRow
	)
	columns := append([]any{&place}, row.columns()...)
	return scanAll(ctx, s.client, afterEach, []any{pq.Array(members), pq.Array(after), limit}, func(rows *sql.Rows) error {
		if err := rows.Scan(columns...); err != nil {
			return err
		}
		at := cursors[place-1]
		out[at] = append(out[at], row.notification(at.Member))
		return nil
	})
}

// notificationColumns are those that a notificationRow is scanned from. Whose they are who asks knows.
const notificationColumns = "id, sequence, category, actor_id, invitation_id, message_id, publication_id, " +
	"reminder, held, created_at, read_at"

const selectNotifications = "SELECT " + notificationColumns + " FROM notifications"

// notificationRow is notificationColumns. One does for all rows of an answer: each would be garbage of its own.
type notificationRow struct {
	n                                       notification.Notification
	own                                     uuid.UUID
	actor, invitation, message, publication uuid.NullUUID
	read                                    sql.NullTime
}

func (r *notificationRow) columns() []any {
	return []any{
		&r.own, &r.n.Sequence, &r.n.Category, &r.actor, &r.invitation, &r.message, &r.publication,
		&r.n.Reminder, &r.n.Held, &r.n.CreatedAt, &r.read,
	}
}

// notification gives the row that was scanned last, of that member's.
func (r *notificationRow) notification(of id.Member) notification.Notification {
	n := r.n
	n.ID, n.Member = id.Notification(r.own), of
	n.Actor, n.Invitation = id.Member(r.actor.UUID), id.Invitation(r.invitation.UUID)
	n.Message, n.Publication = id.Message(r.message.UUID), id.Publication(r.publication.UUID)
	n.CreatedAt, n.ReadAt = n.CreatedAt.UTC(), r.read.Time.UTC()
	return n
}

// scanNotifications runs a query of notificationColumns that gives about so many rows of a member's.
func scanNotifications(ctx context.Context, client *ent.Client, of id.Member, query string, args []any, about int) ([]notification.Notification, error) {
	out := make([]notification.Notification, 0, about)
	var row notificationRow
	columns := row.columns()
	err := scanAll(ctx, client, query, args, func(rows *sql.Rows) error {
		if err := rows.Scan(columns...); err != nil {
			return err
		}
		out = append(out, row.notification(of))
		return nil
	})
	return out, err
}
