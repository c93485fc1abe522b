// Package member owns who the members are: made at their first sign-in from a token's claims, with a handle that is
// theirs alone, and changed by themselves; what they tell of themselves, and who may see it.
//
// Invariants, each a test:
//   - One subject is one member, however many first requests race.
//   - A handle is 3 to 64 of a-z, 0-9, ".", "_" and "-", and unique.
//   - A later token changes the email only; the rest belongs to the member.
//   - What a viewer sees of a member is what See says, on every path.
//   - A change of what members say of themselves is made whole or not at all.
package member
