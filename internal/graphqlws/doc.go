// Package graphqlws is the graphql-transport-ws protocol
// (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md) as a gqlgen transport, on gorilla/websocket.
//
//	          upgrade            connection_init, in time and good
//	(none) -----------> waiting ------------------------------------> acknowledged --- subscribe, complete, ping …
//	                       |  4401 subscribe too early                     |  4400 not of the protocol
//	                       |  4403 a bad token   4408 too late             |  4403 the token ended   4409 id in use
//	                       v                                               v  4429 second init       1001 shutdown
//	                    closed <-------------------------------------------+
//
// Invariants, each a test:
//   - A subscription has started before the next message is answered: subscribe is handled where messages are read.
//   - After complete, of either side, nothing of an operation is sent; its id may be used again.
//   - A peer that does not read is gone after the write deadline, with all that it held.
//
// A connection is one goroutine that reads, and one for each running operation, except for subscriptions whose source
// calls for the next response itself (Options.Pump); timers do the rest. Whoever has something to send writes it, under
// the connection's lock.
package graphqlws
