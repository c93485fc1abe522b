package server

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/graphqlhttp"
	"github.com/acquaint/acquaint/internal/graphqlws"
)

// Options are what a Server serves, and how.
type Options struct {
	GraphQL       *handler.Server // without transports; New adds them
	Authenticator *auth.Authenticator
	Origins       []string     // that may call from a browser, besides the server's own; "*" for all
	Pages         http.Handler // everything but the endpoints; nil for none
	Ready         func(context.Context) error
	Limits        Limits // DefaultLimits when zero
	// DrainDelay is how long Shutdown only says that the server is not ready, and otherwise goes on: until a balancer has
	// noticed, and sends nobody here any more.
	DrainDelay time.Duration
	Log        *slog.Logger

	// For those who run it; each may be nil.
	Around       func(http.Handler) http.Handler // is around whatever is served, once a request has its graph.Request
	Limited      func(limit string)              // is told which limit a client ran into
	SocketClosed func(byPeer bool, code int)     // is told how a socket ended
}

// What Options.Limited is told of, beside the limits of package graphqlws.
const (
	LimitMemberRate  = "member_rate"
	LimitAddressRate = "address_rate"
)

// How long a client may take, whatever it sends.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second // of a whole request
	writeTimeout  = 60 * time.Second // of a whole response; a stream of events sets its own
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10                // bytes
	readyTimeout  = 1800 * time.Millisecond // so that the answer is there within 2 s
	keepAlive     = 12 * time.Second        // between the comments of a quiet stream of events; proxies often wait for 30 s
	// DrainTimeout is how long requests in flight may take after no new connection is taken any more.
	DrainTimeout = 10 * time.Second
)

// Server is an HTTP server of the API.
type Server struct {
	options   Options
	http      http.Server
	ws        *graphqlws.Transport
	members   *limiters
	addresses *limiters
	drain     *drain
	draining  atomic.Bool // since the shutdown began
	streams   streams
	drained   chan struct{} // closed when streams of events are to end
	end       func()        // closes it
}

// New makes a Server.
func New(options Options) *Server {
	if options.Limits.Body == 0 {
		options.Limits = DefaultLimits()
	}
	if options.Limited == nil {
		options.Limited = func(string) {}
	}
	rates := options.Limits.Rates
	s := &Server{
		options: options, drain: newDrain(), drained: make(chan struct{}),
		members:   newLimiters(rates.Request, rates.RequestBurst),
		addresses: newLimiters(rates.Address, addressBurst(rates)),
	}
	s.end = sync.OnceFunc(func() { close(s.drained) })
	origins := newOrigins(options.Origins)
	s.ws = graphqlws.New(graphqlws.Options{
		Init: s.initSocket,
		Context: func(r *http.Request) context.Context { // all that operations want of the request
			return graph.WithRequest(context.Background(), graph.RequestOf(r.Context()))
		},
		CheckOrigin:      origins.allows,
		Allow:            s.allow,
		MaxMessage:       options.Limits.SocketMessage,
		MaxConnections:   options.Limits.SocketsPerMember,
		MaxSubscriptions: options.Limits.SubscriptionsPerMember,
		MessageRate:      messageRate(rates),
		MessageBurst:     messageBurst(rates),
		OperationTimeout: options.Limits.RequestTimeout,
		Pump:             graph.WithPump,
		Closing:          options.SocketClosed,
		Limited:          options.Limited,
		Log:              options.Log,
	})
	options.GraphQL.AddTransport(s.ws)
	events := graphqlhttp.EventStream{
		MaxBody: options.Limits.Body, Timeout: options.Limits.RequestTimeout, KeepAlive: keepAlive, Begin: s.beginStream, Log: options.Log,
	}
	options.GraphQL.AddTransport(events)
	options.GraphQL.AddTransport(graphqlhttp.Transport{
		MaxBody: options.Limits.Body, Timeout: options.Limits.RequestTimeout, Events: &events,
	})

	mux := http.NewServeMux()
	mux.Handle("/graphql", origins.cors(s.limitAddress(s.signIn(resuming(compressed(options.GraphQL))))))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", s.ready)
	if options.Pages != nil {
		mux.Handle("/", compressed(options.Pages))
	}
	var handler http.Handler = mux
	if options.Around != nil {
		handler = options.Around(mux)
	}
	s.http = http.Server{
		Handler:           s.named(handler),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout + options.Limits.RequestTimeout, // net/http ends a request's context with it
		WriteTimeout:      writeTimeout + options.Limits.RequestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnState:         s.drain.follow,
		ErrorLog:          slog.NewLogLogger(options.Log.Handler(), slog.LevelDebug),
	}
	return s
}

// allow counts one more request of a viewer, and gives how long to wait instead. The host application, which acts for all
// of its members, is under nobody's rate.
func (s *Server) allow(viewer string) time.Duration {
	if auth.IsServiceKey(viewer) {
		return 0
	}
	wait := s.members.take(viewer, time.Now())
	if wait > 0 {
		s.options.Limited(LimitMemberRate)
	}
	return wait
}

