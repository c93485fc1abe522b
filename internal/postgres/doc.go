// Package postgres connects to PostgreSQL. It is lib/pq, and what that leaves to its users when a server fails:
//
//   - A call ends with its context. lib/pq asks the server to break off what it does, and then waits for its word; a server
//     that hangs, or whose machine is gone, never gives it. Here the connection ends instead, a moment after the context.
//   - Nothing is kept of a server that takes no writes. After a failover connections may still lead to the old primary,
//     which is a standby now, and stay good for ever: the first write that it refuses has all connections made anew.
//   - A server ends a transaction for which nothing comes, and lets go of what it has locked: the node may stand still, or
//     its machine be gone, of which the server hears only when its system gives the connection up, after hours.
package postgres
