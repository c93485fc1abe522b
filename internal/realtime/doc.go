// Package realtime brings notifications, and the entries of feeds, to whoever listens, by wake and pull.
//
// Both are numbered logs of a member in a table, and a Hub serves one kind of log. The table is the truth; nothing is
// queued here. A stream (Hub.Listen) is a cursor over one member's log. Woken by the hub, it is read for, given what
// follows its cursor, and rests; at rest it has no goroutine.
//
//	commit --> Waker.Wake(member, number) --> Broker --> every node's Hub --> woken streams --> read from Source --> given
//
// A few workers read for woken streams, many in a statement, where those that stand at the same place share what is read,
// and give to those that are quick; hundreds of goroutines give to those that wait for others. Where a node has
// written an entry itself, the entry comes along with the wake-up, and a stream that stands right before it is not read for.
//
// Invariants, each a test:
//   - A stream gives every entry committed after its start, or after its cursor, in order and once; but not those held
//     by a pause, unless they were there already when it started.
//   - A wake-up that is lost costs time only: the sweep asks for the last numbers of all listening members.
//   - A stream whose listener does not take what it is given holds at most one page, and holds up no other; later it goes
//     on from the table.
//   - What was taken back is not delivered any more, except to a listener that is being given it at that moment.
//   - A source or a listener that fails is asked again; the stream stays, and skips nothing.
//
// The package does not know the rules of notifications (internal/notification), nor who may listen.
package realtime