// addressBurst lets an address burst for as long as a member.
func addressBurst(rates Rates) int {
	if rates.Request == 0 {
		return int(math.Ceil(rates.Address))
	}
	return int(math.Ceil(rates.Address * float64(rates.RequestBurst) / rates.Request))
}

// Serve answers on a listener until Shutdown.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(s.drain.listen(l)); !s.draining.Load() || !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Shutdown drains. At once it is no longer ready, and has clients ask over a new connection the next time. After
// DrainDelay it takes no new connection, closes sockets with 1001, ends streams of events and lets the requests in flight
// finish, for at most DrainTimeout.
func (s *Server) Shutdown(ctx context.Context) error {
	s.draining.Store(true)
	select {
	case <-time.After(s.options.DrainDelay):
	case <-ctx.Done():
	}
	s.end()
	ctx, cancel := context.WithTimeout(ctx, DrainTimeout)
	defer cancel()
	err := s.drain.close()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		s.ws.Shutdown(ctx)
	}()
	err = errors.Join(err, s.drain.wait(ctx))
	<-gone
	return errors.Join(err, s.http.Close()) // of those that did not finish
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		plain(w, http.StatusServiceUnavailable, "draining")
		return
	}
	if err := s.askReady(r.Context()); err != nil {
		s.options.Log.WarnContext(r.Context(), "not ready", "error", err)
		plain(w, http.StatusServiceUnavailable, "the database does not answer, or takes no writes")
		return
	}
	plain(w, http.StatusOK, "ok")
}

// Ready reports what /readyz would answer; it takes as long.
func (s *Server) Ready() bool { return !s.draining.Load() && s.askReady(context.Background()) == nil }

func (s *Server) askReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	return s.options.Ready(ctx)
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}

// named gives every request an id, which its errors and log lines bear. While draining it has the client ask elsewhere
// the next time.
func (s *Server) named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() && !graphqlhttp.WantsWebSocket(r) {
			w.Header().Set("Connection", "close")
		}
		request := &graph.Request{ID: rand.Text(), Transport: graph.OverHTTP}
		switch {
		case graphqlhttp.WantsWebSocket(r):
			request.Transport = graph.OverWebSocket
		case graphqlhttp.WantsEventStream(r):
			request.Transport = graph.OverEvents
		}
		w.Header().Set("X-Request-Id", request.ID)
		next.ServeHTTP(w, r.WithContext(graph.WithRequest(r.Context(), request)))
	})
}

// signIn puts the viewer of the bearer token into the request. A socket brings its token later.
func (s *Server) signIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if graphqlhttp.WantsWebSocket(r) {
			next.ServeHTTP(w, r)
			return
		}
		ctx := r.Context()
		viewer, err := s.authenticate(ctx, r.Header.Get("Authorization"))
		switch {
		case errors.Is(err, auth.ErrNoAccess):
			graphqlhttp.Reject(w, r, http.StatusForbidden, graph.CodeForbidden, "This member is suspended.")
			return
		case errors.Is(err, auth.ErrBadToken):
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			graphqlhttp.Reject(w, r, http.StatusUnauthorized, graph.CodeUnauthenticated, "The token is not valid.")
			return
		case err != nil:
			s.options.Log.ErrorContext(ctx, "sign-in failed", "requestId", graph.RequestIDOf(ctx), "error", err)
			graphqlhttp.Reject(w, r, http.StatusServiceUnavailable, graph.CodeUnavailable, "The service is not available just now; try again.")
			return
		case viewer != nil:
			if wait := s.allow(viewer.Key()); wait > 0 {
				tooMany(w, r, wait)
				return
			}
			r = r.WithContext(auth.WithViewer(ctx, viewer))
		}
		next.ServeHTTP(w, r)
	})
}

// authenticate gives the viewer of a token within the time that a request may take.
func (s *Server) authenticate(ctx context.Context, authorization string) (*auth.Viewer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.Limits.RequestTimeout)
	defer cancel()
	return s.options.Authenticator.Authenticate(ctx, authorization)
}

// initSocket lets a socket in by the Authorization in its connection_init payload, the key in any case.
func (s *Server) initSocket(ctx context.Context, payload map[string]any) (graphqlws.Session, error) {
	viewer, err := s.authenticate(ctx, authorizationOf(payload))
	switch {
	case errors.Is(err, auth.ErrBadToken), errors.Is(err, auth.ErrNoAccess), err == nil && viewer == nil:
		return graphqlws.Session{}, graphqlws.ErrForbidden
	case err != nil:
		return graphqlws.Session{}, err
	}
	return graphqlws.Session{
		Context: auth.WithViewer(ctx, viewer), Key: viewer.Key(), Expires: viewer.Expires,
	}, nil
}

// Sockets is how many websockets are open.
func (s *Server) Sockets() int { return s.ws.Connections() }
