package broker

import "sync/atomic"

// Stats is what a broker has done since it started, for those who run it.
type Stats struct {
	Sent, Received uint64 // hints, to and from other nodes; several of one log may go as one
	Lost           uint64 // hints that could not be sent, or for which there was no room
	Failures       uint64 // messages that could not be sent
	Reconnects     uint64
}

// counters count what Stats tells.
type counters struct{ sent, received, lost, failures, reconnects atomic.Uint64 }

// Stats gives a snapshot.
func (c *counters) Stats() Stats {
	return Stats{
		Sent: c.sent.Load(), Received: c.received.Load(), Lost: c.lost.Load(),
		Failures: c.failures.Load(), Reconnects: c.reconnects.Load(),
	}
}

// Stats is of nothing, as there is no other node.
func (*Local) Stats() Stats { return Stats{} }
