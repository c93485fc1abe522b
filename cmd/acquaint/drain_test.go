package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// keepAliveClients is how many clients ask over connections that they keep.
const keepAliveClients = 24

// balanced is clients who ask one node time and again, as a balancer would have it: a connection is kept for as long as the
// node says, and a new one is made only while the node is ready.
type balanced struct {
	t        *testing.T
	node     *process
	out      atomic.Bool  // the balancer has noticed
	answered atomic.Int64 // requests
	cut      atomic.Int64 // requests on new connections, which the kernel had taken and the server had not
	progress chan struct{}
}

// ask asks until the node is out, or no longer takes connections.
func (b *balanced) ask(subject string) {
	for !b.out.Load() {
		conn, err := net.Dial("tcp", b.node.address)
		if err != nil {
			return // the node takes no more
		}
		if !b.keep(conn, subject) {
			return
		}
	}
}

// keep asks over a connection until the node closes it in order; false when it was cut.
func (b *balanced) keep(conn net.Conn, subject string) bool {
	defer conn.Close()
	const query = `{"query":"{ viewer { unreadNotificationCount } }"}`
	reader := bufio.NewReader(conn)
	for asked := 0; ; asked++ {
		_ = conn.SetDeadline(time.Now().Add(patience))
		_, err := fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			b.node.address, token(subject), len(query), query)
		var response *http.Response
		if err == nil {
			response, err = http.ReadResponse(reader, nil)
		}
		var body []byte
		if err == nil {
			body, err = io.ReadAll(response.Body)
		}
		switch {
		case err != nil && asked == 0:
			b.cut.Add(1)
			return false
		case err != nil:
			b.t.Errorf("a request on an established connection, after %d others, got no answer: %v", asked, err)
			return false
		case response.StatusCode != http.StatusOK || !strings.Contains(string(body), `"unreadNotificationCount":0`):
			b.t.Errorf("a request got %d %s", response.StatusCode, body)
			return false
		}
		b.answered.Add(1)
		select {
		case b.progress <- struct{}{}:
		default:
		}
		if response.Close {
			return true
		}
		if rand.IntN(4) == 0 { // not all are busy
			<-time.After(time.Duration(rand.IntN(60)) * time.Millisecond)
		}
	}
}

// A node that is told to end answers all that it was asked: with a delay for the balancer to notice nothing at all is
// refused, and without one nothing that came over an established connection.
func TestDrain(t *testing.T) {
	for _, c := range []struct {
		delay   string
		refuses bool
	}{{"300ms", false}, {"0s", true}} {
		t.Run(c.delay, func(t *testing.T) {
			node := newProcess(t, "sqlite:"+filepath.Join(t.TempDir(), "a.db"), "--drain-delay", c.delay)
			t.Cleanup(node.kill)
			answered, cut := int64(0), int64(0)
			for range 3 * *rounds {
				node.start()
				b := &balanced{t: t, node: node, progress: make(chan struct{}, 1)}
				b.round(!c.refuses)
				answered, cut = answered+b.answered.Load(), cut+b.cut.Load()
			}
			t.Logf("%d requests answered, %d new connections cut", answered, cut)
			if cut > 0 && !c.refuses {
				t.Errorf("%d requests got no answer", cut)
			}
		})
	}
}

