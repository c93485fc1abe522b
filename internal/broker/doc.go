// Package broker carries hints between the nodes that share a database: who has news, and up to which number.
//
//	Publish --> this node's hubs, at once
//	        \-> outbox --> one sender --> LISTEN/NOTIFY or NATS --> the other nodes' hubs
//
// Hints of the same log are merged while they wait: only the greatest number counts. The sender sends what there is as
// soon as the one before is through, so an idle node sends at once and a busy one many in a message.
//
// Invariants, each a test that every broker passes:
//   - What a node publishes comes to every other node once, and to itself without going anywhere.
//   - Publish never waits: neither for the network nor for other nodes.
//   - While the network is away hints are lost, not kept: what they told of is in the tables. When it is back, every node
//     is told to catch up.
//
// What a lost hint costs is the hubs' matter (realtime, the sweep).
package broker
