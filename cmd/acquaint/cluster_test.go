package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/lib/pq" // driver

	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

// rounds is how many times as often as usual each test does its worst, as in go test ./cmd/acquaint -args -rounds 10.
var rounds = flag.Int("rounds", 1, "how many times as often tests of faults do their worst")

// cluster is nodes on one database, with members who invite, answer and listen.
type cluster struct {
	t           *testing.T
	nodes       []*process
	subscribers [4]*subscriber

	waits     time.Duration    // how long the clients of the load wait for an answer
	hangs     bool             // it is expected that they wait in vain
	cutWithin time.Duration    // each connection of a subscriber is lost by then; 0 is never
	silence   time.Duration    // after so long without a word subscribers give a connection up
	mayLose   func(error) bool // whether it may be that a request has no other answer; nil is always

	// Where the load asks and subscribers listen; nil is anywhere.
	asks, listens *process

	ledger         ledger
	made           atomic.Int64 // members, who come once
	sent, accepted atomic.Int64 // acknowledged
	failed         atomic.Int64 // without an answer, or UNAVAILABLE
	inVain         atomic.Int64 // of those, after which clients had waited for as long as they do
	had            atomic.Int64 // events, by all subscribers

	progress chan struct{} // holds one when any of these numbers has changed
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, waits: callTimeout, cutWithin: 2 * time.Second, silence: readDeadline, progress: make(chan struct{}, 1)}
	for i := range c.subscribers {
		c.subscribers[i] = newSubscriber(i)
	}
	return c
}

// start starts the nodes of the cluster, which end with the test.
func (c *cluster) start(nodes int, database string, settings ...string) {
	c.t.Helper()
	c.t.Cleanup(func() {
		for _, n := range c.nodes {
			n.kill()
		}
	})
	for range nodes {
		node := newProcess(c.t, database, settings...)
		c.nodes = append(c.nodes, node)
		node.start()
	}
}

// oneOf gives a node, or any when it is nil.
func (c *cluster) oneOf(ctx context.Context, node *process) *process {
	if node != nil {
		return node
	}
	return c.balance(ctx)
}

// balance gives a node that is not known to be away, as a balancer does; nil when ctx ends before there is one.
func (c *cluster) balance(ctx context.Context) *process {
	for ctx.Err() == nil {
		node := c.nodes[rand.IntN(len(c.nodes))]
		opened := node.gate.wait()
		if opened == nil {
			return node
		}
		if len(c.nodes) > 1 { // another may be there
			continue
		}
		select {
		case <-opened:
		case <-ctx.Done():
		}
	}
	return nil
}

func (c *cluster) goesOn() {
	select {
	case c.progress <- struct{}{}:
	default:
	}
}

// await waits until something is so, and looks whenever the load has got on.
func (c *cluster) await(what string, so func() bool) {
	c.t.Helper()
	for late := time.After(patience); !so(); {
		select {
		case <-c.progress:
		case <-late:
			c.t.Fatalf("waited in vain for %s: %d invitations and %d acceptances acknowledged, %d without an answer, %d heard of",
				what, c.sent.Load(), c.accepted.Load(), c.failed.Load(), c.had.Load())
		}
	}
}

// during waits until that many more invitations were acknowledged, and events heard of: the load goes on.
func (c *cluster) during(n int64) {
	c.t.Helper()
	sent, had := c.sent.Load()+n, c.had.Load()+n
	c.await("the load to go on", func() bool { return c.sent.Load() >= sent && c.had.Load() >= had })
}

// across waits until that many more events were heard of on another node than the one that wrote them.
func (c *cluster) across(n int64) {
	c.t.Helper()
	want := c.ledger.across.Load() + n
	c.await("news of other nodes", func() bool { return c.ledger.across.Load() >= want })
}

func token(subject string) string {
	signed, err := auth.Sign([]byte(faultSecret), member.Claims{Subject: subject}, "", "", time.Now(), time.Hour)
	if err != nil {
		panic(err)
	}
	return signed
}

func startPostgres(t *testing.T) *pgserver.Server {
	t.Helper()
	pg, err := pgserver.StartDurable(t.Context())
	if errors.Is(err, pgserver.ErrNotInstalled) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pg.Stop)
	db, err := sql.Open("postgres", pg.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE DATABASE faults"); err != nil {
		t.Fatal(err)
	}
	return pg
}

func startCluster(t *testing.T, nodes int, settings ...string) (*cluster, *pgserver.Server) {
	t.Helper()
	pg, c := startPostgres(t), newCluster(t)
	c.start(nodes, pg.URL("faults"), settings...)
	return c, pg
}
