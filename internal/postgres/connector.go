package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

const (
	// grace is what a call has after its context to tell the server to break off, and hear that it did.
	grace = 100 * time.Millisecond
	// longest bounds a call whose context has no end.
	longest = 30 * time.Second
	// cancelTimeout bounds the connection over which a server is told to break off: lib/pq waits for it.
	cancelTimeout = 400 * time.Millisecond
	// closeTimeout bounds the closing of a prepared statement.
	closeTimeout = 400 * time.Millisecond
	// dialTimeout bounds the making of a connection to where nobody is.
	dialTimeout = 5 * time.Second
	// idleMost is after how long the server ends a transaction for which nothing comes: its node stands still, or its machine
	// is gone, and meanwhile all rows that it has locked are.
	idleMost = 10 * time.Second
	// renewMost is how often at most all connections are made anew: while there is no server but one that takes no
	// writes, each write would ask for it.
	renewMost = time.Second
)

// Connector makes connections for a pool. It is a driver.Connector.
type Connector struct {
	inner      *pq.Connector
	bounds     bool         // the address does not say how long a transaction may be idle
	generation atomic.Int64 // connections of an earlier one are thrown away

	mu      sync.Mutex
	renewed time.Time
}

// NewConnector makes a connector for an address, as in postgres://user@host/database.
func NewConnector(address string) (*Connector, error) {
	inner, err := pq.NewConnector(address)
	if err != nil {
		return nil, err
	}
	inner.Dialer(toServer{})
	return &Connector{inner: inner, bounds: !strings.Contains(address, idleSetting)}, nil
}

// Driver implements driver.Connector.
func (c *Connector) Driver() driver.Driver { return c.inner.Driver() }

// Connect implements driver.Connector. Unlike lib/pq it ends with ctx even where a server takes the connection and then
// says nothing.
func (c *Connector) Connect(ctx context.Context) (driver.Conn, error) {
	generation := c.generation.Load() // before the server is chosen
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	made := &dialled{}
	stop := context.AfterFunc(ctx, made.end)
	opened, err := c.open(context.WithValue(ctx, dialledKey{}, made))
	ended := !stop()
	switch {
	case err != nil && ended:
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, ctx.Err())
	case err != nil && isStandby(err):
		return nil, fmt.Errorf("%w: %w: %w", ErrUnreachable, ErrReadOnly, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	case ended:
		_ = opened.Close()
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, ctx.Err())
	}
	full, ok := opened.(pqConn)
	if !ok {
		_ = opened.Close()
		return nil, errors.New("lib/pq's connections are not what they were")
	}
	return &conn{pqConn: full, connector: c, wire: made.last(), generation: generation}, nil
}

// idleSetting is the setting of PostgreSQL that idleMost is for.
const idleSetting = "idle_in_transaction_session_timeout"

// open makes a connection. How long its transactions may be idle is no part of the startup message, as poolers refuse what
// they do not know there.
func (c *Connector) open(ctx context.Context) (driver.Conn, error) {
	opened, err := c.inner.Connect(ctx)
	if err != nil || !c.bounds {
		return opened, err
	}
	if full, ok := opened.(pqConn); ok {
		if _, err := full.ExecContext(ctx, fmt.Sprintf("SET %s = %d", idleSetting, idleMost.Milliseconds()), nil); err != nil {
			_ = opened.Close()
			return nil, err
		}
	}
	return opened, nil
}

// isStandby reports whether no server was found that takes writes, where the address asks for one. lib/pq has no name for
// that error.
func isStandby(err error) bool {
	said := err.Error()
	return strings.Contains(said, "session is read-only") || strings.Contains(said, "server is in hot standby mode")
}

// Renew has every connection that there is now made anew before it is next used.
func (c *Connector) Renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.renewed) >= renewMost {
		c.renewed = now
		c.generation.Add(1)
	}
}

// dialled is the connection to the server that is being made.
type dialled struct {
	mu    sync.Mutex
	wire  net.Conn // the latest, of several hosts
	ended bool
}

type dialledKey struct{}

func (d *dialled) set(wire net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wire = wire
	if d.ended {
		_ = wire.Close()
	}
}

func (d *dialled) last() net.Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.wire
}

func (d *dialled) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	if d.wire != nil {
		_ = d.wire.Close()
	}
}

// toServer is how lib/pq connects. It notices within a minute when the machine at the other end is gone.
type toServer struct{}

var dialer = net.Dialer{Timeout: dialTimeout, KeepAliveConfig: net.KeepAliveConfig{
	Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 4,
}}

// Dial implements pq.Dialer.
func (d toServer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialTimeout implements pq.Dialer.
func (d toServer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// DialContext implements pq.DialerContext.
func (toServer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	wire, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	made, ok := ctx.Value(dialledKey{}).(*dialled)
	if !ok {
		_ = wire.SetDeadline(time.Now().Add(cancelTimeout))
		return cancelling{wire}, nil
	}
	made.set(wire)
	return wire, nil
}

// cancelling is a connection over which lib/pq tells a server to break off. Who called waits for the end of it.
type cancelling struct{ net.Conn }

// SetDeadline implements net.Conn, and is called once, at the beginning.
func (c cancelling) SetDeadline(time.Time) error {
	return c.Conn.SetDeadline(time.Now().Add(cancelTimeout))
}
