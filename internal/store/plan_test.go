package store_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// populate fills a PostgreSQL database with a network in which a sequential scan would be a bad plan: members 1 to
// 6,000 with some 20 connections each, the first few with a thousand.
const populate = `
INSERT INTO members (id, subject, handle, name, created_at)
	SELECT md5('m' || n)::uuid, 's' || n, 'h' || n, 'N', now() FROM generate_series(1, 6000) n;
INSERT INTO inboxes (member_id, last_number) SELECT id, 20 FROM members;
INSERT INTO connections (owner_id, peer_id, connected_at)
	WITH pairs AS (
		SELECT DISTINCT least(a, b) AS a, greatest(a, b) AS b FROM (
			SELECT n AS a, 1 + (n * 7919 + k * k * 10473) % 6000 AS b FROM generate_series(1, 6000) n, generate_series(1, 10) k
			UNION ALL SELECT hub, 10 + (hub + k * 13) % 5000 FROM generate_series(1, 3) hub, generate_series(1, 1000) k
		) raw WHERE a <> b
	)
	SELECT md5('m' || a)::uuid, md5('m' || b)::uuid, now() - a * interval '1 minute' FROM pairs
	UNION ALL SELECT md5('m' || b)::uuid, md5('m' || a)::uuid, now() - a * interval '1 minute' FROM pairs;
INSERT INTO invitations (id, sender_id, recipient_id, pair_lo, pair_hi, state, acquaintance, sent_at, listed_at)
	SELECT md5('i' || n || '-' || k)::uuid, a, b, least(a, b), greatest(a, b), CASE k WHEN 1 THEN 'pending' WHEN 2 THEN 'ignored' ELSE 'accepted' END, 'other', now() - n * interval '1 minute', now() - n * interval '1 minute'
	FROM (SELECT n, k, md5('m' || n)::uuid AS a, md5('m' || CASE WHEN k = 1 AND n % 20 = 0 THEN 1 ELSE 1 + (n + k * 1503) % 6000 END)::uuid AS b
		FROM generate_series(2, 6000) n, generate_series(1, 4) k) raw WHERE a <> b
	ON CONFLICT DO NOTHING;
INSERT INTO notifications (id, member_id, sequence, category, created_at, read_at, invitation_id)
	SELECT md5('n' || n || '-' || k)::uuid, md5('m' || n)::uuid, k, 'invitation_received', now(), CASE WHEN k < 18 THEN now() END, md5('i' || n || '-' || k)::uuid
	FROM generate_series(1, 1000) n, generate_series(1, 20) k;
INSERT INTO blocks (blocker_id, blocked_id, blocked_at)
	SELECT md5('m' || n)::uuid, md5('m' || 1 + (n + k * 997) % 6000)::uuid, now() FROM generate_series(1, 6000) n, generate_series(1, 3) k;
INSERT INTO profiles (member_id, positions, education, skills, languages, interests)
	SELECT id, '[]', '[]', '[]', '[]', '[]' FROM members;
ANALYZE;`

// planned is a store over a PostgreSQL database with much in it, of whose statements the plans are looked at.
type planned struct {
	*store.Store

	db   *sql.DB
	mu   sync.Mutex
	seen []statement
}

type statement struct {
	query string
	args  []any
}

// openPlanned opens one that is filled by statements.
func openPlanned(t *testing.T, fills ...string) *planned {
	t.Helper()
	address, p := storetest.EmptyPostgres(t), &planned{}
	p.Store = storetest.Open(t, address, store.Options{Observe: func(query string, args []any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.seen = append(p.seen, statement{query, args})
	}})
	p.db, _, _ = rawDB(t, address)
	for _, fill := range fills {
		if _, err := p.db.Exec(fill); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// id reads an id.
func (p *planned) id(t *testing.T, query string, args ...any) (u uuid.UUID) {
	t.Helper()
	if err := p.db.QueryRow(query, args...).Scan(&u); err != nil {
		t.Fatal(err)
	}
	return u
}

// member gives the nth that populate makes.
func (p *planned) member(t *testing.T, n int) id.Member {
	t.Helper()
	return id.Member(p.id(t, `SELECT md5('m' || $1)::uuid`, fmt.Sprint(n)))
}

// statements does something, and gives the statements that it took.
func (p *planned) statements(t *testing.T, what string, do func() error) []statement {
	t.Helper()
	p.mu.Lock()
	p.seen = nil
	p.mu.Unlock()
	if err := do(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// explain gives the plan of a statement.
func (p *planned) explain(t *testing.T, q statement) string {
	t.Helper()
	rows, err := p.db.Query("EXPLAIN "+q.query, q.args...)
	if err != nil {
		t.Fatalf("%s: %v", q.query, err)
	}
	return planOf(t, rows)
}

// explainForAll gives the plan that PostgreSQL keeps for a statement, whatever its arguments are.
func (p *planned) explainForAll(t *testing.T, q statement) string {
	t.Helper()
	tx, err := p.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	exec := func(query string) {
		if _, err := tx.Exec(query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	exec("SET LOCAL plan_cache_mode = force_generic_plan")
	exec("PREPARE kept AS " + q.query)
	nothing := strings.Join(slices.Repeat([]string{"NULL"}, len(q.args)), ", ")
	rows, err := tx.Query(fmt.Sprintf("EXPLAIN EXECUTE kept (%s)", nothing))
	if err != nil {
		t.Fatal(err)
	}
	plan := planOf(t, rows)
	exec("DEALLOCATE kept")
	return plan
}

// planOf reads what EXPLAIN says.
func planOf(t *testing.T, rows *sql.Rows) string {
	t.Helper()
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(line + "\n")
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return plan.String()
}