// round lets clients ask, and ends the node meanwhile.
func (b *balanced) round(visible bool) {
	b.t.Helper()
	idle, err := net.Dial("tcp", b.node.address) // who connects, and asks only later
	if err != nil {
		b.t.Fatal(err)
	}
	defer idle.Close()
	var asking sync.WaitGroup
	for i := range keepAliveClients {
		asking.Go(func() { b.ask(fmt.Sprint("member", i)) })
	}
	for late := time.After(patience); b.answered.Load() < 10*keepAliveClients; {
		select {
		case <-b.progress:
		case <-late:
			b.t.Fatal("nobody is answered")
		}
	}
	b.node.signal(syscall.SIGTERM)
	if visible { // to connections that are made now
		b.node.until(http.StatusServiceUnavailable)
		b.out.Store(true)
		fmt.Fprintf(idle, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		response, err := http.ReadResponse(bufio.NewReader(idle), nil)
		if err != nil {
			b.t.Fatal(err)
		}
		if response.Body.Close(); response.StatusCode != http.StatusOK || !response.Close {
			b.t.Errorf("while draining healthz says %d, and to close: %v", response.StatusCode, response.Close)
		}
	}
	asking.Wait()
	if err := b.node.command.Wait(); err != nil {
		b.t.Errorf("it ended with %v", err)
	}
}

// locked has the writers of an SQLite database wait until unlock.
func locked(t *testing.T, path string) (unlock func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	unlock = sync.OnceFunc(func() {
		_ = tx.Rollback()
		db.Close()
	})
	t.Cleanup(unlock)
	return unlock
}

// What is in flight when a node is told to end is answered, over HTTP and over a websocket. Then the socket closes with
// 1001, and a stream of events ends in the middle, so that its client comes again. The node ends in order.
func TestInFlight(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	c := newCluster(t)
	c.start(1, "sqlite:"+path)
	node := c.nodes[0]
	var me struct {
		Viewer struct{ Member struct{ ID string } }
	}
	if err := call(t.Context(), node.address, "ada", `{ viewer { member { id } } }`, nil, &me); err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{"ben", "cleo"} { // members already: signing in would wait, too
		if err := call(t.Context(), node.address, subject, `{ viewer { id } }`, nil, &struct{}{}); err != nil {
			t.Fatal(err)
		}
	}
	stream, err := openEvents(t.Context(), node, "ada")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	socket := openSocket(t, node, "cleo")

	unlock := locked(t, path)
	answered := make(chan error, 1)
	variables := map[string]any{"m": me.Viewer.Member.ID}
	go func() {
		answered <- call(t.Context(), node.address, "ben", inviteMutation, variables, &struct{}{})
	}()
	socket.ask(inviteMutation, variables)
	socket.ping() // it has begun by then
	node.signal(syscall.SIGTERM)
	node.said.wait(t, `(shutting down)`)
	rest, err := io.ReadAll(stream) // ends while others are waited for
	if err != nil || strings.Contains(string(rest), "complete") {
		t.Errorf("the stream of events ended with %q, %v", rest, err)
	}
	select {
	case err := <-answered:
		t.Fatalf("the request was not in flight: %v", err)
	default:
	}
	unlock()
	if err := <-answered; err != nil {
		t.Errorf("the request in flight: %v", err)
	}
	if got := socket.next(); !strings.Contains(got, `"invitation":{"id"`) {
		t.Errorf("the mutation in flight on the socket got %s", got)
	}
	if got := socket.next(); !strings.Contains(got, `"complete"`) {
		t.Errorf("then %s", got)
	}
	if _, _, err := socket.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("the socket ended with %v", err)
	}
	if err := node.command.Wait(); err != nil {
		t.Errorf("the node ended with %v", err)
	}
}

// A second signal ends the node at once, whatever it waits for.
func TestSecondSignal(t *testing.T) {
	node := newProcess(t, "sqlite:"+filepath.Join(t.TempDir(), "a.db"), "--drain-delay", "1h")
	t.Cleanup(node.kill)
	node.start()
	node.signal(syscall.SIGTERM)
	node.until(http.StatusServiceUnavailable)
	node.signal(syscall.SIGINT)
	err := node.command.Wait()
	if status, ok := node.command.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Errorf("it ended with %v", err)
	}
}

// openEvents opens a stream of the notifications of a member, which has begun.
func openEvents(ctx context.Context, node *process, subject string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+node.address+"/graphql",
		strings.NewReader(`{"query":"subscription { notificationReceived(after: \"\") { cursor } }"}`))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Authorization", "Bearer "+token(subject))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("%w: %d", errNoAnswer, response.StatusCode)
	}
	return response.Body, nil
}

// asking is a websocket of a member, over which a test asks.
type asking struct {
	*websocket.Conn

	t *testing.T
}

func openSocket(t *testing.T, node *process, subject string) *asking {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: patience}
	conn, response, err := dialer.DialContext(t.Context(), "ws://"+node.address+"/graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	t.Cleanup(func() { conn.Close() })
	a := &asking{conn, t}
	a.send(map[string]any{"type": "connection_init", "payload": map[string]string{"Authorization": "Bearer " + token(subject)}})
	if got := a.next(); !strings.Contains(got, "connection_ack") {
		t.Fatalf("the socket got %s", got)
	}
	return a
}

func (a *asking) send(message any) {
	a.t.Helper()
	if err := a.WriteJSON(message); err != nil {
		a.t.Fatal(err)
	}
}

func (a *asking) ask(query string, variables map[string]any) {
	a.t.Helper()
	a.send(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]any{"query": query, "variables": variables}})
}

func (a *asking) next() string {
	a.t.Helper()
	_ = a.SetReadDeadline(time.Now().Add(patience))
	_, message, err := a.ReadMessage()
	if err != nil {
		a.t.Fatal(err)
	}
	return string(message)
}

func (a *asking) ping() {
	a.t.Helper()
	a.send(map[string]string{"type": "ping"})
	if got := a.next(); !strings.Contains(got, "pong") {
		a.t.Fatalf("the socket got %s", got)
	}
}
