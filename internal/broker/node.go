package broker

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// node is what all brokers between nodes have in common: who receives here, and what waits to be sent.
type node struct {
	counters

	id     id.UUID
	log    *slog.Logger
	outbox *outbox

	mu        sync.Mutex
	receivers []func(hints ...notification.Hint)
	catchUps  []func()

	connected atomic.Bool

	stop context.CancelFunc
}

func newNode(log *slog.Logger) *node {
	n := &node{log: log, outbox: newOutbox()}
	_, _ = rand.Read(n.id[:]) // never fails
	return n
}

// Publish implements realtime.Broker.
func (n *node) Publish(hints ...notification.Hint) {
	n.deliver(hints)
	n.lost.Add(n.outbox.add(hints))
}

// Subscribe implements realtime.Broker.
func (n *node) Subscribe(receive func(hints ...notification.Hint), catchUp func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.receivers = append(n.receivers, receive)
	n.catchUps = append(n.catchUps, catchUp)
}

// Connected reports whether hints go to and come from other nodes.
func (n *node) Connected() bool { return n.connected.Load() }

func (n *node) deliver(hints []notification.Hint) {
	n.mu.Lock()
	receivers := n.receivers // only ever grows
	n.mu.Unlock()
	for _, receive := range receivers {
		receive(hints...)
	}
}

// catchUp is for when hints may have been lost.
func (n *node) catchUp() {
	n.mu.Lock()
	catchUps := n.catchUps
	n.mu.Unlock()
	for _, catchUp := range catchUps {
		catchUp()
	}
}

// received is a message of some node, perhaps of this one.
func (n *node) received(message []byte) {
	from, hints, err := decode(message)
	if err != nil {
		n.log.Warn("passed over a hint", "error", err)
		return
	}
	if from != n.id {
		n.counters.received.Add(uint64(len(hints)))
		n.deliver(hints)
	}
}

// sendAll sends what waits, message by message, until ctx ends. What cannot be sent is lost.
func (n *node) sendAll(ctx context.Context, limit int, send func(ctx context.Context, message []byte) error) {
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.outbox.ready:
		}
		hints := n.outbox.take(limit)
		if len(hints) == 0 {
			continue
		}
		err := send(ctx, encode(n.id, hints))
		if err == nil {
			n.sent.Add(uint64(len(hints)))
		} else {
			n.lost.Add(uint64(len(hints)))
			n.failures.Add(1)
		}
		if err != nil && ctx.Err() == nil && !failing {
			n.log.WarnContext(ctx, "cannot tell other nodes of news; they will find it by themselves, a little later", "error", err)
		}
		failing = err != nil
	}
}
