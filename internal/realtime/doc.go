// Package realtime brings notifications, and the entries of feeds, to whoever listens, by wake and pull.
//
// Both are numbered logs of a member in a table, and a Hub serves one kind of log. The table is the truth; nothing is
// queued here. A stream (Hub.Listen) is a cursor over one member's log. Woken by the hub, it reads what follows its cursor, delivers it, and rests; at rest it has no goroutine. The
// streams of one member that stand at the same place share one read.
//
//	commit --> Waker.Wake(member, number) --> Broker --> every node's Hub --> the member's streams --> pull from Source
//
// Invariants, each a test:
//   - A stream gives every notification committed after its start, or after its cursor, in order and once; but not
//     those held by a pause, unless they were there already when it started.
//   - A wake-up that is lost costs time only: the sweep asks for the last numbers of all listening members.
//   - A stream whose listener does not take what it is given holds at most one page; later it goes on from the table.
//   - What was taken back is not delivered any more, except to a listener that is being given it at that moment.
//   - A source or a listener that fails is asked again; the stream stays, and skips nothing.
//
// The package does not know the rules of notifications (internal/notification), nor who may listen.
package realtime
