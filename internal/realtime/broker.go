package realtime

import "github.com/acquaint/acquaint/internal/notification"

// Broker carries hints between the nodes that share a database. It may lose, repeat and reorder them; it must not
// block. Package broker has some.
type Broker interface {
	// Publish sends hints to the receivers of every node, this one included.
	Publish(hints ...notification.Hint)
	// Subscribe adds a receiver of hints, and what to call when hints may have been lost; all are added before the first
	// Publish.
	Subscribe(receive func(hints ...notification.Hint), catchUp func())
	// Connected reports whether hints pass between this node and others.
	Connected() bool
	// Close ends the broker; nothing is received afterwards.
	Close() error
}
