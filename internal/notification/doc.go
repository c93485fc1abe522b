// Package notification decides who is told what, keeps what members chose about it, and serves the inbox.
//
// Three things are kept apart. An Event is a fact of the network (an invitation was sent). A Draft is what Plan makes of
// it: whom it is to tell, and of what. A Notification is a draft that was written into a member's inbox, with the next
// number of that inbox, in the same transaction as the fact.
//
// Invariants, each a test:
//   - A notification is there if and only if its fact is, once.
//   - The numbers of one inbox run 1, 2, 3 … in the order of the commits; one is missing only where what it told of was
//     taken back.
//   - With the in-app channel OFF nothing is written and no number is spent; a change holds from the next event on.
//   - What is written while the member paused is held: unread in the inbox, and not shown by a live subscription.
//
// The package does not know how notifications travel (internal/realtime) or where they lie (internal/store).
package notification
