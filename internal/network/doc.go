// Package network owns invitations and connections: the state machine, the policies, and the use cases over them.
//
//	                    remind                  ACCEPT, or crossing
//	                   +-----+        +----------------------------------------+
//	        invite     |     v        |                                        v
//	(none) ---------> [ pending ] ----+------------------------------->  [ accepted ]
//	                   |  |  |        IGNORE, DONT_KNOW                        ^
//	                   |  |  +---------------------> [ ignored ] --------------+
//	                   |  |  DECLINE                  |   |                    ^
//	                   |  +------------> [ declined ]<+   |     crossing only  |
//	                   |                   |  |  DECLINE  |                    |
//	                   |                   |  +-----------|--------------------+
//	        withdraw   v                   v              v
//	(the sender)    [ withdrawn ]  <----  any of the three open states
//	expire (time)   [ expired ]    <----  any of the three open states
//
// Invitations that are pending, ignored or declined are open: to their sender they are all pending, alike in every way
// (Silence). Reminders and the sweep that expires are not built yet; the state is.
//
// Invariants, each a test:
//   - Between two members there is at most one open invitation, in either direction.
//   - Two members are connected if an invitation of theirs was accepted and the connection not removed; then there is
//     no open invitation between them.
//   - A refused action changes nothing. The same answer, or withdrawal, twice is no error.
//   - Nothing that a sender can observe depends on whether the recipient ignored, flagged or declined.
//   - Concurrent actions end in a state that some order of them would have reached.
//
// How the races are settled: an invitation is inserted first and judged after (Service.Invite), so that the unique index
// over open invitations serialises everything that concerns the pair; changes of a state are compare-and-set; whoever
// loses does the whole use case again on what is true now.
package network
