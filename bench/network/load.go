package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/acquaint/acquaint/bench/internal/harness"
	"github.com/acquaint/acquaint/internal/store"
)

// The kinds of things with an id.
const (
	kindMember = iota + 1
	kindInvitation
	kindNotification
)

// population is a graph with all that the tables have of it.
type population struct {
	*graph

	now         time.Time
	invitations []invitation
	senders     []int // who have as many open invitations as they may
	recipients  []int // who were sent very many
}

// invitation is an open one.
type invitation struct {
	sender, recipient int
	state             string
	sentAt            time.Time
}

func (n *population) member(m int) uuid.UUID {
	return key(kindMember, m, founded.Add(joining/time.Duration(n.members)*time.Duration(m)))
}

// founded is when the first member joined.
var founded = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

func subject(m int) string { return fmt.Sprint("s", m) }

// connectedAt is when two were connected.
func (n *population) connectedAt(a, b int) time.Time {
	if a > b {
		a, b = b, a
	}
	ago := time.Duration(mix(uint64(a)<<32|uint64(b)) % uint64(oldInAll)) //nolint:gosec // positive
	return n.now.Add(-ago).Truncate(time.Millisecond)
}

// inTables are the tables that are filled, those that are emptied first apart.
var (
	inTables      = []string{"members", "inboxes", "connections", "invitations", "notifications"}
	emptiedTables = []string{"connections", "invitations", "notifications"}
)

