package broker_test

import (
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/goleak"

	"github.com/acquaint/acquaint/internal/broker"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

func TestMain(m *testing.M) {
	code := storetest.Main(m)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

const patience = 20 * time.Second

// network is what nodes are connected by.
type network struct {
	between bool // there can be several nodes
	join    func(t *testing.T) node
	// cut takes the network away, and mend brings it back.
	cut, mend func(t *testing.T)
}

type node interface {
	Publish(hints ...notification.Hint)
	Subscribe(receive func(hints ...notification.Hint), catchUp func())
	Connected() bool
	Stats() broker.Stats
	Close() error
}

var quiet = slog.New(slog.DiscardHandler)

// networks are all the ways to connect nodes.
func networks() map[string]func(t *testing.T) network {
	return map[string]func(t *testing.T) network{
		"local":    func(*testing.T) network { return network{join: func(*testing.T) node { return &broker.Local{} }} },
		"postgres": overPostgres,
		"nats":     overNATS,
	}
}

func overPostgres(t *testing.T) network {
	t.Helper()
	address := storetest.EmptyPostgres(t)
	name := storetest.NameOf(t, address)
	return network{
		between: true,
		join: func(t *testing.T) node {
			t.Helper()
			b, err := broker.NewPostgres(address, quiet)
			if err != nil {
				t.Fatal(err)
			}
			return b
		},
		cut: func(t *testing.T) {
			t.Helper()
			storetest.ExecAdmin(t, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS false")
			storetest.ExecAdmin(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+name+"'")
		},
		mend: func(t *testing.T) {
			t.Helper()
			storetest.ExecAdmin(t, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS true")
		},
	}
}

func overNATS(t *testing.T) network {
	t.Helper()
	var running *server.Server
	start := func(t *testing.T, port int) {
		t.Helper()
		var err error
		running, err = server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoLog: true, NoSigs: true})
		if err != nil {
			t.Fatal(err)
		}
		running.Start()
		if !running.ReadyForConnections(patience) {
			t.Fatal("the NATS server does not start")
		}
	}
	stop := func() {
		running.Shutdown()
		running.WaitForShutdown()
	}
	start(t, server.RANDOM_PORT)
	t.Cleanup(func() { stop() })
	address, port := running.ClientURL(), running.Addr().(*net.TCPAddr).Port
	return network{
		between: true,
		join: func(t *testing.T) node {
			t.Helper()
			b, err := broker.NewNATS(address, quiet)
			if err != nil {
				t.Fatal(err)
			}
			return b
		},
		cut:  func(*testing.T) { stop() },
		mend: func(t *testing.T) { t.Helper(); start(t, port) },
	}
}

// ear is what one node hears.
type ear struct {
	node

	hints    chan notification.Hint
	catchUps chan struct{}
}

// heardMost is how many hints a test may leave unread.
const heardMost = 100_000

func listen(t *testing.T, n network) *ear {
	t.Helper()
	e := &ear{node: n.join(t), hints: make(chan notification.Hint, heardMost), catchUps: make(chan struct{}, heardMost)}
	e.Subscribe(func(hints ...notification.Hint) {
		for _, h := range hints {
			e.hints <- h
		}
	}, func() { e.catchUps <- struct{}{} })
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if n.between {
		e.connected(t, true)
	}
	return e
}

// connected waits until the node is, or is not.
func (e *ear) connected(t *testing.T, want bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); e.Connected() != want; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("connected: %v", !want)
		}
	}
}

// next waits for a hint.
func (e *ear) next(t *testing.T) notification.Hint {
	t.Helper()
	select {
	case h := <-e.hints:
		return h
	case <-time.After(patience):
		t.Fatal("no hint came")
		panic("unreachable")
	}
}

func hint(member byte, number int64) notification.Hint {
	return notification.Hint{Log: notification.Log(member % 2), Member: id.Member{member}, Number: number}
}

func eachNetwork(t *testing.T, test func(t *testing.T, n network)) {
	t.Helper()
	for name, connect := range networks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, connect(t))
		})
	}
}

