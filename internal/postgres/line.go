package postgres

import (
	"context"
	"net"
	"time"
)

// Line connects a pq.Listener to its server, and can break that connection. lib/pq itself lets nobody end a Listener that
// waits for a server that hangs.
type Line struct{ dialled }

// Dial implements pq.Dialer.
func (l *Line) Dial(network, address string) (net.Conn, error) {
	return l.DialContext(context.Background(), network, address)
}

// DialTimeout implements pq.Dialer.
func (l *Line) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return l.DialContext(ctx, network, address)
}

// DialContext implements pq.DialerContext.
func (l *Line) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	wire, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.set(wire)
	return wire, nil
}

// Break ends the connection that there is; the Listener makes another.
func (l *Line) Break() {
	if wire := l.last(); wire != nil {
		_ = wire.Close()
	}
}

// End ends the connection that there is, and every other.
func (l *Line) End() { l.end() }
