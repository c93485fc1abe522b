package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/member"
)

// Clients is many clients of one server.
type Clients struct {
	count, bytes atomic.Int64 // of messages that have come
	target       atomic.Int64 // at which reached is told
	reached      chan struct{}
	failed       chan error
	sample       atomic.Pointer[[]byte] // the last message of the first client
}

// Plan is what clients are to do.
type Plan struct {
	Address string
	Sockets int
	Query   string // the subscription of each; "" for none, and no protocol but websocket's
}

// Arrived is what clients have got.
type Arrived struct {
	Count, Bytes int64
	Sample       string
}

const (
	dialers           = 32 // at once
	dialTimeout       = 30 * time.Second
	tokenTTL          = time.Hour
	clientBuffer      = 1 << 10
	socketsPerAddress = 2000
	// clientGC keeps the clients' collector from taking much of the processors that the server is measured on.
	clientGC = 1000
)

// serveClients is the role of the clients.
func serveClients(context.Context) error {
	debug.SetGCPercent(clientGC)
	return obey("Clients", &Clients{reached: make(chan struct{}, 1), failed: make(chan error, 1)})
}

// Connect opens sockets, and returns when each is ready to be sent to.
func (c *Clients) Connect(plan Plan, _ *struct{}) error {
	next := make(chan int)
	errs := make(chan error, dialers)
	var dialing sync.WaitGroup
	for range dialers {
		dialing.Go(func() {
			for i := range next {
				ws, err := plan.open(i)
				if err != nil {
					errs <- fmt.Errorf("client %d: %w", i, err)
					return
				}
				go c.read(ws, i == 0)
			}
		})
	}
	var err error
	for i := 0; i < plan.Sockets && err == nil; i++ {
		select {
		case next <- i:
		case err = <-errs:
		}
	}
	close(next)
	dialing.Wait()
	if err == nil && len(errs) > 0 {
		err = <-errs
	}
	return err
}

// open opens one socket.
func (p *Plan) open(i int) (*websocket.Conn, error) {
	from := sourceAddress(i)
	dialer := websocket.Dialer{
		NetDialContext: (&net.Dialer{LocalAddr: from}).DialContext, HandshakeTimeout: dialTimeout,
		ReadBufferSize: clientBuffer, WriteBufferSize: clientBuffer,
	}
	path := "/"
	if p.Query != "" {
		dialer.Subprotocols, path = []string{"graphql-transport-ws"}, "/graphql"
	}
	ws, answer, err := dialer.Dial("ws://"+p.Address+path, http.Header{})
	if err != nil {
		return nil, err
	}
	_ = answer.Body.Close()
	if p.Query == "" {
		return ws, nil
	}
	return ws, subscribe(ws, i, p.Query)
}

// sourceAddress spreads clients over the addresses of the loopback network, and those of different processes over
// different ones: an address has too few ports for many sockets, and those of closed sockets are not free at once.
func sourceAddress(i int) *net.TCPAddr {
	const most = 250 // of a part of an address; 0 and 255 may mean something else

	process, part := byte(1+os.Getpid()%most), byte(1+i/socketsPerAddress%most) //nolint:gosec // they fit
	return &net.TCPAddr{IP: net.IPv4(127, process, part, 1)}
}

// subscribe signs a client in and starts its subscription. The answer to the ping says that it has started.
func subscribe(ws *websocket.Conn, i int, query string) error {
	token, err := auth.Sign([]byte(secret), member.Claims{Subject: subject(i)}, "", "", time.Now(), tokenTTL)
	if err != nil {
		return err
	}
	type object = map[string]any
	for _, step := range []struct {
		send   object
		answer string
	}{
		{object{"type": "connection_init", "payload": object{"Authorization": "Bearer " + token}}, "connection_ack"},
		{object{"type": "subscribe", "id": "1", "payload": object{"query": query}}, ""},
		{object{"type": "ping"}, "pong"},
	} {
		if err := ws.WriteJSON(step.send); err != nil {
			return err
		}
		if step.answer == "" {
			continue
		}
		_, raw, err := ws.ReadMessage()
		if err != nil {
			return err
		}
		var got struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal(raw, &got); err != nil || got.Type != step.answer {
			return fmt.Errorf("got %s instead of %s", raw, step.answer)
		}
	}
	return nil
}

// read counts the messages of one socket. It answers pings, too.
func (c *Clients) read(ws *websocket.Conn, sampled bool) {
	for {
		_, message, err := ws.NextReader()
		if err != nil {
			c.fail(err)
			return
		}
		var n int64
		if sampled {
			var kept bytes.Buffer
			n, err = io.Copy(&kept, message)
			b := kept.Bytes()
			c.sample.Store(&b)
		} else {
			n, err = io.Copy(io.Discard, message)
		}
		if err != nil {
			c.fail(err)
			return
		}
		c.bytes.Add(n)
		if c.count.Add(1) == c.target.Load() {
			select {
			case c.reached <- struct{}{}:
			default: // told already
			}
		}
	}
}

// fail notes that a socket ended, which none may; the first is enough.
func (c *Clients) fail(err error) {
	select {
	case c.failed <- err:
	default:
	}
}

// Await returns when as many messages have come in all, since the beginning.
func (c *Clients) Await(count int64, arrived *Arrived) error {
	c.target.Store(count)
	// A message that came before the target was set is seen here; what is in the channel may be of an earlier target.
	for c.count.Load() < count {
		select {
		case <-c.reached:
		case err := <-c.failed:
			return fmt.Errorf("a client lost its socket: %w", err)
		}
	}
	arrived.Count, arrived.Bytes = c.count.Load(), c.bytes.Load()
	if sample := c.sample.Load(); sample != nil {
		arrived.Sample = string(*sample)
	}
	return nil
}
