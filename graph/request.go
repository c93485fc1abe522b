package graph

import "context"

// Transport is how a request came.
type Transport string

// The transports.
const (
	OverHTTP      Transport = "http"
	OverWebSocket Transport = "websocket"
	OverEvents    Transport = "sse"
)

// Request is what is known of a request beside its operation. Over HTTP it is of one operation; over a websocket, of all
// that the socket asks for.
type Request struct {
	ID        string // for the log and for the errors that a client can report
	Transport Transport

	// Of the operation, once it is known. On a socket it stays empty: there are many, and some run at once.
	Operation    string // as in Operation.Field
	Outcome      string
	Subscription bool
}

type requestKey struct{}

// WithRequest says of which request a context is.
func WithRequest(ctx context.Context, request *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, request)
}

// RequestOf gives the request of a context, or nil.
func RequestOf(ctx context.Context) *Request {
	request, _ := ctx.Value(requestKey{}).(*Request)
	return request
}

// RequestIDOf gives the id of the request, or "".
func RequestIDOf(ctx context.Context) string {
	if request := RequestOf(ctx); request != nil {
		return request.ID
	}
	return ""
}
