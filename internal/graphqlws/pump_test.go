package graphqlws_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/acquaint/acquaint/internal/graphqlws"
)

// source is one subscription that has its events sent itself.
type source struct {
	ctx  context.Context //nolint:containedctx // of the operation
	step func() error
	send func(n int, data func(b []byte, i int) []byte)
}

// pumping lets every subscription be pumped by the test.
func pumping(options graphqlws.Options) (graphqlws.Options, chan *source) {
	sources := make(chan *source, 100)
	options.Pump = func(ctx context.Context, step func() error, send func(n int, data func(b []byte, i int) []byte)) (context.Context, func() bool) {
		sources <- &source{ctx, step, send}
		return ctx, func() bool { return true }
	}
	return options, sources
}

// texts is the data of events.
func texts(all ...string) (int, func([]byte, int) []byte) {
	return len(all), func(b []byte, i int) []byte { return append(b, data(all[i]).Data...) }
}

// An event in which something was not to be had is not sent, and its source is told to try again; any other is sent as
// it is.
func TestPumpTriesUnavailableAgain(t *testing.T) {
	t.Parallel()
	options, sources := pumping(graphqlws.Options{})
	s := start(t, options)
	c := s.enter("ann")
	c.subscribe("1", subscribeEvents)
	events, source := wait(t, s.streams, "the subscription"), wait(t, sources, "its source")
	step := func(r *graphql.Response) error {
		done := make(chan error)
		go func() { done <- source.step() }()
		give(t, events.events, r)
		return wait(t, done, "the step")
	}
	away := &gqlerror.Error{Message: "away", Extensions: map[string]any{"code": "UNAVAILABLE"}}
	if step(&graphql.Response{Data: data("a").Data, Errors: gqlerror.List{away}}) == nil {
		t.Error("an event that is not to be had was taken for sent")
	}
	c.expectQuiet()
	if err := step(data("a")); err != nil {
		t.Error(err)
	}
	c.expectEvent("1", "a")
	fault := &gqlerror.Error{Message: "broken", Extensions: map[string]any{"code": "INTERNAL_SERVER_ERROR"}}
	if err := step(&graphql.Response{Data: data("b").Data, Errors: gqlerror.List{fault}}); err != nil {
		t.Error(err)
	}
	if got := c.next(); !strings.Contains(got, `"broken"`) {
		t.Errorf("got %s", got)
	}
}

// counted counts what a server writes to its connections.
type counted struct {
	net.Listener

	writes *atomic.Int64
}

func (l counted) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return countedConn{conn, l.writes}, err
}

type countedConn struct {
	net.Conn

	writes *atomic.Int64
}

func (c countedConn) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

// Many events are one write, up to a bound; they come whole and in order.
func TestEventsAreWrittenTogether(t *testing.T) {
	t.Parallel()
	options, sources := pumping(graphqlws.Options{})
	writes := &atomic.Int64{}
	s := startOn(t, options, func(l net.Listener) net.Listener { return counted{l, writes} })
	c := s.enter("ann")
	c.subscribe("1", subscribeEvents)
	source := wait(t, sources, "its source")
	c.expectQuiet()
	before := writes.Load()
	var all []string
	for i := range 20 {
		all = append(all, fmt.Sprint(i))
	}
	source.send(texts(all...))
	for _, text := range all {
		c.expectEvent("1", text)
	}
	if got := writes.Load() - before; got != 1 {
		t.Errorf("20 small events took %d writes", got)
	}

	// What is long is not put together without end.
	before = writes.Load()
	long := strings.Repeat("x", 20_000)
	source.send(texts(long, long, long, long, long))
	for range 5 {
		c.expectEvent("1", long)
	}
	if got := writes.Load() - before; got != 3 {
		t.Errorf("five of 20 kB took %d writes", got)
	}
}

