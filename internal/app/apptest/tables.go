package apptest

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/graph/model"
)

// ChangeTables changes the tables of a database behind the server's back, as nothing in the API could.
func ChangeTables(t testing.TB, database string, statements ...string) {
	t.Helper()
	driver, source := "postgres", database
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// Key is the member's id as the tables hold it, in quotes.
func (c *Client) Key() string {
	key, ok := model.MemberID(c.ID)
	if !ok {
		c.t.Fatalf("%q is no member's id", c.ID)
	}
	return "'" + uuid.UUID(key).String() + "'"
}

// Hide puts a block into the tables, and leaves everything else between the two as it is: what is shown then must not
// count on anything having been cleared away.
func Hide(t testing.TB, database string, blocker, blocked *Client) {
	t.Helper()
	ChangeTables(t, database,
		`INSERT INTO blocks (blocker_id, blocked_id, blocked_at) VALUES (`+blocker.Key()+`, `+blocked.Key()+`, '2026-01-01 00:00:00+00:00')`,
		`UPDATE members SET in_block = true WHERE id IN (`+blocker.Key()+`, `+blocked.Key()+`)`)
}

// Erase marks a member as erased, and clears nothing away.
func Erase(t testing.TB, database string, c *Client) {
	t.Helper()
	ChangeTables(t, database, `UPDATE members SET erased_at = '2026-01-01 00:00:00+00:00' WHERE id = `+c.Key())
}
