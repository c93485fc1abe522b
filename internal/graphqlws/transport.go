package graphqlws

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"github.com/acquaint/acquaint/internal/graphqlhttp"
)

const subprotocol = "graphql-transport-ws"

// The frames that every connection gets the same, made once.
var (
	ack  = frame(websocket.TextMessage, `{"type":"`+typeAck+`"}`)
	pong = frame(websocket.TextMessage, `{"type":"`+typePong+`"}`)
	ping = frame(websocket.PingMessage, "")
)

// Close codes of the protocol, and of websockets in general (RFC 6455, section 7.4.1).
const (
	closeGoingAway       = websocket.CloseGoingAway
	closeTryAgain        = websocket.CloseTryAgainLater
	closeBadRequest      = 4400
	closeUnauthorized    = 4401
	closeForbidden       = 4403
	closeNoSubprotocol   = 4406
	closeInitTimeout     = 4408
	closeDuplicate       = 4409
	closeTooManyRequests = 4429
)

// ErrForbidden is what Options.Init gives for a client that may not connect.
var ErrForbidden = errors.New("forbidden")

// Session is who a connection belongs to.
type Session struct {
	Context context.Context //nolint:containedctx // what its operations run in: the one given to Init, or a child of it
	Key     string          // whose limits it counts against
	Expires time.Time       // when it closes with 4403
}

// Options are the settings of the transport. A zero duration or number takes the default; a zero limit is none.
type Options struct {
	// Init lets a client in by its connection_init payload, or gives ErrForbidden.
	Init func(ctx context.Context, payload map[string]any) (Session, error)
	// Context gives what Init and, by it, operations run in, of the request that was upgraded. A connection keeps it, so it
	// should hold no more of the request than they want: the request's own context holds much of net/http's. nil takes
	// that, without its end.
	Context func(*http.Request) context.Context
	// CheckOrigin tells whether a page of the request's origin may connect.
	CheckOrigin func(*http.Request) bool
	// Pump gives the context to start a subscription in, whose source will have its events sent itself; used reports,
	// when it has started, whether it will. Then no goroutine waits for it. nil is for sources that cannot.
	//
	// The source calls step whenever its next response is ready: it is asked for, and sent. When step fails nothing was
	// sent, and it is to be tried again. Or it calls send with some responses that it has made itself, without errors:
	// data appends the data of each. It is called before send returns.
	Pump func(ctx context.Context, step func() error, send func(n int, data func(b []byte, i int) []byte)) (
		pumped context.Context, used func() bool)
	// Allow counts one more operation of a Session.Key, and gives how long to wait instead; nil allows all.
	Allow            func(key string) time.Duration
	InitTimeout      time.Duration
	WriteTimeout     time.Duration // for a peer to take a message
	PingInterval     time.Duration // between the websocket pings that tell a living peer from a dead one
	OperationTimeout time.Duration // of a query or mutation
	MaxMessage       int64         // bytes
	MaxOperations    int           // running at once on one connection
	MaxConnections   int           // of one Session.Key
	MaxSubscriptions int           // of one Session.Key
	MessageRate      float64       // messages a second on one connection
	MessageBurst     int           // at once
	Closed           func()        // called when a connection has ended and nothing of it is left; may be nil
	// Closing is told how a connection ends: by whom, and with which code; one that was lost is closed by the peer with
	// 1006 (RFC 6455, section 7.4.1). nil for nobody.
	Closing func(byPeer bool, code int)
	// Limited is told which limit a client ran into, one of the Limit constants; nil for nobody.
	Limited func(limit string)
	Log     *slog.Logger
}

// What Options.Limited is told of.
const (
	LimitMessageSize   = "message_size"
	LimitMessageRate   = "message_rate"
	LimitFragments     = "fragments"
	LimitConnections   = "sockets"
	LimitOperations    = "socket_operations"
	LimitSubscriptions = "subscriptions"
)

const (
	defaultInitTimeout      = 10 * time.Second
	defaultWriteTimeout     = 10 * time.Second
	defaultPingInterval     = 25 * time.Second
	defaultOperationTimeout = 10 * time.Second
	defaultMaxMessage       = 64 << 10
	defaultMaxOperations    = 100
	closeGrace              = 3 * time.Second // for a peer to answer our closing
	lastWrite               = time.Second     // for a peer to take what is being written when the connection is to end
	// How many connections a shutdown closes at once, how long it waits before more, and how long that takes at most.
	closeTogether    = 100
	closePause       = 20 * time.Millisecond
	closeWithin      = 3 * time.Second
	handshakeTimeout = 10 * time.Second
	// readBuffer is what an idle connection holds; a longer message takes several reads. Those for writing are shared.
	readBuffer = 128 // bytes
)

// Transport serves graphql-transport-ws.
type Transport struct {
	options  Options
	upgrader websocket.Upgrader

	mu          sync.Mutex
	connections map[*connection]struct{}
	uses        map[string]*use
	closing     bool
	empty       chan struct{} // closed when shut down and no connection is left
}

// use is what one Session.Key has open.
type use struct{ connections, subscriptions int }