// load fills an empty database with the network.
func (n *population) load(ctx context.Context, address string) (err error) {
	tables, err := store.Open(ctx, address, store.Options{}) // migrates
	if err != nil {
		return err
	}
	if err := tables.Close(); err != nil {
		return err
	}
	db, err := sql.Open("postgres", address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	before, err := indexes(ctx, db)
	if err != nil {
		return err
	}
	for _, i := range before {
		if i.droppable() {
			if _, err := db.ExecContext(ctx, i.drop()); err != nil {
				return err
			}
		}
	}
	for _, t := range n.tables() {
		if err := copyRows(ctx, address, t); err != nil {
			return err
		}
	}
	for _, i := range before {
		if !i.droppable() {
			continue
		}
		began := time.Now()
		if _, err := db.ExecContext(ctx, i.create()); err != nil {
			return err
		}
		if took := time.Since(began); took > time.Second {
			harness.Progressf("  index %s: %.1f s", i.Name, took.Seconds())
		}
	}
	after, err := indexes(ctx, db)
	if err != nil {
		return err
	}
	if !slices.Equal(before, after) {
		return errors.New("the indexes are not those of the migrations any more")
	}
	_, err = db.ExecContext(ctx, "VACUUM (FREEZE, ANALYZE)") // the map of what all see lets indexes answer alone
	if err == nil {
		_, err = db.ExecContext(ctx, "CHECKPOINT")
	}
	return err
}

// openStates is the condition of the indexes over open invitations.
const openStates = "state IN ('pending', 'ignored', 'declined')"

// warm reads what is asked for, so that it is in memory as in a database that has been asked for a while.
func warm(ctx context.Context, address string) error {
	db, err := sql.Open("postgres", address)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, read := range []string{
		"SELECT count(peer_id) FROM (SELECT peer_id FROM connections ORDER BY owner_id, peer_id OFFSET 0) c",
		"SELECT count(peer_id) FROM (SELECT peer_id FROM connections ORDER BY owner_id, connected_at, peer_id OFFSET 0) c",
		"SELECT count(name) FROM (SELECT name FROM members ORDER BY id OFFSET 0) m",
		"SELECT count(subject) FROM (SELECT subject FROM members ORDER BY subject OFFSET 0) m",
		"SELECT count(last_number) FROM (SELECT last_number FROM inboxes ORDER BY member_id OFFSET 0) i",
		"SELECT count(state) FROM (SELECT state FROM invitations WHERE " + openStates + " ORDER BY pair_lo, pair_hi OFFSET 0) i",
		"SELECT count(state) FROM (SELECT state FROM invitations WHERE " + openStates + " ORDER BY sender_id, sent_at, id OFFSET 0) i",
		"SELECT count(state) FROM (SELECT state FROM invitations WHERE " + openStates + " ORDER BY recipient_id, state, listed_at, id OFFSET 0) i",
	} {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		// By the index, and not with workers, whose reading of a whole table goes by the pages that are kept.
		_, err = tx.ExecContext(ctx, "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL max_parallel_workers_per_gather = 0; "+read)
		if err := errors.Join(err, tx.Rollback()); err != nil {
			return err
		}
	}
	return nil
}

// index is one of a table, with what makes it.
type index struct {
	Table, Name, Definition string
	Constraint              string // of a primary key, its definition
}

// indexes gives those of the tables that are filled.
func indexes(ctx context.Context, db *sql.DB) ([]index, error) {
	rows, err := db.QueryContext(ctx, `
		SELECT i.tablename, i.indexname, i.indexdef, COALESCE(pg_get_constraintdef(c.oid), '')
		FROM pg_indexes i LEFT JOIN pg_constraint c ON c.conname = i.indexname AND c.contype IN ('p', 'u')
		WHERE i.schemaname = 'public' AND i.tablename = ANY($1) ORDER BY i.tablename, i.indexname`, pq.Array(inTables))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []index
	for rows.Next() {
		var i index
		if err := rows.Scan(&i.Table, &i.Name, &i.Definition, &i.Constraint); err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, rows.Err()
}

// droppable reports whether it is quicker made anew: the keys that others refer to stay.
func (i index) droppable() bool { return i.Constraint == "" || slices.Contains(emptiedTables, i.Table) }

func (i index) drop() string {
	if i.Constraint != "" {
		return "ALTER TABLE " + i.Table + " DROP CONSTRAINT " + pq.QuoteIdentifier(i.Name)
	}
	return "DROP INDEX " + pq.QuoteIdentifier(i.Name)
}

func (i index) create() string {
	if i.Constraint != "" {
		return "ALTER TABLE " + i.Table + " ADD CONSTRAINT " + pq.QuoteIdentifier(i.Name) + " " + i.Constraint
	}
	return i.Definition
}

// tables are all rows of the network.
func (n *population) tables() []table {
	members := make([]uuid.UUID, n.members) // made once, as each is written many times
	for m := range members {
		members[m] = n.member(m)
	}
	received := make(map[int]int64) // how many notifications a member has
	return []table{
		{"members", "id, subject, handle, name, headline, created_at", false, n.members, func(w *rowWriter) {
			for m := range n.members {
				w.row(6) //nolint:mnd // columns
				w.uuid(members[m])
				w.text(subject(m))
				w.text(fmt.Sprint("handle", m))
				w.text(fmt.Sprint("Member number ", m))
				w.text("Works on what members of a professional network work on")
				w.time(founded)
			}
		}},
		{"connections", "owner_id, peer_id, connected_at", true, len(n.peers), func(w *rowWriter) {
			for owner := range n.members {
				for _, peer := range n.of(owner) {
					w.row(3) //nolint:mnd // columns
					w.uuid(members[owner])
					w.uuid(members[peer])
					w.time(n.connectedAt(owner, int(peer)))
				}
			}
		}},
		{"invitations", "id, sender_id, recipient_id, pair_lo, pair_hi, state, acquaintance, sent_at, listed_at", true, len(n.invitations),
			func(w *rowWriter) {
				for i, inv := range n.invitations {
					w.row(9) //nolint:mnd // columns
					w.uuid(key(kindInvitation, i, inv.sentAt))
					w.uuid(members[inv.sender])
					w.uuid(members[inv.recipient])
					w.uuid(members[min(inv.sender, inv.recipient)])
					w.uuid(members[max(inv.sender, inv.recipient)])
					w.text(inv.state)
					w.text("unspecified")
					w.time(inv.sentAt)
					w.time(inv.sentAt)
				}
			}},
		{"notifications", "id, member_id, sequence, category, actor_id, invitation_id, created_at, read_at", true, len(n.invitations),
			func(w *rowWriter) {
				for i, inv := range n.invitations {
					received[inv.recipient]++
					w.row(8) //nolint:mnd // columns
					w.uuid(key(kindNotification, i, inv.sentAt))
					w.uuid(members[inv.recipient])
					w.integer(received[inv.recipient])
					w.text("invitation_received")
					w.uuid(members[inv.sender])
					w.uuid(key(kindInvitation, i, inv.sentAt))
					w.time(inv.sentAt)
					if n.now.Sub(inv.sentAt) > unreadFor {
						w.time(inv.sentAt.Add(time.Hour))
					} else {
						w.null()
					}
				}
			}},
		{"inboxes", "member_id, last_number", false, n.members, func(w *rowWriter) {
			for m := range n.members {
				w.row(2) //nolint:mnd // columns
				w.uuid(members[m])
				w.integer(received[m])
			}
		}},
	}
}

// describe says how large the network is.
func (n *population) describe() string {
	return strings.Join([]string{
		fmt.Sprintf("%d members", n.members), fmt.Sprintf("%d connections", len(n.peers)/2), //nolint:mnd // two rows each
		fmt.Sprintf("the largest with %d", len(n.of(n.hubs[0]))), fmt.Sprintf("%d open invitations", len(n.invitations)),
	}, ", ")
}
