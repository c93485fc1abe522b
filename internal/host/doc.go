// Package host owns what the host application does to members of its own accord: it has them erased, and publishes
// notifications to them.
//
// Invariants, each a test:
//   - A publication is made once, however often and at once it is asked for, and every asking gets the same answer.
//   - What is published passes the same preferences as any other notification, and no block.
//   - From the beginning of an erasure on the member has no access, and their subject signs in as somebody new.
//   - An erasure that was interrupted is finished by whoever comes next, and nothing of it happens twice.
//   - After it nothing personal is left: what others have of the member, messages above all, is a placeholder's.
//   - An erasure tells nobody what they must not learn: whoever had an invitation open with the member learns that it is
//     closed, whatever had become of it.
package host
