package broker

import (
	"context"
	"database/sql"
	"encoding/base64"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lib/pq"

	"github.com/acquaint/acquaint/internal/postgres"
)

// channel is the channel of NOTIFY.
const channel = "acquaint_hints"

const (
	// notifyMost is how many hints one NOTIFY carries: a payload is shorter than 8,000 bytes.
	notifyMost = 200
	// How long the listener waits before it connects again, the first time and at most.
	reconnectFirst = 100 * time.Millisecond
	reconnectMost  = 5 * time.Second
	// pingEvery is how often the listener's connection is tried when nothing comes over it.
	pingEvery = 15 * time.Second
	// pingTimeout is how long that may take.
	pingTimeout = 5 * time.Second
	// notifyTimeout bounds one NOTIFY.
	notifyTimeout = 5 * time.Second
)

// Postgres is a broker over LISTEN and NOTIFY of the nodes' own database.
type Postgres struct {
	*node

	db       *sql.DB
	listener *pq.Listener
	line     postgres.Line // the listener's
	working  sync.WaitGroup
	closing  atomic.Bool // what the listener loses then is no news
}

// NewPostgres makes a broker over the database at an address. It connects in the background, and again whenever the
// connection is lost. NOTIFY is never part of a transaction that writes: PostgreSQL lets such transactions commit one
// at a time.
func NewPostgres(address string, log *slog.Logger) (*Postgres, error) {
	connector, err := postgres.NewConnector(address)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	p := &Postgres{node: newNode(log), db: db}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.listener = pq.NewDialListener(&p.line, address, reconnectFirst, reconnectMost, p.event)
	p.working.Go(func() { p.listen(ctx) })
	p.working.Go(func() {
		p.sendAll(ctx, notifyMost, func(ctx context.Context, message []byte) error {
			ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
			defer cancel()
			// A text without parameters is one round trip instead of two, and base64 has nothing to escape.
			_, err := db.ExecContext(ctx, "NOTIFY "+channel+", '"+base64.RawStdEncoding.EncodeToString(message)+"'")
			return err
		})
	})
	return p, nil
}

func (p *Postgres) event(kind pq.ListenerEventType, err error) {
	switch kind {
	case pq.ListenerEventConnected:
		p.log.Debug("listening to other nodes")
	case pq.ListenerEventDisconnected:
		p.connected.Store(false)
		if p.closing.Load() {
			return
		}
		p.log.Warn("lost the connection over which other nodes tell of news; connecting again", "error", err)
	case pq.ListenerEventReconnected:
		p.reconnects.Add(1)
		p.log.Info("listening to other nodes again")
	case pq.ListenerEventConnectionAttemptFailed:
		p.log.Debug("cannot listen to other nodes yet", "error", err)
	}
}

// listen receives until ctx ends.
func (p *Postgres) listen(ctx context.Context) {
	listening := make(chan struct{})
	p.working.Go(func() {
		defer close(listening)
		if err := p.listener.Listen(channel); err == nil { // waits for the first connection
			p.connected.Store(true)
			p.catchUp() // hints may have gone by since the hubs began
		}
	})
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case n, open := <-p.listener.Notify:
			switch {
			case !open:
				return
			case n == nil: // connected again
				p.connected.Store(true)
				p.catchUp()
			default:
				if message, err := base64.RawStdEncoding.DecodeString(n.Extra); err == nil {
					p.received(message)
				}
			}
		case <-ping.C:
			select {
			case <-listening:
				p.working.Go(p.ping)
			default:
			}
		}
	}
}

// ping tries the listener's connection: one that is dead, or whose server hangs, is made again.
func (p *Postgres) ping() {
	late := time.AfterFunc(pingTimeout, p.line.Break)
	defer late.Stop()
	_ = p.listener.Ping()
}

// Close implements realtime.Broker.
func (p *Postgres) Close() error {
	p.closing.Store(true)
	p.stop()
	p.line.End() // first: closing a listener waits for a ping that waits for the server
	err := p.listener.Close()
	p.working.Wait()
	if cerr := p.db.Close(); err == nil {
		err = cerr
	}
	return err
}
