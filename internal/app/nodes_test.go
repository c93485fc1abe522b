package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// startNATS gives the address of a NATS server.
func startNATS(t *testing.T) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(apptest.Patience) {
		t.Fatal("the NATS server does not start")
	}
	return s.ClientURL()
}

// eachBroker runs a test with three nodes on one PostgreSQL, whose sweep never comes to help.
func eachBroker(t *testing.T, test func(t *testing.T, nodes []*apptest.Server, database string)) {
	t.Helper()
	for name, address := range map[string]func(*testing.T) string{
		"postgres": func(*testing.T) string { return app.BrokerPostgres }, "nats": startNATS,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database, broker := storetest.EmptyPostgres(t), address(t)
			var nodes []*apptest.Server
			for range 3 {
				nodes = append(nodes, apptest.Start(t, database, func(c *app.Config) {
					c.Broker, c.BrokerSweep = broker, time.Hour
				}))
			}
			for _, n := range nodes {
				n.AwaitBroker(t)
			}
			test(t, nodes, database)
		})
	}
}

// A subscriber on one node hears at once of what another wrote: of notifications, changes and messages alike, in order
// and once.
func TestNodes(t *testing.T) {
	t.Parallel()
	eachBroker(t, func(t *testing.T, nodes []*apptest.Server, _ string) {
		ada := nodes[0].As(t, "ada")
		socket := ada.On(nodes[0]).Connect()
		notifications := socket.Subscribe(subscribeNotifications, apptest.Vars{"after": ""})
		changes := socket.Subscribe(subscribeChanges, nil)
		messages := socket.Subscribe(`subscription { messageReceived { body } }`, nil)
		const n = 20
		for i := range n {
			other := nodes[1+i%2].As(t, fmt.Sprint("m", i))
			if got := other.Invite(ada.ID, ""); got.Code() != "" {
				t.Fatal(got)
			}
		}
		for i := range n {
			var event edgeEvent
			if notifications.Next(&event); event.Edge.Node.Sequence != i+1 {
				t.Fatalf("notification %d came as %d", i+1, event.Edge.Node.Sequence)
			}
			changes.Message()
		}
		friend := nodes[2].As(t, "m1")
		expect(t, "crossing on another node", ada.On(nodes[1]).Invite(friend.ID, ""), "")
		friend.Do(`mutation($id: ID!) { sendMessage(input: {memberId: $id, body: "hello"}) { userErrors { code } } }`, apptest.Vars{"id": ada.ID})
		var event struct{ MessageReceived struct{ Body string } }
		if messages.Next(&event); event.MessageReceived.Body != "hello" {
			t.Errorf("got %+v", event)
		}
	})
}

// When the connection over which a node listens is cut, it listens again, and what was told meanwhile comes at once: the
// node catches up.
func TestListenerIsCut(t *testing.T) {
	t.Parallel()
	database := storetest.EmptyPostgres(t)
	start := func() *apptest.Server {
		return apptest.Start(t, database, func(c *app.Config) { c.BrokerSweep = time.Hour })
	}
	here, there := start(), start()
	here.AwaitBroker(t)
	there.AwaitBroker(t)
	ada := here.As(t, "ada")
	stream := ada.Connect().Subscribe(subscribeNotifications, apptest.Vars{"after": ""})
	for round := range 5 {
		// Every connection, in whatever order: those of the pools are made again by themselves.
		storetest.ExecAdmin(t, fmt.Sprintf("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s' AND query LIKE 'LISTEN%%'",
			storetest.NameOf(t, database)))
		if got := there.As(t, fmt.Sprint("m", round)).Invite(ada.ID, ""); got.Code() != "" {
			t.Fatal(got)
		}
		var event edgeEvent
		if stream.Next(&event); event.Edge.Node.Sequence != round+1 {
			t.Fatalf("notification %d came as %d", round+1, event.Edge.Node.Sequence)
		}
	}
}
