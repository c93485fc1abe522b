package main

import (
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// asBroker makes the test's own binary a NATS server at that address, so that its process can be killed.
const asBroker = "ACQUAINT_TEST_AS_BROKER"

// serveNATS is a NATS server's process, which ends by being killed.
func serveNATS(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	options := &server.Options{Host: host, NoLog: true, NoSigs: true}
	if options.Port, err = strconv.Atoi(port); err != nil {
		return err
	}
	broker, err := server.NewServer(options)
	if err != nil {
		return err
	}
	broker.Start()
	if !broker.ReadyForConnections(patience) {
		return errNoAnswer
	}
	fmt.Println("ready")
	broker.WaitForShutdown()
	return nil
}

// startNATS starts a NATS server, and waits until it takes connections. The function it gives kills it.
func startNATS(t *testing.T, address string) (kill func()) {
	t.Helper()
	said := newOutput()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), asBroker+"="+address)
	command.Stdout, command.Stderr = said, said
	endWithTest(command)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	}
	t.Cleanup(kill)
	said.wait(t, `(ready)`)
	return kill
}

// The broker is killed and started again under load. All is written on one node, and heard of on the other; subscribers keep
// their connections, however little comes. So nothing but the broker brings them news, and while it is away, the sweep.
func TestBrokerIsStopped(t *testing.T) {
	address := freeAddress(t)
	kill := startNATS(t, address)
	c, _ := startCluster(t, 2, "--broker", "nats://"+address, "--broker-sweep", "500ms")
	c.asks, c.listens = c.nodes[0], c.nodes[1]
	c.cutWithin, c.silence = 0, 2*patience
	all := func(pattern string, times int) {
		for _, n := range c.nodes {
			n.said.waitTimes(t, pattern, times)
		}
	}
	underLoad(t, c, func() {
		for round := range 3 * *rounds {
			all(`"listening to other nodes`, round+1)
			c.across(20)
			kill()
			all(`"lost the connection over which other nodes tell`, round+1)
			c.across(20)
			kill = startNATS(t, address)
		}
		all(`"listening to other nodes`, 3**rounds+1)
		c.across(20)
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
			var listeners, all int
			if err := db.QueryRow(`SELECT count(*) FILTER (WHERE listener AND cut), count(*) FILTER (WHERE cut)
				FROM (SELECT query LIKE 'LISTEN%' AS listener, ($1 OR query LIKE 'LISTEN%') AND pg_terminate_backend(pid) AS cut
					FROM pg_stat_activity WHERE datname = 'faults') AS connections`, round%2 == 1).Scan(&listeners, &all); err != nil {
				t.Fatal(err)
			}
			if listeners != len(c.nodes) || round%2 == 1 && all <= listeners {
				t.Errorf("round %d: cut %d connections, of which %d listeners, and not one of each of the %d nodes", round, all, listeners, len(c.nodes))
			}
			for _, n := range c.nodes { // whose it was
				n.said.waitTimes(t, `"lost the connection over which other nodes tell`, round+1)
				n.said.waitTimes(t, `"listening to other nodes again`, round+1)
			}
		}
		c.during(30)
	})
}
