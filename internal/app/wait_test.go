package app_test

import (
	"database/sql"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// What is asked for outside a list waits for nobody, however long the items of a list may: here longer than a request may take.
func TestNothingWaitsAlone(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s := apptest.Start(t, database, func(c *app.Config) { c.Limits.RequestTimeout, c.BatchWait = 10*time.Second, 15*time.Second })
		ada, ben, cleo := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cleo")
		apptest.Connect(ada, ben)
		apptest.Connect(ben, cleo)
		var data struct {
			Viewer struct {
				Member      struct{ ID string }
				Connections struct{ Nodes []struct{ ID, Name string } }
				ByNodes     struct {
					Nodes []struct{ Actor struct{ Name string } }
				}
				ByEdges struct {
					Edges []struct {
						Node struct{ Actor struct{ Name string } }
					}
				}
			}
			Node struct {
				Relationship      struct{ Degree *int }
				MutualConnections struct {
					TotalCount int
					Nodes      []struct{ ID string }
				}
			}
		}
		ada.Get(&data, `query($id: ID!) {
			viewer { member { id } connections { nodes { id name } }
				byNodes: notifications(first: 1) { nodes { actor { name } } }
				byEdges: notifications(first: 1) { edges { node { ... on InvitationAcceptedNotification { actor { name } } } } } }
			node(id: $id) { ... on Member { relationship { degree } mutualConnections { totalCount nodes { id } } } } }`, apptest.Vars{"id": cleo.ID})
		node := data.Node
		if node.Relationship.Degree == nil || *node.Relationship.Degree != 2 || node.MutualConnections.TotalCount != 1 ||
			len(node.MutualConnections.Nodes) != 1 || node.MutualConnections.Nodes[0].ID != ben.ID ||
			data.Viewer.Member.ID != ada.ID || len(data.Viewer.Connections.Nodes) != 1 ||
			len(data.Viewer.ByNodes.Nodes) != 1 || data.Viewer.ByNodes.Nodes[0].Actor.Name == "" ||
			len(data.Viewer.ByEdges.Edges) != 1 || data.Viewer.ByEdges.Edges[0].Node.Actor.Name == "" {
			t.Errorf("%+v", data)
		}
	})
}

// What takes long is looked for beside the rest of it, not after: here the rest has to wait.
func TestLongOnesBeginAtOnce(t *testing.T) {
	t.Parallel()
	database := storetest.EmptyPostgres(t)
	s := apptest.Start(t, database)
	ada, ben, cleo := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cleo")
	apptest.Connect(ada, ben)
	apptest.Connect(ben, cleo)
	db, err := sql.Open("postgres", database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for _, part := range []string{"relationship { degree }", "mutualConnections(first: 1) { totalCount nodes { id } }"} {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), "LOCK TABLE connections IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
		var (
			all      sync.WaitGroup
			answered atomic.Bool
		)
		all.Go(func() {
			defer answered.Store(true)
			var data struct {
				Node struct {
					Relationship      struct{ Degree int }
					MutualConnections struct{ TotalCount int }
				}
			}
			ada.Get(&data, "query($id: ID!) { node(id: $id) { ... on Member { "+part+" } } }", apptest.Vars{"id": cleo.ID})
			if data.Node.Relationship.Degree != 2 && data.Node.MutualConnections.TotalCount != 1 {
				t.Errorf("%s gave %+v", part, data)
			}
		})
		const waiting = "SELECT count(DISTINCT query) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
		for n := 0; n < 2; {
			if err := db.QueryRowContext(t.Context(), waiting).Scan(&n); err != nil || answered.Load() {
				t.Errorf("%s: %d statements wait (%v)", part, n, err)
				break
			}
		}
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
		all.Wait()
	}
}

// What was begun and is not needed ends before its request does: broken off, it would cost a connection to the database.
func TestWhatWasBegunIsNotBrokenOff(t *testing.T) {
	t.Parallel()
	database := storetest.EmptyPostgres(t)
	s := apptest.Start(t, database)
	ada, ben := s.As(t, "ada"), s.As(t, "ben")
	apptest.Connect(ada, ben)
	db, err := sql.Open("postgres", database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	const connections = `WITH m AS (INSERT INTO members (id, subject, handle, name, created_at)
			SELECT md5('m' || n)::uuid, 's' || n, 'h' || n, 'N', now() FROM generate_series(1, 3000) n RETURNING id)
		INSERT INTO connections (owner_id, peer_id, connected_at) SELECT o.id, m.id, now() FROM m, members o`
	if _, err := db.ExecContext(t.Context(), connections); err != nil {
		t.Fatal(err)
	}
	gone := func(before map[int]bool) (lost int, now map[int]bool) {
		rows, err := db.QueryContext(t.Context(), "SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		now = make(map[int]bool)
		for rows.Next() {
			var pid int
			if err := rows.Scan(&pid); err != nil {
				t.Fatal(err)
			}
			now[pid] = true
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		for pid := range before {
			if !now[pid] {
				lost++
			}
		}
		return lost, now
	}
	_, before := gone(nil)
	lost := 0
	for range 100 {
		var data struct {
			Node struct{ Relationship struct{ Degree int } }
		}
		ada.Get(&data, "query($id: ID!) { node(id: $id) { ... on Member { relationship { degree } } } }", apptest.Vars{"id": ben.ID})
		if data.Node.Relationship.Degree != 1 {
			t.Fatalf("%+v", data)
		}
		var n int
		n, before = gone(before)
		lost += n
	}
	if lost > 0 {
		t.Errorf("%d connections were lost", lost)
	}
}