// A node hears what it publishes at once, and all others hear it, once.
func TestHints(t *testing.T) {
	t.Parallel()
	eachNetwork(t, func(t *testing.T, n network) {
		a := listen(t, n)
		ears := []*ear{a}
		if n.between {
			ears = append(ears, listen(t, n), listen(t, n))
		}
		a.Publish(hint(1, 10))
		select {
		case h := <-a.hints:
			if h != hint(1, 10) {
				t.Errorf("its own node heard %+v", h)
			}
		default:
			t.Error("its own node did not hear of it at once")
		}
		for _, e := range ears[1:] {
			if h := e.next(t); h != hint(1, 10) {
				t.Errorf("another heard %+v", h)
			}
			e.Publish(hint(2, 7))
			e.next(t)
			if h := a.next(t); h != hint(2, 7) {
				t.Errorf("the answer was heard as %+v", h)
			}
		}
		for _, e := range ears[1:] { // the other's answer, and nothing a second time
			if h := e.next(t); h != hint(2, 7) || len(e.hints) != 0 {
				t.Errorf("heard %+v, and %d more", h, len(e.hints))
			}
		}
		if len(a.hints) != 0 {
			t.Errorf("%d more", len(a.hints))
		}
	})
}

// Many nodes at once: of every log the greatest number comes to every node, whatever was merged on the way.
func TestManyHints(t *testing.T) {
	t.Parallel()
	eachNetwork(t, func(t *testing.T, n network) {
		const publishers, members, numbers = 4, 50, 20
		a := listen(t, n)
		from := []*ear{a}
		if n.between {
			from = append(from, listen(t, n))
		}
		var all sync.WaitGroup
		for p := range publishers {
			all.Go(func() {
				for number := range numbers {
					for m := range members {
						from[p%len(from)].Publish(hint(byte(m), int64(1+number*publishers+p)))
					}
				}
			})
		}
		all.Wait()
		want := make(map[id.Member]int64, members)
		for _, e := range from {
			greatest := make(map[id.Member]int64, members)
			for done := 0; done < members; {
				h := e.next(t)
				if before := greatest[h.Member]; h.Number > before {
					greatest[h.Member] = h.Number
					if h.Number == numbers*publishers {
						done++
					}
				}
			}
			maps.Copy(want, greatest)
		}
		if len(want) != members {
			t.Errorf("heard of %d members", len(want))
		}
	})
}

// Without the network Publish goes on at once; with it again everybody catches up, and hears of what comes.
func TestOutage(t *testing.T) {
	t.Parallel()
	eachNetwork(t, func(t *testing.T, n network) {
		if !n.between {
			return
		}
		a, b := listen(t, n), listen(t, n)
		for round := range 3 {
			for _, e := range []*ear{a, b} {
				for len(e.catchUps) > 0 {
					<-e.catchUps
				}
			}
			n.cut(t)
			a.connected(t, false)
			b.connected(t, false)
			for i := range 1000 { // would wait, if any did
				a.Publish(hint(1, int64(i)))
				a.next(t)
			}
			n.mend(t)
			a.connected(t, true)
			b.connected(t, true)
			for _, e := range []*ear{a, b} {
				select {
				case <-e.catchUps:
				case <-time.After(patience):
					t.Fatalf("round %d: did not catch up", round)
				}
			}
			// The sender may still find its own connection lost: that hint is, too.
			number := int64(5000)
			heard := func() bool {
				for {
					select {
					case h := <-b.hints:
						if h.Number >= 5000 {
							return true
						}
					default:
						return false
					}
				}
			}
			for deadline := time.Now().Add(patience); !heard(); runtime.Gosched() {
				if time.Now().After(deadline) {
					t.Fatalf("round %d: not heard again", round)
				}
				number++
				a.Publish(hint(1, number))
				a.next(t)
			}
		}
	})
}

// A node that starts while the network is away joins when it is there.
func TestStartDuringAnOutage(t *testing.T) {
	t.Parallel()
	eachNetwork(t, func(t *testing.T, n network) {
		if !n.between {
			return
		}
		n.cut(t)
		late := n.join(t)
		defer late.Close()
		caughtUp := make(chan struct{}, heardMost)
		late.Subscribe(func(...notification.Hint) {}, func() { caughtUp <- struct{}{} })
		late.Publish(hint(1, 1))
		n.mend(t)
		select {
		case <-caughtUp:
		case <-time.After(patience):
			t.Fatal("never joined")
		}
	})
}