// New makes a transport.
func New(options Options) *Transport {
	setDefault(&options.InitTimeout, defaultInitTimeout)
	setDefault(&options.WriteTimeout, defaultWriteTimeout)
	setDefault(&options.PingInterval, defaultPingInterval)
	setDefault(&options.OperationTimeout, defaultOperationTimeout)
	setDefault(&options.MaxMessage, defaultMaxMessage)
	setDefault(&options.MaxOperations, defaultMaxOperations)
	if options.Context == nil {
		options.Context = func(r *http.Request) context.Context { return context.WithoutCancel(r.Context()) }
	}
	if options.Closed == nil {
		options.Closed = func() {}
	}
	if options.Closing == nil {
		options.Closing = func(bool, int) {}
	}
	if options.Limited == nil {
		options.Limited = func(string) {}
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	return &Transport{
		options: options,
		upgrader: websocket.Upgrader{
			HandshakeTimeout: handshakeTimeout,
			Subprotocols:     []string{subprotocol},
			CheckOrigin:      options.CheckOrigin,
			ReadBufferSize:   readBuffer,
			WriteBufferPool:  &sync.Pool{}, // for nobody: without it each connection would keep a buffer of net/http
			Error:            refuseUpgrade,
		},
		connections: make(map[*connection]struct{}),
		uses:        make(map[string]*use),
		empty:       make(chan struct{}),
	}
}

func setDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// Supports takes requests to upgrade to a websocket.
func (t *Transport) Supports(r *http.Request) bool {
	return graphqlhttp.WantsWebSocket(r)
}

// Do upgrades the request, and serves the connection on a goroutine of its own: that of the request, with all that it
// holds, ends.
func (t *Transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	ws, err := t.upgrader.Upgrade(wired{w}, r, nil)
	if err != nil {
		return // answered already
	}
	c := &connection{transport: t, ws: ws, wire: ws.NetConn().(*wire), exec: exec} //nolint:forcetypeassert // see above
	c.ctx, c.cancel = context.WithCancel(t.options.Context(r))
	if options := t.options; options.MessageRate > 0 {
		c.messages = rate.NewLimiter(rate.Limit(options.MessageRate), options.MessageBurst)
	}
	if !t.add(c) {
		c.close(closeGoingAway, "Shutting down")
		_ = ws.Close()
		t.options.Closed()
		return
	}
	go func() {
		defer t.options.Closed()
		defer t.remove(c)
		c.serve()
	}()
}

// refuseUpgrade answers a request that cannot go on as a websocket.
func refuseUpgrade(w http.ResponseWriter, r *http.Request, status int, _ error) {
	code, message := "BAD_USER_INPUT", "This is no good request for a websocket."
	switch status {
	case http.StatusBadRequest:
		w.Header().Set("Sec-Websocket-Version", "13")
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodGet)
		message = "A websocket is asked for with GET."
	case http.StatusForbidden:
		code, message = "FORBIDDEN", "Pages of this origin may not connect."
	case http.StatusInternalServerError:
		code, message = "INTERNAL_SERVER_ERROR", "Something went wrong on our side."
	}
	graphqlhttp.Reject(w, r, status, code, message)
}

// AcquireSubscription counts a subscription of a key that runs elsewhere, as over server-sent events, against the same
// limit. False when that is reached; else release gives it back.
func (t *Transport) AcquireSubscription(key string) (release func(), ok bool) {
	if !t.take(key, t.options.MaxSubscriptions, ofSubscriptions) {
		t.options.Limited(LimitSubscriptions)
		return nil, false
	}
	return sync.OnceFunc(func() { t.give(key, ofSubscriptions) }), true
}

func (t *Transport) add(c *connection) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closing {
		return false
	}
	t.connections[c] = struct{}{}
	return true
}

func (t *Transport) remove(c *connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.connections, c)
	if t.closing && len(t.connections) == 0 {
		close(t.empty)
	}
}

// Connections is how many are open.
func (t *Transport) Connections() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.connections)
}

// Shutdown closes every connection with 1001, each when the queries and mutations that it runs are answered, takes no new
// one, and returns when all are gone or ctx ends.
func (t *Transport) Shutdown(ctx context.Context) {
	t.mu.Lock()
	if !t.closing && len(t.connections) == 0 {
		close(t.empty)
	}
	t.closing = true
	open := make([]*connection, 0, len(t.connections))
	for c := range t.connections {
		open = append(open, c)
	}
	t.mu.Unlock()
	pause := min(closePause, closeWithin/time.Duration(len(open)/closeTogether+1))
	for i, c := range open {
		if i > 0 && i%closeTogether == 0 { // those who come back at once go to the same few nodes
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		}
		go c.depart() // each may wait for a peer that does not read
	}
	select {
	case <-t.empty:
	case <-ctx.Done():
		for _, c := range open {
			_ = c.ws.Close()
		}
	}
}

// take counts one more use of a key, unless that is past the limit.
func (t *Transport) take(key string, limit int, of func(*use) *int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.uses[key]
	if u == nil {
		u = &use{}
		t.uses[key] = u
	}
	n := of(u)
	if limit > 0 && *n >= limit {
		return false
	}
	*n++
	return true
}

// give counts one use less.
func (t *Transport) give(key string, of func(*use) *int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.uses[key]
	*of(u)--
	if *u == (use{}) {
		delete(t.uses, key)
	}
}

func ofConnections(u *use) *int   { return &u.connections }
func ofSubscriptions(u *use) *int { return &u.subscriptions }
