package graphqlhttp

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Transport answers queries and mutations over HTTP.
type Transport struct {
	MaxBody int64         // bytes; more is 413
	Timeout time.Duration // of one request
	Events  *EventStream  // runs the subscriptions of clients that take events, too; nil for none
}

// Supports takes every request that wants no websocket.
func (t Transport) Supports(r *http.Request) bool { return !WantsWebSocket(r) }

// WantsWebSocket reports whether a request asks to go on as a websocket. Any other upgrade that a client offers, as many
// offer h2c, is passed over (RFC 9110, section 7.8).
func WantsWebSocket(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// Do answers one request.
func (t Transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	mediaType, acceptable := negotiate(strings.Join(r.Header.Values("Accept"), ","))
	w.Header().Add("Vary", "Accept")
	if !acceptable {
		WriteProblem(w, typeJSON, http.StatusNotAcceptable, "BAD_USER_INPUT", "Accept application/graphql-response+json or application/json.")
		return
	}
	params, bad := read(w, r, t.MaxBody)
	if bad != nil {
		WriteProblem(w, mediaType, bad.Status, "BAD_USER_INPUT", bad.Message)
		return
	}
	ctx, cancel := context.WithTimeout(graphql.StartOperationTrace(r.Context()), t.Timeout)
	defer cancel()
	op, errs := exec.CreateOperationContext(ctx, params)
	if errs != nil {
		writeResponse(w, r, mediaType, exec.DispatchError(graphql.WithOperationContext(ctx, op), errs))
		return
	}
	switch {
	case op.Operation.Operation == ast.Subscription && t.Events != nil && takesEventStream(r):
		t.Events.serve(graphql.StartOperationTrace(r.Context()), w, r, exec, op) // without the time limit
		return
	case op.Operation.Operation == ast.Subscription:
		WriteProblem(w, mediaType, http.StatusBadRequest, "BAD_USER_INPUT",
			"A subscription needs a websocket with the subprotocol graphql-transport-ws, or Accept: text/event-stream.")
		return
	case r.Method != http.MethodPost && op.Operation.Operation != ast.Query:
		w.Header().Set("Allow", "POST")
		WriteProblem(w, mediaType, http.StatusMethodNotAllowed, "BAD_USER_INPUT", "Mutations need POST.")
		return
	}
	responses, ctx := exec.DispatchOperation(ctx, op)
	response := responses(ctx)
	if response == nil { // the time was over before anything ran
		write(w, mediaType, http.StatusServiceUnavailable, tookTooLong)
		return
	}
	writeResponse(w, r, mediaType, response)
}

// writeResponse writes what came of a well-formed request.
func writeResponse(w http.ResponseWriter, r *http.Request, mediaType string, response *graphql.Response) {
	status := http.StatusOK
	if mediaType == typeResponse && response.Data == nil {
		status = statusOf(response.Errors)
	}
	body := encoded(response)
	// Chunks are more to write and to read. What is compressed loses it again; of a HEAD nobody knows whether it would be.
	if r.Method != http.MethodHead {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	send(w, mediaType, status, body)
}

// statusOf is the status of a response in which nothing was executed: 400, unless the client is not permitted to ask
// this, or not now (GraphQL over HTTP, "Status Codes"). It is for the newer media type alone; with the older, whatever is
// well-formed is 200.
func statusOf(errs gqlerror.List) int {
	if len(errs) > 0 {
		switch errs[0].Extensions["code"] {
		case "FORBIDDEN":
			return http.StatusForbidden
		case "RATE_LIMITED":
			return http.StatusTooManyRequests
		case "UNAVAILABLE":
			return http.StatusServiceUnavailable
		case "INTERNAL_SERVER_ERROR":
			return http.StatusInternalServerError
		}
	}
	return http.StatusBadRequest
}

// WriteProblem writes an error about the request itself, with nothing executed.
func WriteProblem(w http.ResponseWriter, mediaType string, status int, code, message string) {
	write(w, mediaType, status, &graphql.Response{Errors: gqlerror.List{
		{Message: message, Extensions: map[string]any{"code": code}},
	}})
}

// Reject answers a request that was refused before it came to a transport, in the media type that it accepts.
func Reject(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	mediaType, ok := negotiate(strings.Join(r.Header.Values("Accept"), ","))
	if !ok {
		mediaType = typeJSON
	}
	WriteProblem(w, mediaType, status, code, message)
}

func write(w http.ResponseWriter, mediaType string, status int, response *graphql.Response) {
	send(w, mediaType, status, encoded(response))
}

func encoded(response *graphql.Response) []byte {
	const around = 64 // what is around the data, if nothing failed
	return AppendResponse(make([]byte, 0, len(response.Data)+around), response)
}

func send(w http.ResponseWriter, mediaType string, status int, body []byte) {
	w.Header().Set("Content-Type", mediaType+"; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // JSON, no page; the client is gone if it fails
}
