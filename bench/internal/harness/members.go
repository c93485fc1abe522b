package harness

import (
	"context"
	"crypto/md5" //nolint:gosec // for ids that PostgreSQL, too, can compute
	"database/sql"
	"fmt"
	"strconv"

	"github.com/google/uuid"
	_ "github.com/lib/pq" // driver
	"go.jetify.com/typeid"

	"github.com/acquaint/acquaint/internal/store"
)

// CreateMembers makes a database with members 1 to n, who have nothing yet.
func CreateMembers(ctx context.Context, admin, address, name string, n int) error {
	if err := exec1(ctx, admin, "CREATE DATABASE "+name); err != nil {
		return err
	}
	tables, err := store.Open(ctx, address, store.Options{}) // migrates
	if err != nil {
		return err
	}
	if err := tables.Close(); err != nil {
		return err
	}
	return exec1(ctx, address, fmt.Sprintf(`
		INSERT INTO members (id, subject, handle, name, created_at) SELECT md5('m' || n)::uuid, 's' || n, 'h' || n, 'N', now() FROM generate_series(1, %d) n;
		INSERT INTO inboxes (member_id) SELECT id FROM members;
		ANALYZE; CHECKPOINT`, n))
}

func exec1(ctx context.Context, address, statement string) error {
	db, err := sql.Open("postgres", address)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, statement)
	return err
}

// Subject is that of member n.
func Subject(n int) string { return "s" + strconv.Itoa(n) }

// GlobalID is the id of member n as clients see it.
func GlobalID(n int) (string, error) {
	key := uuid.UUID(md5.Sum([]byte("m" + strconv.Itoa(n)))) //nolint:gosec // as above
	t, err := typeid.FromUUIDBytesWithPrefix("mbr", key[:])
	return t.String(), err
}
