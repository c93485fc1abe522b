package realtime

import "github.com/acquaint/acquaint/internal/notification"

// Broker carries hints between the nodes that share a database. It may lose, repeat and reorder them; it must not
// block.
type Broker interface {
	// Publish sends hints to the Subscribe of every node, this one included.
	Publish(hints ...notification.Hint)
	// Subscribe adds a receiver of hints; all are added before the first Publish.
	Subscribe(receive func(hints ...notification.Hint))
	// Close ends the broker; nothing is received afterwards.
	Close() error
}

// Local is the broker of a single node.
type Local struct {
	receivers []func(hints ...notification.Hint)
}

// Publish implements Broker.
func (l *Local) Publish(hints ...notification.Hint) {
	for _, receive := range l.receivers {
		receive(hints...)
	}
}

// Subscribe implements Broker.
func (l *Local) Subscribe(receive func(hints ...notification.Hint)) {
	l.receivers = append(l.receivers, receive)
}

// Close implements Broker.
func (l *Local) Close() error { return nil }
