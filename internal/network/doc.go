// Package network owns invitations, connections and blocks: the state machine, the policies, and the use cases over them.
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
//	(the sender)    [ withdrawn ]  <----  any of the three open states; a block by either side is the same
//	expire (time)   [ expired ]    <----  any of the three open states
//
// Invitations that are pending, ignored or declined are open: to their sender they are all pending, alike in every way
// (Silence). A reminder of an ignored or declined one changes only what its sender sees.
//
// Invariants, each a test:
//   - Between two members there is at most one open invitation, in either direction.
//   - Two members are connected if an invitation of theirs was accepted and the connection not removed; then there is
//     no open invitation between them.
//   - Between two members of whom one has blocked the other there is neither.
//   - A refused action changes nothing. The same answer, withdrawal or block, twice is no error.
//   - Nothing that a sender can observe depends on whether the recipient ignored, flagged or declined.
//   - A member never has more invitations in the window, nor more open ones, than the policy allows.
//   - Concurrent actions end in a state that some order of them would have reached.
//
// How the races are settled: a use case first locks the logs of both members (Tx.Lock), so that all that concerns a pair,
// or one member's limits, happens one after the other. The unique index over open invitations and compare-and-set of
// states hold even where a lock was forgotten; whoever loses does the whole use case again on what is true now.
package network
