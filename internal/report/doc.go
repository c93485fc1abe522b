// Package report owns what members tell the operators of other members' conduct.
//
// Invariants, each a test:
//   - A report changes nothing that anybody but the operators can see: to the reported it never happened.
//   - Whoever the reporter may not know of cannot be reported, and is told apart from nobody.
//   - The same report again, while it is open, is the same report.
package report
