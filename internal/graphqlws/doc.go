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
//   - A peer that does not read is gone after the write deadline, with all that it held; when its token or its access
//     ends, a second later.
//   - After a close frame, whoever sent it, nothing is written.
//   - Whatever a client sends counts against the message rate, the websocket's own pings and pongs too. The fragments of a
//     message do not, but what they take beside its text is bounded (4429), and pings between them are no sign of life.
//
// A connection is one goroutine that reads, one timer, and a goroutine for each running operation, except for
// subscriptions whose source has its events sent itself (Options.Pump). Whoever has something to send writes it, under
// the connection's lock: text, pings and pongs below gorilla, many frames at once (wire), close frames by gorilla.
package graphqlws
