package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	_ "github.com/lib/pq" // driver

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

// asProgram makes the test's own binary the program, so that its processes can be killed; asNextVersion, that of a version
// to come.
const (
	asProgram     = "ACQUAINT_TEST_AS_PROGRAM"
	asNextVersion = "ACQUAINT_TEST_AS_NEXT_VERSION"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	s := streams{out: os.Stdout, err: os.Stderr}
	if os.Getenv(asNextVersion) != "" {
		s.adjust = func(config *app.Config) { config.Migrations = nextVersion }
	}
	os.Exit(program(s))
}

// rounds is how many times as often as usual each test does its worst, as in go test ./cmd/acquaint -args -rounds 10.
var rounds = flag.Int("rounds", 1, "how many times as often tests of faults do their worst")

const (
	faultSecret = "a secret of the tests of faults, long enough"
	subscribers = 4
	senders     = 6
	// patience is how long a node may take to start, or a subscriber to have had everything.
	patience = 60 * time.Second
)

// process is a node of Acquaint.
type process struct {
	t        *testing.T
	address  string
	database string
	settings []string // flags, besides those of all
	next     bool     // of the version to come
	command  *exec.Cmd
	said     *output     // its log
	out      atomic.Bool // of the balancer, until it is ready
}

func newProcess(t *testing.T, database string, settings ...string) *process {
	t.Helper()
	return &process{t: t, address: freeAddress(t), database: database, settings: settings, said: newOutput()}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts the process, and waits until it answers.
func (p *process) start() {
	p.t.Helper()
	p.launch()
	p.ready()
}

// launch starts the process.
func (p *process) launch() {
	p.t.Helper()
	settings := append([]string{"serve", "--listen", p.address, "--request-rate", "0", "--sockets-per-member", "0", "--log-format", "json"}, p.settings...)
	p.command = exec.Command(os.Args[0], settings...)
	p.command.Env = append(os.Environ(), asProgram+"=1", "ACQUAINT_DATABASE_URL="+p.database, "ACQUAINT_JWT_SECRET="+faultSecret)
	if p.next {
		p.command.Env = append(p.command.Env, asNextVersion+"=1")
	}
	p.command.Stderr = p.said
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.command.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// readyz gives what /readyz says, 0 for nothing, to a connection of its own.
func (p *process) readyz() int {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Get("http://" + p.address + "/readyz")
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// until waits until /readyz says something.
func (p *process) until(status int) {
	p.t.Helper()
	last := 0
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if last = p.readyz(); last == status {
			return
		}
	}
	p.t.Fatalf("%s says %d, and not %d: %s", p.address, last, status, p.said)
}

func (p *process) ready() {
	p.t.Helper()
	p.until(http.StatusOK)
	p.out.Store(false)
}

func (p *process) signal(s syscall.Signal) { _ = p.command.Process.Signal(s) }

// kill ends the process as the kernel would.
func (p *process) kill() {
	if p.command == nil {
		return
	}
	p.signal(syscall.SIGKILL)
	_ = p.command.Wait()
}

// cluster is nodes on one database, with members who invite and members who listen.
type cluster struct {
	t     *testing.T
	nodes []*process
	ids   [subscribers]string // of those who listen

	acknowledged [subscribers]sync.Map // invitation -> struct{}
	sent, failed atomic.Int64
	progress     chan struct{} // holds one when something more was acknowledged, or heard
	made         atomic.Int64  // senders, each of whom invites once

	heard [subscribers][]event // by the listener's goroutine
	had   atomic.Int64         // events, by all of them

	newest [subscribers]atomic.Pointer[string] // the invitation of the latest event
}

// event is a notification as a subscriber had it, or as it is in the inbox.
type event struct {
	Cursor string
	Node   struct {
		Sequence   int64
		Invitation struct{ ID string }
	}
}

func token(subject string) string {
	signed, err := auth.Sign([]byte(faultSecret), member.Claims{Subject: subject}, "", "", time.Now(), time.Hour)
	if err != nil {
		panic(err)
	}
	return signed
}

// any gives the address of a node that is not known to be away, as a balancer does.
func (c *cluster) any() string {
	for {
		if n := c.nodes[rand.IntN(len(c.nodes))]; !n.out.Load() {
			return n.address
		}
	}
}

// invite lets a new member invite one of those who listen, and notes what was acknowledged.
func (c *cluster) invite(ctx context.Context) {
	to := rand.IntN(subscribers)
	var data struct {
		InviteMember struct {
			Invitation *struct{ ID string }
			UserErrors []struct{ Code string }
		}
	}
	err := call(ctx, c.any(), fmt.Sprint("sender", c.made.Add(1)),
		`mutation($m: ID!) { inviteMember(input: {memberId: $m}) { invitation { id } userErrors { code } } }`, map[string]any{"m": c.ids[to]}, &data)
	if err != nil {
		c.failed.Add(1)
		if failed, ok := errors.AsType[*failure](err); ok && failed.code != "UNAVAILABLE" {
			c.t.Errorf("what cannot be done just now is answered with %v", err)
		}
		return
	}
	if len(data.InviteMember.UserErrors) > 0 {
		c.t.Errorf("an invitation was refused: %+v", data.InviteMember.UserErrors)
		return
	}
	c.acknowledged[to].Store(data.InviteMember.Invitation.ID, struct{}{})
	c.sent.Add(1)
	c.goesOn()
}

func (c *cluster) goesOn() {
	select {
	case c.progress <- struct{}{}:
	default:
	}
}

// readDeadline is after how long without a word a subscriber gives its connection up.
const readDeadline = 2 * time.Second

// listen has one of those who listen subscribed for as long as ctx lasts, on one node after the other, each time after
// what it has had last; and loses its connection by itself now and then.
func (c *cluster) listen(ctx context.Context, who int) {
	after := ""
	for ctx.Err() == nil {
		_ = c.subscribe(ctx, who, &after)
	}
}

func (c *cluster) subscribe(ctx context.Context, who int, after *string) error {
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: readDeadline}
	ws, response, err := dialer.DialContext(ctx, "ws://"+c.any()+"/graphql", nil)
	if err != nil {
		return err
	}
	response.Body.Close()
	defer ws.Close()
	stop := context.AfterFunc(ctx, func() { ws.Close() })
	defer stop()
	if rand.IntN(4) == 0 { // a connection that is lost
		lost := time.AfterFunc(time.Duration(rand.IntN(1000))*time.Millisecond, func() { ws.NetConn().Close() })
		defer lost.Stop()
	}
	for _, message := range []any{
		map[string]any{"type": "connection_init", "payload": map[string]string{"Authorization": "Bearer " + token(fmt.Sprint("listener", who))}},
		map[string]any{"type": "subscribe", "id": "1", "payload": map[string]any{
			"query":     `subscription($a: String) { notificationReceived(after: $a) { cursor node { sequence ... on InvitationReceivedNotification { invitation { id } } } } }`,
			"variables": map[string]any{"a": *after},
		}},
	} {
		if err := ws.WriteJSON(message); err != nil {
			return err
		}
	}
	for {
		if err := ws.SetReadDeadline(time.Now().Add(readDeadline)); err != nil {
			return err
		}
		var m struct {
			Type    string
			Payload struct {
				Data   struct{ NotificationReceived event }
				Errors json.RawMessage
			}
		}
		if err := ws.ReadJSON(&m); err != nil {
			return err
		}
		switch m.Type {
		case "ping":
			if err := ws.WriteJSON(map[string]string{"type": "pong"}); err != nil {
				return err
			}
		case "next":
			if m.Payload.Errors != nil {
				return fmt.Errorf("an event failed: %s", m.Payload.Errors)
			}
			e := m.Payload.Data.NotificationReceived
			*after = e.Cursor
			c.heard[who] = append(c.heard[who], e)
			c.newest[who].Store(&e.Node.Invitation.ID)
			c.had.Add(1)
			c.goesOn()
		case "error", "complete":
			return errNoAnswer
		}
	}
}

// inbox reads all that one of those who listen was told, oldest first.
func (c *cluster) inbox(who int) []event {
	c.t.Helper()
	var (
		all   []event
		after *string
	)
	for {
		var data struct {
			Viewer struct {
				Notifications struct {
					PageInfo struct {
						HasNextPage bool
						EndCursor   *string
					}
					Edges []event
				}
			}
		}
		if err := insist(c.t.Context(), c.nodes[0].address, fmt.Sprint("listener", who), `query($a: String) { viewer { notifications(first: 100, after: $a) {
			pageInfo { hasNextPage endCursor } edges { cursor node { sequence ... on InvitationReceivedNotification { invitation { id } } } } } } }`,
			map[string]any{"a": after}, &data); err != nil {
			c.t.Fatal(err)
		}
		all = append(all, data.Viewer.Notifications.Edges...)
		if !data.Viewer.Notifications.PageInfo.HasNextPage {
			slices.Reverse(all)
			return all
		}
		after = data.Viewer.Notifications.PageInfo.EndCursor
	}
}

// during waits until that many more invitations were acknowledged, and heard of: the load goes on.
func (c *cluster) during(n int64) {
	c.t.Helper()
	sent, had, late := c.sent.Load()+n, c.had.Load()+n, time.After(patience)
	for c.sent.Load() < sent || c.had.Load() < had {
		select {
		case <-c.progress:
		case <-late:
			c.t.Fatalf("the load does not go on: %d acknowledged, %d heard of", c.sent.Load(), c.had.Load())
		}
	}
}

// awaitNewest waits until the listeners have had these invitations last, each its own, or have had the time to connect once
// more for it.
func (c *cluster) awaitNewest(invitations []string) {
	late := time.After(2 * readDeadline)
	for who := 0; who < subscribers; {
		if newest := c.newest[who].Load(); newest != nil && *newest == invitations[who] {
			who++
			continue
		}
		select {
		case <-c.progress:
		case <-late:
			return
		}
	}
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

func newCluster(t *testing.T) *cluster {
	t.Helper()
	return &cluster{t: t, progress: make(chan struct{}, 1)}
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
