package server

import (
	"context"
	"net/http"

	"github.com/klauspost/compress/gzhttp"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/graphqlhttp"
)

// beginStream starts an operation over server-sent events: subscriptions count against the member's limit and end with
// the token or the server, as those of a socket do.
func (s *Server) beginStream(ctx context.Context, kind ast.Operation) (graphqlhttp.Stream, string) {
	if request := graph.RequestOf(ctx); request != nil { // it may have been asked for behind JSON
		request.Transport = graph.OverEvents
	}
	viewer := auth.ViewerOf(ctx)
	if kind != ast.Subscription || viewer == nil { // without a viewer it is refused where operations are run
		return graphqlhttp.Stream{Context: ctx, End: func() {}, EventID: func() string { return "" }}, ""
	}
	release, ok := s.ws.AcquireSubscription(viewer.Key())
	if !ok {
		return graphqlhttp.Stream{}, "Too many subscriptions."
	}
	ctx, cancel := context.WithDeadline(ctx, viewer.Expires)
	forget := s.streams.add(viewer.Key(), cancel)
	ctx, eventID := graph.WithEventIDs(ctx)
	go func() {
		select {
		case <-s.drained:
			cancel()
		case <-ctx.Done():
		}
	}()
	return graphqlhttp.Stream{Context: ctx, End: func() { cancel(); forget(); release() }, EventID: eventID}, ""
}

// resuming puts the Last-Event-ID of a reconnecting EventSource where notificationReceived takes it for its after.
func resuming(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if last := r.Header.Get("Last-Event-Id"); last != "" && !graphqlhttp.WantsWebSocket(r) {
			r = r.WithContext(graph.WithLastEventID(r.Context(), last))
		}
		next.ServeHTTP(w, r)
	})
}

// compressMin is the least size of an answer that is worth compressing, in bytes.
const compressMin = 1024

// compressed compresses answers where the client takes it. Sockets and streams of events stay as they are.
func compressed(next http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(compressMin), gzhttp.EnableZstd(false), gzhttp.ContentTypeFilter(gzhttp.CompressAllContentTypeFilter))
	if err != nil {
		panic(err) // the options above are valid
	}
	zipped := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if graphqlhttp.WantsWebSocket(r) || graphqlhttp.WantsEventStream(r) {
			next.ServeHTTP(w, r)
			return
		}
		zipped.ServeHTTP(w, r)
	})
}
