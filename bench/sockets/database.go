package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

// database is the tables of the Acquaint server, written to from outside: what is measured is how events are delivered,
// not how they come about.
type database struct {
	address string
	db      *sql.DB
	members int
	stop    func()
}

// openDatabase makes a database of a kind with members in it.
func openDatabase(ctx context.Context, kind string, members int) (*database, error) {
	d := &database{members: members, stop: func() {}}
	err := d.open(ctx, kind)
	if err == nil {
		err = d.seed(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func (d *database) open(ctx context.Context, kind string) error {
	var driver, name string
	switch kind {
	case "postgres":
		server, err := pgserver.Start(ctx)
		if err != nil {
			return err
		}
		d.stop = server.Stop
		d.address = server.URL("postgres")
		driver, name = "postgres", d.address
	case "sqlite", "memory": // with memory it still has the members, who sign in
		folder, err := os.MkdirTemp("", "acquaint-sockets-")
		if err != nil {
			return err
		}
		d.stop = func() { os.RemoveAll(folder) }
		driver, name = "sqlite", filepath.Join(folder, "acquaint.db")
		d.address = "sqlite:" + name
	default:
		return fmt.Errorf("no such database: %s", kind)
	}
	tables, err := store.Open(ctx, d.address, store.Options{}) // migrates
	if err != nil {
		return err
	}
	if err := tables.Close(); err != nil {
		return err
	}
	d.db, err = sql.Open(driver, name)
	return err
}

func (d *database) close() error {
	var err error
	if d.db != nil {
		err = d.db.Close()
	}
	d.stop()
	return err
}

// seed makes the members, and an inbox for each.
func (d *database) seed(ctx context.Context) error {
	return d.write(ctx, func(tx *sql.Tx) error {
		err := insert(ctx, tx, "members (id, subject, handle, name, created_at)", d.members, func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "('%s', '%s', 'member-%d', 'Member number %d', '%s')", uuid.UUID(memberID(i)), subject(i), i, i, at)
		})
		if err != nil {
			return err
		}
		return insert(ctx, tx, "inboxes (member_id)", d.members, func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "('%s')", uuid.UUID(memberID(i)))
		})
	})
}

// notify gives every member notifications with the numbers first to last, in one transaction. The actor of each is the
// next member.
func (d *database) notify(ctx context.Context, first, last int64) error {
	return d.write(ctx, func(tx *sql.Tx) error {
		const columns = "notifications (id, member_id, sequence, category, actor_id, invitation_id, created_at)"
		err := insert(ctx, tx, columns, d.members*int(last-first+1), func(b *strings.Builder, i int) {
			m, sequence := i%d.members, first+int64(i/d.members)
			own := uuidOf(kindNotification, m, sequence)
			fmt.Fprintf(b, "('%s', '%s', %d, '%s', '%s', '%s', '%s')", own, uuid.UUID(memberID(m)), sequence,
				notification.InvitationReceived, uuid.UUID(memberID((m+1)%d.members)), own, at)
		})
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE inboxes SET last_number = $1", last)
		return err
	})
}

// write runs a transaction, and lets the database look at what it has afterwards: its own process for that comes at
// times that nobody can foresee.
func (d *database) write(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = d.db.ExecContext(ctx, "ANALYZE")
	return err
}

// rowsPerInsert is how many rows one statement has.
const rowsPerInsert = 1000

// insert writes rows. The values stand in the statements: there are more than a statement may have parameters, and all
// are made here.
func insert(ctx context.Context, tx *sql.Tx, into string, rows int, row func(b *strings.Builder, i int)) error {
	for from := 0; from < rows; from += rowsPerInsert {
		var b strings.Builder
		b.WriteString("INSERT INTO ")
		b.WriteString(into)
		b.WriteString(" VALUES ")
		for i := from; i < min(rows, from+rowsPerInsert); i++ {
			if i > from {
				b.WriteByte(',')
			}
			row(&b, i)
		}
		if _, err := tx.ExecContext(ctx, b.String()); err != nil {
			return err
		}
	}
	return nil
}

// at is when everything was made.
const at = "2026-01-02 03:04:05.678+00:00"

var writtenAt = time.Date(2026, 1, 2, 3, 4, 5, int(678*time.Millisecond), time.UTC)

// The kinds of identities, which keep them apart.
const (
	kindMember       = 1
	kindNotification = 2
)

func memberID(i int) id.Member { return id.Member(uuidOf(kindMember, i, 0)) }

func subject(i int) string { return fmt.Sprint("subject-", i) }

// uuidOf makes a UUID of version 7 that tells what it belongs to.
func uuidOf(kind byte, i int, sequence int64) uuid.UUID {
	const versionAt, variantAt, sequenceAt, ownerAt = 6, 8, 9, 12
	var u uuid.UUID
	u[0] = kind
	u[versionAt] = 0x70
	binary.BigEndian.PutUint32(u[sequenceAt-1:], uint32(sequence)) //nolint:gosec // a few hundred
	u[variantAt] = 0x80
	binary.BigEndian.PutUint32(u[ownerAt:], uint32(i)) //nolint:gosec // some thousands
	return u
}