// Every length of a payload has its frame.
func TestLengths(t *testing.T) {
	t.Parallel()
	options, sources := pumping(graphqlws.Options{})
	s := start(t, options)
	c := s.enter("ann")
	c.subscribe("1", subscribeEvents)
	source := wait(t, sources, "its source")
	const around = len(`{"id":"1","type":"next","payload":{"data":{"events":""}}}`)
	for _, length := range []int{around, 124, 125, 126, 127, 65534, 65535, 65536, 65537, 200_000} {
		one, two := strings.Repeat("a", length-around), strings.Repeat("b", length-around)
		source.send(texts(one, "between", two))
		c.expectEvent("1", one)
		c.expectEvent("1", "between")
		c.expectEvent("1", two)
	}
}

// Nothing of an operation is sent after its end, whatever its source does, and nothing of it for its successor.
func TestPumpAfterComplete(t *testing.T) {
	t.Parallel()
	options, sources := pumping(graphqlws.Options{})
	s := start(t, options)
	c := s.enter("ann")
	c.subscribe("1", subscribeEvents)
	first := wait(t, sources, "the first source")
	c.complete("1")
	c.subscribe("1", subscribeEvents)
	second := wait(t, sources, "the second source")
	if first.ctx.Err() == nil {
		t.Error("the context of the first goes on")
	}
	first.send(texts("late", "later"))
	second.send(texts("new"))
	c.expectEvent("1", "new")
	c.expectQuiet()
}

// A connection has not ended while a step of it runs.
func TestClosedAfterTheLastStep(t *testing.T) {
	t.Parallel()
	options, sources := pumping(graphqlws.Options{})
	s := start(t, options)
	c := s.enter("ann")
	c.subscribe("1", `subscription { stubborn }`)
	st, source := wait(t, s.streams, "the subscription"), wait(t, sources, "its source")
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = source.step()
	}()
	wait(t, st.asked, "the step")
	_ = c.NetConn().Close()
	wait(t, st.ctx.Done(), "the end of the operation")
	select {
	case <-s.gone:
		t.Error("the connection ended before its step")
	case <-time.After(50 * time.Millisecond):
	}
	give(t, st.events, data("late"))
	wait(t, done, "the end of the step")
	wait(t, s.gone, "the end of the connection")
	if err := source.step(); err != nil { // nothing to do any more
		t.Error(err)
	}
}

// A panic in what makes an event ends its connection, and no other.
func TestPanicWhileEventsAreMade(t *testing.T) {
	t.Parallel()
	options, sources := pumping(graphqlws.Options{})
	s := start(t, options)
	c, other := s.enter("ann"), s.enter("ben")
	c.subscribe("1", subscribeEvents)
	wait(t, sources, "its source").send(1, func([]byte, int) []byte { panic("on purpose") })
	c.expectClose(1013)
	wait(t, s.gone, "the end of the connection")
	other.expectQuiet()
}

// A websocket's own pings are messages to the limit: else they would be a way around it.
func TestRateOfPings(t *testing.T) {
	t.Parallel()
	for what, kind := range map[string]int{"pings": websocket.PingMessage, "pongs": websocket.PongMessage} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := start(t, graphqlws.Options{MessageRate: 0.001, MessageBurst: 5})
			c := s.enter("ann") // one
			for i := range 5 {
				if err := c.WriteControl(kind, []byte{'a' + byte(i)}, time.Now().Add(patience)); err != nil {
					t.Fatal(err)
				}
			}
			c.expectClose(4429)
		})
	}
}

// A ping is answered with what it carries.
func TestPingOfTheWebsocket(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	pongs := make(chan string, 10)
	c.SetPongHandler(func(payload string) error { pongs <- payload; return nil })
	if err := c.WriteControl(websocket.PingMessage, []byte("hello"), time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	c.expectQuiet()
	if got := wait(t, pongs, "the pong"); got != "hello" {
		t.Errorf("got %q", got)
	}
}

// A request to upgrade that is no GET is told so as any other wrong method.
func TestUpgradeOfPost(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http"+strings.TrimPrefix(s.url, "ws"), strings.NewReader(`{"query":"{ hello }"}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Connection": "Upgrade", "Upgrade": "websocket",
		"Sec-Websocket-Version": "13", "Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET" ||
		!strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		t.Errorf("got %s, %v", response.Status, response.Header)
	}
}
