package store

import (
	"context"
	"database/sql"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/acquaint/acquaint/ent"
	entfeed "github.com/acquaint/acquaint/ent/feedentry"
	entinbox "github.com/acquaint/acquaint/ent/inbox"
	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// Inboxes is the logs of notifications, as a hub reads them.
type Inboxes struct{ *Store }

// After implements realtime.Source.
func (i Inboxes) After(ctx context.Context, cursors []notification.Cursor, limit int) (map[notification.Cursor][]notification.Notification, error) {
	return i.NotificationsAfter(ctx, cursors, limit)
}

// Feeds is the logs of silent changes and messages, as a hub reads them.
type Feeds struct{ *Store }

// feedAfterEach reads a page for each cursor, by the index over (member_id, number).
const feedAfterEach = `SELECT c.after, f.member_id, f.number, f.kind, f.other_id, f.invitation_id, f.message_id
	FROM unnest($1::uuid[], $2::bigint[]) AS c(member, after)
	CROSS JOIN LATERAL (SELECT member_id, number, kind, other_id, invitation_id, message_id
		FROM feed_entries WHERE member_id = c.member AND number > c.after ORDER BY number LIMIT $3) f
	ORDER BY f.member_id, c.after, f.number`

// After implements realtime.Source.
func (f Feeds) After(ctx context.Context, cursors []notification.Cursor, limit int) (map[notification.Cursor][]feed.Entry, error) {
	out := make(map[notification.Cursor][]feed.Entry, len(cursors))
	if f.dialect == dialect.Postgres {
		members, after := make([]string, len(cursors)), make([]int64, len(cursors))
		for i, c := range cursors {
			members[i], after[i] = uuid.UUID(c.Member).String(), c.After
		}
		return out, scanAll(ctx, f.client, feedAfterEach, []any{pq.Array(members), pq.Array(after), limit}, func(rows *sql.Rows) error {
			var (
				cursor int64
				row    ent.FeedEntry
			)
			if err := rows.Scan(&cursor, &row.MemberID, &row.Number, &row.Kind, &row.OtherID, &row.InvitationID, &row.MessageID); err != nil {
				return err
			}
			at := notification.Cursor{Member: id.Member(row.MemberID), After: cursor}
			out[at] = append(out[at], toFeedEntry(&row))
			return nil
		})
	}
	for _, c := range cursors {
		rows, err := f.client.FeedEntry.Query().
			Where(entfeed.MemberID(uuid.UUID(c.Member)), entfeed.NumberGT(c.After)).
			Order(entfeed.ByNumber()).Limit(limit).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			out[c] = append(out[c], toFeedEntry(row))
		}
	}
	return out, nil
}

// LastNumbers implements realtime.Source.
func (f Feeds) LastNumbers(ctx context.Context, members []id.Member) ([]notification.Hint, error) {
	rows, err := f.client.Inbox.Query().Where(entinbox.IDIn(uuids(members)...)).
		Select(entinbox.FieldID, entinbox.FieldLastChange).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]notification.Hint, len(rows))
	for i, row := range rows {
		out[i] = notification.Hint{Log: notification.FeedLog, Member: id.Member(row.ID), Number: row.LastChange}
	}
	return out, nil
}

// PruneFeeds deletes up to limit of the entries written before a time, and gives how many.
func (s *Store) PruneFeeds(ctx context.Context, before time.Time, limit int) (int, error) {
	var n int
	err := s.write(ctx, func(t *tx) error {
		ids, err := t.client.FeedEntry.Query().Where(entfeed.IDLT(firstIDAt(before))).Limit(limit).IDs(ctx)
		if err != nil || len(ids) == 0 {
			n = 0
			return err
		}
		n, err = t.client.FeedEntry.Delete().Where(entfeed.IDIn(ids...)).Exec(ctx)
		return err
	})
	return n, err
}

// firstIDAt is the least UUID of version 7 made at a time: RFC 9562, section 5.7, 48 bits of milliseconds first.
func firstIDAt(at time.Time) uuid.UUID {
	var u uuid.UUID
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i)) //nolint:gosec // the lowest byte is meant
	}
	u[6] = 0x70
	return u
}

func toFeedEntry(row *ent.FeedEntry) feed.Entry {
	e := feed.Entry{Number: row.Number, Draft: feed.Draft{Member: id.Member(row.MemberID), Kind: feed.Kind(row.Kind)}}
	if row.OtherID != nil {
		e.Other = id.Member(*row.OtherID)
	}
	if row.InvitationID != nil {
		e.Invitation = id.Invitation(*row.InvitationID)
	}
	if row.MessageID != nil {
		e.Message = id.Message(*row.MessageID)
	}
	return e
}
