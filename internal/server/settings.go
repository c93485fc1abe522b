package server

import "time"

// Limits are what one client may make the server hold and do.
type Limits struct {
	Body                   int64         // bytes of a request
	RequestTimeout         time.Duration // of a query or mutation
	SocketMessage          int64         // bytes of a websocket message
	SocketsPerMember       int           // on this node; 0 for no limit
	SubscriptionsPerMember int           // on this node; 0 for no limit
	Rates                  Rates
}

// DefaultLimits are the limits where the operator sets none.
func DefaultLimits() Limits {
	return Limits{
		Body: 1 << 20, RequestTimeout: 10 * time.Second, SocketMessage: 64 << 10,
		SocketsPerMember: 10, SubscriptionsPerMember: 20,
		Rates: Rates{Request: 50, RequestBurst: 300},
	}
}
