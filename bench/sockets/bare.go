package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// Server is what both kinds of servers do for the parent process.
type Server interface {
	// Address is where the sockets are to be opened.
	Address(_ struct{}, address *string) error
	// Usage gives what the server uses.
	Usage(_ struct{}, usage *Usage) error
	// CPU gives what it has used of the processors; unlike Usage it collects no garbage.
	CPU(_ struct{}, used *time.Duration) error
	// Deliver lets every socket have messages. It may return before they are all written.
	Deliver(d Delivery, _ *struct{}) error
}

// Delivery is messages to every socket.
type Delivery struct {
	Sockets     int
	First, Last int64 // numbers of the events in each member's inbox; one message each
	Own         bool  // Acquaint has written them itself
	Bytes       int   // of a message of the bare server
}

// bareServer is the least that a websocket server can do: it keeps its sockets, reads them, and writes to all of them.
type bareServer struct {
	Profiler

	listener net.Listener
	count    atomic.Int64

	mu      sync.Mutex
	sockets map[*websocket.Conn]struct{}
}

var _ Server = (*bareServer)(nil)

// headerTimeout is how long a client may take to ask for its socket.
const headerTimeout = 10 * time.Second

// serveBare is the role of the bare server.
func serveBare(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &bareServer{listener: listener, sockets: make(map[*websocket.Conn]struct{})}
	h := http.Server{Handler: s, ReadHeaderTimeout: headerTimeout}
	go h.Serve(listener) //nolint:errcheck // ends with the process
	return obey("Server", s)
}

// ServeHTTP upgrades to a websocket, and reads it from a goroutine of its own, so that all that net/http had for the
// request is freed. The buffers, for which no size is given, are those of net/http. Less memory there cannot be without
// replacing net/http or the package.
func (s *bareServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // answered already
	}
	s.mu.Lock()
	s.sockets[ws] = struct{}{}
	s.mu.Unlock()
	s.count.Add(1)
	go s.read(ws)
}

// read reads until the client is gone.
func (s *bareServer) read(ws *websocket.Conn) {
	for {
		if _, _, err := ws.NextReader(); err != nil {
			break
		}
	}
	s.mu.Lock()
	delete(s.sockets, ws)
	s.mu.Unlock()
	_ = ws.Close()
	s.count.Add(-1)
}

// Address implements Server.
func (s *bareServer) Address(_ struct{}, address *string) error {
	*address = s.listener.Addr().String()
	return nil
}

// Usage implements Server.
func (s *bareServer) Usage(_ struct{}, u *Usage) (err error) {
	*u, err = usage(int(s.count.Load()))
	return err
}

// CPU implements Server.
func (*bareServer) CPU(_ struct{}, used *time.Duration) (err error) {
	*used, err = processorTime()
	return err
}

// Deliver implements Server: one goroutine a processor writes to its share of the sockets, round by round.
func (s *bareServer) Deliver(d Delivery, _ *struct{}) error {
	s.mu.Lock()
	all := make([]*websocket.Conn, 0, len(s.sockets))
	for ws := range s.sockets {
		all = append(all, ws)
	}
	s.mu.Unlock()
	message := bytes.Repeat([]byte{'x'}, d.Bytes)
	workers := runtime.GOMAXPROCS(0)
	var done sync.WaitGroup
	for w := range workers {
		share := all[w*len(all)/workers : (w+1)*len(all)/workers]
		done.Go(func() {
			for range d.Last - d.First + 1 {
				for _, ws := range share {
					_ = ws.WriteMessage(websocket.TextMessage, message) // one that fails is missed by the clients
				}
			}
		})
	}
	done.Wait()
	return nil
}
