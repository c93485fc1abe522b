package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	// linger is how long connections without a request stay open after no new one is taken: a request may be under way on
	// them, or be about to be. It is answered, and the client told to come no more.
	linger = 250 * time.Millisecond
	// lastLook is how long a connection is read from once more before it ends.
	lastLook = 20 * time.Millisecond
)

// drain ends the server's HTTP connections, each when it has answered what it was asked. net/http's own Shutdown closes
// those that wait for a request, and a request that has arrived meanwhile is lost with them.
type drain struct {
	mu       sync.Mutex
	open     map[*connection]struct{}
	listener net.Listener
	ending   bool
	empty    chan struct{} // closed when ending and none is left
}

func newDrain() *drain {
	return &drain{open: make(map[*connection]struct{}), empty: make(chan struct{})}
}

// listen gives the listener for the server to serve.
func (d *drain) listen(l net.Listener) net.Listener {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.listener = l
	return accepting{l, d}
}

// accepting makes connections of what a listener accepts.
type accepting struct {
	net.Listener

	drain *drain
}

// Accept implements net.Listener.
func (a accepting) Accept() (net.Conn, error) {
	accepted, err := a.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &connection{Conn: accepted, waiting: true}
	a.drain.follow(c, http.StateNew) // net/http says so later
	return c, nil
}

// follow implements http.Server.ConnState.
func (d *drain) follow(c net.Conn, state http.ConnState) {
	of, ok := c.(*connection)
	if !ok {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch state {
	case http.StateNew, http.StateIdle:
		d.open[of] = struct{}{}
		of.wait()
		if d.ending {
			of.end()
		}
	case http.StateHijacked, http.StateClosed:
		delete(d.open, of)
		d.look()
	case http.StateActive:
	}
}

// look closes empty when it is; d.mu is held.
func (d *drain) look() {
	if d.ending && len(d.open) == 0 {
		select {
		case <-d.empty:
		default:
			close(d.empty)
		}
	}
}

// close takes no new connection from now on.
func (d *drain) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener == nil {
		return nil
	}
	if err := d.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// wait returns when every connection has ended, or with an error when ctx has.
func (d *drain) wait(ctx context.Context) error {
	if d.waiting() {
		select {
		case <-time.After(linger):
		case <-ctx.Done():
		}
	}
	d.mu.Lock()
	d.ending = true
	for c := range d.open {
		c.end()
	}
	d.look()
	d.mu.Unlock()
	select {
	case <-d.empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// waiting reports whether a connection waits for a request.
func (d *drain) waiting() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.open {
		if c.waits() {
			return true
		}
	}
	return false
}

// connection is an HTTP connection that can be told to end where it would wait for a request.
type connection struct {
	net.Conn

	mu      sync.Mutex
	waiting bool // for a request, of which nothing has come
	ending  bool // is to end, unless something has come after all
}

func (c *connection) wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = true
}

func (c *connection) waits() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting
}

// end has the connection end if it waits for a request.
func (c *connection) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting {
		c.ending = true
		_ = c.SetReadDeadline(time.Unix(1, 0)) // wakes the reader, who looks once more
	}
}

// Read implements net.Conn.
func (c *connection) Read(b []byte) (int, error) {
	if c.isEnding() {
		return c.lookOnce(b)
	}
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	ending := c.ending
	if n > 0 {
		c.came()
	}
	c.mu.Unlock()
	if n == 0 && ending && errors.Is(err, os.ErrDeadlineExceeded) {
		return c.lookOnce(b)
	}
	return n, err
}

// lookOnce reads what has come, and gives the end when nothing has. A read after its deadline would not even look.
func (c *connection) lookOnce(b []byte) (int, error) {
	_ = c.SetReadDeadline(time.Now().Add(lastLook))
	n, err := c.Conn.Read(b)
	if n == 0 {
		return 0, io.EOF
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.came()
	return n, err
}

// came notes that a request has begun to come; c.mu is held. net/http sets the deadlines of a request itself.
func (c *connection) came() {
	c.waiting = false
	if c.ending {
		c.ending = false
		_ = c.SetReadDeadline(time.Now().Add(headerTimeout))
	}
}

func (c *connection) isEnding() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ending
}
