package broker

import "github.com/acquaint/acquaint/internal/notification"

// Local is the broker of a single node.
type Local struct {
	receivers []func(hints ...notification.Hint)
}

// Publish implements realtime.Broker.
func (l *Local) Publish(hints ...notification.Hint) {
	for _, receive := range l.receivers {
		receive(hints...)
	}
}

// Subscribe implements realtime.Broker. A single node has nothing to catch up on.
func (l *Local) Subscribe(receive func(hints ...notification.Hint), _ func()) {
	l.receivers = append(l.receivers, receive)
}

// Connected implements realtime.Broker.
func (*Local) Connected() bool { return true }

// Close implements realtime.Broker.
func (*Local) Close() error { return nil }
