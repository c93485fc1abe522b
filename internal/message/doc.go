// Package message owns conversations: who may write to whom, sending, and what each of the two has read.
//
// Two members have at most one conversation; its messages are numbered 1, 2, 3 … in it and never change. Who may write
// is MaySend, a pure function of how the two stand to each other:
//
//	connected                                    both may
//	an open invitation (pending, ignored,        its recipient may; its sender once the recipient has written while it
//	declined alike)                              was open
//	else                                         nobody
//	one has blocked the other, or is deleted     nobody, as if the other did not exist
//
// Invariants, each a test:
//   - The numbers of a conversation have no gap, and their order is that of the commits.
//   - A message is there if and only if its recipient's feed has it, once; a notification of it is under the recipient's
//     preference.
//   - Sending never answers an invitation. A message that goes with an answer is written with it or not at all.
//   - The same key of the same sender is one message, however often and at how many places it is sent at once.
//   - Nothing that the sender of an invitation can observe depends on whether it was ignored, flagged or declined: not
//     whether sending succeeds, and not whether the recipient wrote before answering or with the answer.
//   - What was written stays readable to both, unless one has blocked the other; then it is hidden.
package message
