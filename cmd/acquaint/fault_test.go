package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Nodes that are killed under load lose nothing, ten times.
func TestNodesAreKilled(t *testing.T) {
	c, _ := startCluster(t, 3)
	underLoad(t, c, func() {
		for round := range 10 * *rounds {
			c.during(20)
			node := c.nodes[round%len(c.nodes)]
			node.kill()
			c.during(20)
			node.start()
		}
	})
}

// The one node of a database of SQLite is killed under load and started again on the same file, ten times: what it has
// acknowledged is there.
func TestNodeIsKilledOnSQLite(t *testing.T) {
	c := newCluster(t)
	c.start(1, "sqlite:"+filepath.Join(t.TempDir(), "a.db"))
	node := c.nodes[0]
	underLoad(t, c, func() {
		for range 10 * *rounds {
			c.during(20)
			node.kill() // with requests under way
			node.gate.shut()
			node.start()
		}
		c.during(20)
	})
	if c.failed.Load() == 0 {
		t.Error("every request was answered")
	}
}

// The database is killed under load: nothing that was acknowledged is lost, and all goes on by itself.
func TestDatabaseIsKilled(t *testing.T) {
	c, pg := startCluster(t, 2)
	underLoad(t, c, func() {
		for range 3 * *rounds {
			c.during(20)
			if err := pg.Kill(); err != nil {
				t.Fatal(err)
			}
			// What cannot be done says so, once the processes that the killed server leaves behind are gone, too.
			for _, n := range c.nodes {
				n.until(http.StatusServiceUnavailable)
				var err error
				for deadline := time.Now().Add(patience); err == nil && time.Now().Before(deadline); {
					err = call(t.Context(), n.address, "listener0", `{ viewer { unreadNotificationCount } }`, nil, &struct{}{})
				}
				if err == nil || !strings.Contains(err.Error(), "UNAVAILABLE") {
					t.Errorf("without a database a query gives %v", err)
				}
			}
			if err := pg.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, n := range c.nodes {
				n.ready()
			}
		}
		c.during(20)
	})
}

// A node that stands still for longer than any timeout of its own and than its clients wait, and then goes on, loses nothing
// and tells nothing twice. What it was in the middle of holds nobody up for long.
func TestNodeIsPaused(t *testing.T) {
	// Of what a server waits for, nothing takes longer than what it writes to a socket: 10 s.
	const longest = 10 * time.Second
	pg, c := startPostgres(t), newCluster(t)
	c.start(1, pg.URL("faults")+"&application_name=paused", "--request-timeout", "2s")
	c.start(1, pg.URL("faults"), "--request-timeout", "2s")
	c.waits, c.hangs = longest+time.Second, true
	node, other := c.nodes[0], c.nodes[1]
	db := openDatabase(t, node.database)
	defer db.Close()
	underLoad(t, c, func() {
		for round := range *rounds {
			c.during(20)
			pauseWriting(t, db, node)
			before, began := c.inVain.Load(), time.Now()
			const stuck = 3
			c.await("requests to the node that stands still", func() bool { return node.asked.Load() >= stuck })
			node.gate.shut() // the balancer notices
			c.await("all clients to give the node up", func() bool { return node.asked.Load() == 0 && node.listening.Load() == 0 })
			if n := c.inVain.Load() - before; n < stuck || time.Since(began) <= longest {
				t.Errorf("the node stood still for %v, and %d requests were in vain", time.Since(began), n)
			}
			soon, cancel := context.WithTimeout(t.Context(), longest) // what it has locked is free by now
			for i, s := range c.subscribers {
				if err := insist(soon, other.address, fmt.Sprint("meanwhile", round, "-", i), inviteMutation, map[string]any{"m": s.id}, &struct{}{}); err != nil {
					t.Errorf("while the node stands still nobody can invite %s: %v", s.name, err)
				}
			}
			cancel()
			node.signal(syscall.SIGCONT)
			node.ready()
			c.during(20)
		}
	})
	t.Logf("%d requests in vain", c.inVain.Load())
}

// pauseWriting has a node stand still while it is in the middle of a transaction.
func pauseWriting(t *testing.T, db *sql.DB, node *process) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); node.signal(syscall.SIGCONT) {
		node.signal(syscall.SIGSTOP)
		var open int
		if err := db.QueryRow(`SELECT count(*) FROM pg_stat_activity WHERE application_name = 'paused' AND state LIKE 'idle in transaction%'`).Scan(&open); err != nil {
			t.Fatal(err)
		}
		if open > 0 {
			return
		}
	}
	t.Fatal("the node is never in the middle of a transaction")
}

// Nodes are replaced one after the other, as in a rollout, and the balancer is the last to notice: what was accepted is
// answered, sockets go elsewhere and go on.
func TestNodesAreReplaced(t *testing.T) {
	c, _ := startCluster(t, 3)
	c.mayLose = func(err error) bool {
		lost, is := errors.AsType[*unanswered](err)
		return is && !lost.reused && (errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET))
	}
	underLoad(t, c, func() {
		for range *rounds {
			for _, node := range c.nodes {
				c.during(20)
				node.stop()
				c.during(20)
				node.start()
			}
		}
	})
}
