// Package schema describes the tables: their columns, their relations and the indexes that their queries need.
//
// It holds no rule of the product and no hook; the rules are in internal/network, internal/notification and
// internal/member. Beside each index stands the query that it serves; internal/store tests on PostgreSQL that the
// planner takes it.
package schema
