package main

import (
	"database/sql"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" // driver
)

// tables is what is in the database, as far as the load wrote it.
type tables struct {
	subjects    map[uuid.UUID]string // members
	invitations map[uuid.UUID]invitationRow
	connections map[pair]bool
	inboxes     map[uuid.UUID]inboxRow
	logs        map[uuid.UUID][]notificationRow // by member, in the order of their numbers
	feeds       map[uuid.UUID][]int64           // the numbers of their entries
}

type (
	pair          struct{ owner, peer uuid.UUID }
	inboxRow      struct{ lastNumber, lastChange int64 }
	invitationRow struct {
		sender, recipient uuid.UUID
		state             string
	}
	notificationRow struct {
		sequence          int64
		category          string
		actor, invitation uuid.UUID
	}
)

// readTables reads the tables of a database, past the servers.
func readTables(t *testing.T, database string) tables {
	t.Helper()
	db := openDatabase(t, database)
	defer db.Close()
	out := tables{
		subjects: make(map[uuid.UUID]string), invitations: make(map[uuid.UUID]invitationRow), connections: make(map[pair]bool),
		inboxes: make(map[uuid.UUID]inboxRow), logs: make(map[uuid.UUID][]notificationRow), feeds: make(map[uuid.UUID][]int64),
	}
	each(t, db, `SELECT id, subject FROM members`, func(scan func(...any) error) error {
		var id uuid.UUID
		var subject string
		err := scan(&id, &subject)
		out.subjects[id] = subject
		return err
	})
	each(t, db, `SELECT id, sender_id, recipient_id, state FROM invitations`, func(scan func(...any) error) error {
		var id uuid.UUID
		var row invitationRow
		err := scan(&id, &row.sender, &row.recipient, &row.state)
		out.invitations[id] = row
		return err
	})
	each(t, db, `SELECT owner_id, peer_id FROM connections`, func(scan func(...any) error) error {
		var row pair
		err := scan(&row.owner, &row.peer)
		out.connections[row] = true
		return err
	})
	each(t, db, `SELECT member_id, last_number, last_change FROM inboxes`, func(scan func(...any) error) error {
		var id uuid.UUID
		var row inboxRow
		err := scan(&id, &row.lastNumber, &row.lastChange)
		out.inboxes[id] = row
		return err
	})
	each(t, db, `SELECT member_id, sequence, category, actor_id, invitation_id FROM notifications ORDER BY member_id, sequence`,
		func(scan func(...any) error) error {
			var id uuid.UUID
			var row notificationRow
			err := scan(&id, &row.sequence, &row.category, &row.actor, &row.invitation)
			out.logs[id] = append(out.logs[id], row)
			return err
		})
	each(t, db, `SELECT member_id, number FROM feed_entries ORDER BY member_id, number`, func(scan func(...any) error) error {
		var id uuid.UUID
		var number int64
		err := scan(&id, &number)
		out.feeds[id] = append(out.feeds[id], number)
		return err
	})
	return out
}

func each(t *testing.T, db *sql.DB, query string, row func(scan func(...any) error) error) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// openDatabase opens the database of a server.
func openDatabase(t *testing.T, database string) *sql.DB {
	t.Helper()
	driver, address := "sqlite", "file:"+strings.TrimPrefix(database, "sqlite:")+"?_pragma=busy_timeout(5000)"
	if !strings.HasPrefix(database, "sqlite:") {
		u, err := url.Parse(database)
		if err != nil {
			t.Fatal(err)
		}
		u.RawQuery = "sslmode=disable"
		driver, address = "postgres", u.String()
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	return db
}
