package broker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// subject is the subject of the hints' messages.
	subject = "acquaint.hints"
	// natsMost is how many hints one message carries, far below the megabyte that a NATS server takes.
	natsMost = 10_000
	// flushTimeout bounds the wait for the server to have what was sent to it.
	flushTimeout = 2 * time.Second
)

// NATS is a broker over core NATS, for when LISTEN and NOTIFY are outgrown.
type NATS struct {
	*node

	conn    *nats.Conn
	working sync.WaitGroup
}

// NewNATS makes a broker over the NATS server or cluster at an address, as in nats://host:4222. It connects in the
// background, and again whenever the connection is lost.
func NewNATS(address string, log *slog.Logger) (*NATS, error) {
	b := &NATS{node: newNode(log)}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	subscribed := make(chan struct{})
	up := func(conn *nats.Conn) {
		b.working.Go(func() {
			<-subscribed
			// Only when the server has the subscription does catching up miss nothing. A server may be slow to say so;
			// when the connection is lost again, this is called again.
			for conn.FlushTimeout(flushTimeout) != nil {
				if !conn.IsConnected() || ctx.Err() != nil {
					return
				}
			}
			b.connected.Store(true)
			b.log.Info("listening to other nodes")
			b.catchUp()
		})
	}
	conn, err := nats.Connect(address,
		nats.Name("acquaint"), nats.NoEcho(), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true),
		nats.ReconnectWait(reconnectFirst), nats.ReconnectBufSize(-1), // what cannot be sent is lost, and not kept
		nats.ConnectHandler(up), nats.ReconnectHandler(func(conn *nats.Conn) {
			b.reconnects.Add(1)
			up(conn)
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			b.connected.Store(false)
			if ctx.Err() == nil {
				b.log.Warn("lost the connection over which other nodes tell of news; connecting again", "error", err)
			}
		}),
	)
	if err != nil {
		stop()
		return nil, err
	}
	b.conn = conn
	_, err = conn.Subscribe(subject, func(m *nats.Msg) { b.received(m.Data) })
	close(subscribed)
	if err != nil {
		conn.Close()
		stop()
		return nil, err
	}
	b.working.Go(func() {
		b.sendAll(ctx, natsMost, func(_ context.Context, message []byte) error { return conn.Publish(subject, message) })
	})
	return b, nil
}

// Close implements realtime.Broker.
func (b *NATS) Close() error {
	b.stop()
	_ = b.conn.FlushTimeout(flushTimeout)
	b.conn.Close()
	b.working.Wait()
	return nil
}
