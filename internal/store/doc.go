// Package store keeps what the domains ask to be kept, in PostgreSQL or SQLite, by the same code. It is the only
// importer of ent: neither ent's types nor SQL leave it.
//
// It holds no rule of the product. What it promises is the interfaces of network, notification and member, and:
//   - Writes run one after the other on SQLite, which has one writer, in the order in which they came.
//   - A database that is away or too busy gives refusal.ErrUnavailable, whatever the driver said.
//   - The tables are of exactly this version of the program, or Open fails.
package store
