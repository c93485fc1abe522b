package graphqlws_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/internal/graphqlws"
)

// A subscription that has started just when it was given up ends with an error, and its id is free.
func TestStartPastTheBound(t *testing.T) {
	t.Parallel()
	options, sources := pumping(graphqlws.Options{OperationTimeout: 20 * time.Millisecond, MaxSubscriptions: 1})
	s := start(t, options)
	c := s.enter("ann")
	c.subscribe("1", `subscription { events(name: "late") }`)
	wait(t, sources, "its source")
	if m := c.next(); !strings.Contains(m, `"error"`) || !strings.Contains(m, "UNAVAILABLE") {
		t.Fatalf("got %s", m)
	}
	c.subscribe("1", subscribeEvents)
	wait(t, sources, "another source")
	c.expectQuiet()
}

// Peers that do not read hold up nobody whose access ends.
func TestForbidWaitsForNobody(t *testing.T) {
	t.Parallel()
	options, sources := pumping(graphqlws.Options{WriteTimeout: time.Minute})
	s := start(t, options)
	for range 3 {
		stuck := s.enter("mallory")
		stuck.subscribe("1", subscribeEvents)
		source := wait(t, sources, "its source")
		stuck.expectQuiet()
		many := make([]string, 2000) // 60 MB: past all buffers of TCP
		for i := range many {
			many[i] = strings.Repeat("x", 30_000)
		}
		go source.send(texts(many...))
	}
	victim := s.enter("suspended")
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.transport.Forbid(func(key string) bool { return key == "suspended" })
	}()
	victim.expectClose(4403)
	wait(t, done, "Forbid to return")
}

// slowConn takes the first large write only when it is told to.
type slowConn struct {
	net.Conn

	proceed <-chan struct{}
}

func (c slowConn) Write(b []byte) (int, error) {
	if len(b) > 20_000 {
		<-c.proceed
	}
	return c.Conn.Write(b)
}

type slowListener struct {
	net.Listener

	proceed <-chan struct{}
}

func (l slowListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return slowConn{c, l.proceed}, err
}

// A peer that reads, but slowly, does not stay past the end of its token by what it has yet to take.
func TestSlowReaderDoesNotOutliveItsToken(t *testing.T) {
	t.Parallel()
	options, sources := pumping(graphqlws.Options{})
	ended := make(chan struct{})
	options.Init = func(ctx context.Context, _ map[string]any) (graphqlws.Session, error) {
		expires := time.Now().Add(500 * time.Millisecond)
		time.AfterFunc(time.Until(expires), func() { close(ended) })
		return graphqlws.Session{Context: ctx, Key: "ann", Expires: expires}, nil
	}
	s := startOn(t, options, func(l net.Listener) net.Listener { return slowListener{l, ended} })
	c := s.dial()
	c.init("ann")
	c.expect(`{"type":"connection_ack"}`)
	c.subscribe("1", subscribeEvents)
	source := wait(t, sources, "its source")
	const many = 24 // of one page, each a write of its own
	all := make([]string, many)
	for i := range all {
		all[i] = strings.Repeat("x", 40_000)
	}
	go source.send(texts(all...))
	for n := 0; ; n++ {
		_, err := c.receive()
		if err == nil {
			continue
		}
		if !websocket.IsCloseError(err, 4403) || n == many {
			t.Errorf("after %d of %d events: %v", n, many, err)
		}
		return
	}
}

// A peer that reads nothing does not stay past the end of its token, or of its access, for as long as a write may take.
func TestStuckReaderDoesNotOutliveItsToken(t *testing.T) {
	t.Parallel()
	much := data(strings.Repeat("x", 30_000_000)).Data // past all buffers of TCP
	for what, lasts := range map[string]time.Duration{"token": 300 * time.Millisecond, "access": time.Hour} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for !stuckReaderGoes(t, much, lasts) {
				lasts *= 2 // it was over before anything was written
			}
		})
	}
}

// stuckReaderGoes lets a peer get an event that it does not read, and wants its connection gone soon after its token has
// ended, or after its access when the token lasts long. It is false when the token ended too early.
func stuckReaderGoes(t *testing.T, event []byte, lasts time.Duration) bool {
	t.Helper()
	options, sources := pumping(graphqlws.Options{})
	expires := time.Now().Add(lasts)
	options.Init = func(ctx context.Context, _ map[string]any) (graphqlws.Session, error) {
		return graphqlws.Session{Context: ctx, Key: "mallory", Expires: expires}, nil
	}
	proceed := make(chan struct{})
	s := startOn(t, options, func(l net.Listener) net.Listener { return slowListener{l, proceed} })
	c := s.dial()
	c.init("mallory")
	c.subscribe("1", subscribeEvents)
	select {
	case source := <-sources:
		go source.send(1, func(b []byte, _ int) []byte { return append(b, event...) })
	case <-s.gone:
		return false
	}
	select {
	case proceed <- struct{}{}: // it is being written
	case <-s.gone:
		return false
	}
	if lasts >= time.Hour {
		s.transport.Forbid(func(string) bool { return true })
		expires = time.Now()
	}
	select {
	case <-s.gone:
	case <-time.After(time.Until(expires) + 7*time.Second): // a write may take ten
		t.Error("the connection stays")
	}
	return true
}
