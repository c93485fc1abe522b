package main

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// underLoad lets members invite and listen while something goes wrong, and then compares three logs: what was
// acknowledged, what is in the inboxes, and what the subscribers had.
func underLoad(t *testing.T, c *cluster, wrong func()) {
	t.Helper()
	for i := range c.ids {
		var data struct {
			Viewer struct{ Member struct{ ID string } }
		}
		if err := insist(t.Context(), c.nodes[0].address, fmt.Sprint("listener", i), `{ viewer { member { id } } }`, nil, &data); err != nil {
			t.Fatal(err)
		}
		c.ids[i] = data.Viewer.Member.ID
	}
	listening, leave := context.WithCancel(t.Context())
	inviting, enough := context.WithCancel(t.Context())
	var listeners, inviters sync.WaitGroup
	for i := range subscribers {
		listeners.Go(func() { c.listen(listening, i) })
	}
	for range senders {
		inviters.Go(func() {
			for inviting.Err() == nil {
				c.invite(t.Context())
			}
		})
	}
	wrong()
	enough()
	inviters.Wait()
	// A last one for each, after which nothing can be missing.
	last := make([]string, subscribers)
	for i := range last {
		var data struct {
			InviteMember struct{ Invitation struct{ ID string } }
		}
		if err := insist(t.Context(), c.nodes[0].address, fmt.Sprint("last", i), `mutation($m: ID!) { inviteMember(input: {memberId: $m}) { invitation { id } } }`,
			map[string]any{"m": c.ids[i]}, &data); err != nil {
			t.Fatal(err)
		}
		last[i] = data.InviteMember.Invitation.ID
	}
	c.awaitNewest(last)
	leave()
	listeners.Wait()

	lost, twice := 0, 0
	for i := range subscribers {
		inbox := c.inbox(i)
		// What the subscriber has not had when it left, it gets when it comes back.
		again, done := context.WithCancel(t.Context())
		if n := len(c.heard[i]); n < len(inbox) {
			after := ""
			if n > 0 {
				after = c.heard[i][n-1].Cursor
			}
			deadline := time.AfterFunc(patience, done)
			for again.Err() == nil && len(c.heard[i]) < len(inbox) {
				until, stop := context.WithTimeout(again, readDeadline)
				_ = c.subscribe(until, i, &after)
				stop()
			}
			deadline.Stop()
		}
		done()
		count := make(map[string]int, len(inbox))
		for n, e := range inbox {
			count[e.Node.Invitation.ID]++
			if e.Node.Sequence != int64(n+1) {
				t.Fatalf("listener %d: the inbox has number %d at place %d", i, e.Node.Sequence, n+1)
			}
		}
		for id, n := range count {
			if n > 1 {
				twice++
				t.Errorf("listener %d: told %d times of %s", i, n, id)
			}
		}
		c.acknowledged[i].Range(func(id, _ any) bool {
			if count[id.(string)] != 1 {
				lost++
				t.Errorf("listener %d: %s was acknowledged and is not there", i, id)
			}
			return true
		})
		same := slices.EqualFunc(c.heard[i], inbox, func(a, b event) bool { return a.Node == b.Node })
		if !same {
			t.Errorf("listener %d: had %d events, the inbox has %d, or in another order:\n%+v\n%+v", i, len(c.heard[i]), len(inbox), c.heard[i], inbox)
		}
		if count[last[i]] != 1 {
			t.Errorf("listener %d: the last one is missing", i)
		}
	}
	t.Logf("%d invitations acknowledged, %d without an answer, %d lost, %d told twice", c.sent.Load(), c.failed.Load(), lost, twice)
	if c.sent.Load() == 0 {
		t.Error("nothing was acknowledged at all")
	}
}

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

// A node that stands still for longer than its clients wait, and then goes on, loses nothing and tells nothing twice.
func TestNodeIsPaused(t *testing.T) {
	c, _ := startCluster(t, 2)
	underLoad(t, c, func() {
		for range 2 * *rounds {
			c.during(20)
			c.nodes[0].signal(syscall.SIGSTOP)
			time.Sleep(2 * readDeadline) // its clients have left by then: that is what is waited for
			c.nodes[0].signal(syscall.SIGCONT)
			c.during(20)
		}
	})
}

// Nodes are replaced one after the other, as in a rollout: what was accepted is answered, sockets go elsewhere and go on.
func TestNodesAreReplaced(t *testing.T) {
	c, _ := startCluster(t, 3)
	underLoad(t, c, func() {
		for _, node := range c.nodes {
			c.during(20)
			node.signal(syscall.SIGTERM)
			if err := node.command.Wait(); err != nil {
				t.Errorf("a node ended with %v", err)
			}
			c.during(20)
			node.start()
		}
	})
}

// The broker is stopped and started again under load. While it is away, subscribers hear of what was written on the other
// node by the sweep.
func TestBrokerIsStopped(t *testing.T) {
	options := &server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true}
	start := func() *server.Server {
		broker, err := server.NewServer(options)
		if err != nil {
			t.Fatal(err)
		}
		broker.Start()
		if !broker.ReadyForConnections(patience) {
			t.Fatal("the broker does not start")
		}
		return broker
	}
	broker := start()
	stop := func() {
		broker.Shutdown()
		broker.WaitForShutdown()
	}
	t.Cleanup(func() { stop() })
	options.Port = broker.Addr().(*net.TCPAddr).Port // the next ones'
	c, _ := startCluster(t, 2, "--broker", broker.ClientURL(), "--broker-sweep", "500ms")
	underLoad(t, c, func() {
		for range 3 * *rounds {
			c.during(30)
			stop()
			c.during(30)
			broker = start()
			c.during(30)
		}
	})
}

// The connections over which nodes listen to each other are cut under load, and all others with them every other time.
func TestListenersAreCut(t *testing.T) {
	c, pg := startCluster(t, 2, "--broker-sweep", "1s")
	db, err := sql.Open("postgres", pg.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	underLoad(t, c, func() {
		for round := range 6 * *rounds {
			c.during(30)
			which := "LISTEN%"
			if round%2 == 1 {
				which = "%"
			}
			var cut int
			if err := db.QueryRow(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'faults' AND query LIKE $1`, which).Scan(&cut); err != nil {
				t.Fatal(err)
			}
			if round == 0 && cut != 2 {
				t.Errorf("cut %d listeners, and not 2", cut)
			}
		}
		c.during(30)
	})
}
