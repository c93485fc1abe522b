// Package realtime brings notifications to whoever listens, by wake and pull.
//
// The table of notifications is the truth; nothing is queued here. A Stream is a cursor over one member's inbox. It
// waits until the hub wakes it, reads what follows its cursor, and moves on. The streams of one member that stand at
// the same place share one read.
//
//	commit --> Waker.Wake(member, number) --> Broker --> every node's Hub --> the member's streams --> pull from Source
//
// Invariants, each a test:
//   - A stream gives every notification committed after its start, or after its cursor, in order and once; but not
//     those held by a pause, unless they were there already when it started.
//   - A wake-up that is lost costs time only: the sweep asks for the last numbers of all listening members.
//   - A stream that is not read holds at most one page; the next read goes on from the table.
//   - A source that fails is asked again; the stream stays.
//
// The package does not know the rules of notifications (internal/notification), nor who may listen.
package realtime
