package main

import (
	"database/sql"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// unavailable fails unless an operation is answered with UNAVAILABLE within some time.
func unavailable(t *testing.T, node *process, within time.Duration) {
	t.Helper()
	began := time.Now()
	err := call(t.Context(), node.address, "listener0", `{ viewer { unreadNotificationCount } }`, nil, &struct{}{})
	if failed, ok := errors.AsType[*failure](err); !ok || failed.code != "UNAVAILABLE" {
		t.Errorf("without a database a query gives %v", err)
	}
	if took := time.Since(began); took > within {
		t.Errorf("that took %v", took)
	}
}

// A database that stands still, as when its machine hangs, is one that is away: what is asked is answered in time all the
// same, over sockets too; nodes can be ended, and go on by themselves when it does.
func TestDatabaseHangs(t *testing.T) {
	const limit = 2 * time.Second
	// What the answer may take longer, on a machine with much to do.
	const slack = 3 * time.Second
	// What a node may take to end: to drain, and then to let go of everything.
	const toEnd = 25 * time.Second
	c, pg := startCluster(t, 2, "--request-timeout", limit.String(), "--broker-sweep", "500ms")
	underLoad(t, c, func() {
		for round := range *rounds {
			c.during(20)
			socket := openSocket(t, c.nodes[0], "listener0")
			resume, err := pg.Pause(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var asking sync.WaitGroup
			for _, n := range c.nodes {
				asking.Go(func() {
					began := time.Now()
					if status := n.readyz(); status != http.StatusServiceUnavailable || time.Since(began) > limit+slack {
						t.Errorf("readyz says %d after %v", status, time.Since(began))
					}
				})
				asking.Go(func() { unavailable(t, n, limit+slack) })
			}
			asking.Go(func() {
				began := time.Now()
				socket.ask(`{ viewer { unreadNotificationCount } }`, nil)
				if got := socket.next(); !strings.Contains(got, `"UNAVAILABLE"`) || time.Since(began) > limit+slack {
					t.Errorf("the socket got %s after %v", got, time.Since(began))
				}
			})
			asking.Wait()
			if round == 0 { // nothing waits for the database for ever
				last := c.nodes[1]
				began := time.Now()
				last.signal(syscall.SIGTERM)
				if err := last.command.Wait(); err != nil {
					t.Errorf("a node ended with %v: %s", err, last.said)
				}
				if took := time.Since(began); took > toEnd {
					t.Errorf("to end took %v", took)
				}
			}
			if err := resume(); err != nil {
				t.Fatal(err)
			}
			if round == 0 {
				c.nodes[1].start()
			}
			for _, n := range c.nodes {
				n.ready()
			}
		}
		c.during(20)
	})
}

// switchboard is an address that leads to one server and then to another, as it does in a failover.
type switchboard struct {
	listener net.Listener

	mu   sync.Mutex
	to   string
	open []net.Conn
}

func newSwitchboard(t *testing.T, to string) *switchboard {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &switchboard{listener: l, to: to}
	var working sync.WaitGroup
	working.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			working.Go(func() { s.connect(from) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		s.turn("")
		working.Wait()
	})
	return s
}

func (s *switchboard) connect(from net.Conn) {
	defer from.Close()
	s.mu.Lock()
	to := s.to
	s.mu.Unlock()
	onward, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer onward.Close()
	s.mu.Lock()
	s.open = append(s.open, from, onward)
	s.mu.Unlock()
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(from, onward)
		from.Close()
	}()
	_, _ = io.Copy(onward, from)
	onward.Close()
	<-back
}

// lead leads new connections elsewhere; those that there are stay where they are.
func (s *switchboard) lead(to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = to
}

// turn leads all connections elsewhere: those that there are end.
func (s *switchboard) turn(to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = to
	for _, c := range s.open {
		c.Close()
	}
	s.open = nil
}

func hostOf(t *testing.T, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// For a while the database's address leads to a standby, as in a failover that is under way. Nodes are not ready, and what
// they are asked is UNAVAILABLE. As soon as new connections lead to a primary all goes on.
func TestStandbyInsteadOfPrimary(t *testing.T) {
	primary := startPostgres(t)
	standby, err := primary.Standby(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.Stop)
	db, err := sql.Open("postgres", primary.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		"CREATE DATABASE refused", "CREATE DATABASE taken",
		// What was acknowledged can be read on the standby.
		"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()", "ALTER DATABASE taken SET synchronous_commit = 'remote_apply'",
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	// Unless told otherwise, nodes take no connection to a standby.
	t.Run("refused", func(t *testing.T) { failOver(t, primary.URL("refused"), standby.URL("refused"), false) })
	// Where they do, or something between them and the servers hides what these are, they read there, and hold on to no
	// connection that cannot write, although it is good for ever.
	t.Run("taken", func(t *testing.T) {
		failOver(t, primary.URL("taken")+"&target_session_attrs=any", standby.URL("taken"), true)
	})
}

func failOver(t *testing.T, primary, standby string, reads bool) {
	t.Helper()
	toPrimary, toStandby := hostOf(t, primary), hostOf(t, standby)
	board := newSwitchboard(t, toPrimary)
	c := newCluster(t)
	c.start(2, strings.Replace(primary, toPrimary, board.listener.Addr().String(), 1), "--broker-sweep", "500ms")
	underLoad(t, c, func() {
		for range 2 * *rounds {
			c.during(20)
			board.turn(toStandby)
			for _, n := range c.nodes {
				n.until(http.StatusServiceUnavailable)
				err := call(t.Context(), n.address, "listener0", `{ viewer { unreadNotificationCount } }`, nil, &struct{}{})
				if failed, ok := errors.AsType[*failure](err); reads && err != nil || !reads && (!ok || failed.code != "UNAVAILABLE") {
					t.Errorf("on a standby a query gives %v", err)
				}
				err = call(t.Context(), n.address, "listener0", inviteMutation, map[string]any{"m": c.subscribers[1].id}, &struct{}{})
				if failed, ok := errors.AsType[*failure](err); !ok || failed.code != "UNAVAILABLE" {
					t.Errorf("on a standby a mutation gives %v", err)
				}
			}
			board.lead(toPrimary)
			for _, n := range c.nodes {
				n.ready()
			}
			c.during(20)
		}
	})
	for _, n := range c.nodes {
		if !strings.Contains(n.said.String(), "standby") && !strings.Contains(n.said.String(), "read-only") {
			t.Errorf("the log does not say what is wrong: %s", n.said)
		}
	}
}
