package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/broker"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/realtime"
	"github.com/acquaint/acquaint/internal/server"
	"github.com/acquaint/acquaint/internal/store"
)

// acquaintServer is the real server, put together as internal/app does it.
type acquaintServer struct {
	Profiler

	listener net.Listener
	server   *server.Server
	hub      *realtime.Hub[notification.Notification]
	memory   *memorySource // nil: the hub reads from the database
}

var _ Server = (*acquaintServer)(nil)

// secret signs the tokens of the clients.
const secret = "a secret of the benchmark, long enough for HS256"

// noSweep keeps the hub from finding new rows before it is told of them. What that leaves out is little: a statement for
// each thousand members every few seconds.
const noSweep = time.Hour

// profiledEvery is how many bytes are allocated between two that a heap profile sees.
const profiledEvery = 4 << 10

// The arguments of the role of the Acquaint server.
const (
	argDatabase = iota // its address
	argMemory          // "memory": the hub reads from memory
	argProfile         // "profile": allocations are sampled closely
	argCount
)

// serveAcquaint is the role of the Acquaint server.
func serveAcquaint(ctx context.Context, args []string) error {
	if len(args) != argCount {
		return errors.New("the Acquaint server wants its arguments")
	}
	if args[argProfile] != "" {
		runtime.MemProfileRate = profiledEvery
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s := &acquaintServer{}
	var err error
	if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	tables, err := store.Open(ctx, args[argDatabase], store.Options{Log: log, NoMigrate: true})
	if err != nil {
		return err
	}
	var source realtime.Source[notification.Notification] = store.Inboxes{Store: tables}
	if args[argMemory] != "" {
		s.memory = &memorySource{Store: tables}
		source = s.memory
	}
	s.hub = realtime.NewHub(source, &broker.Local{}, realtime.Options{Sweep: noSweep, Now: now, Logger: log})

	members := member.NewService(tables, now, newID)
	verifier, err := auth.NewVerifier(ctx, auth.Config{Secret: []byte(secret)}, now, log)
	if err != nil {
		return err
	}
	s.server = server.New(server.Options{
		GraphQL: graph.New(&graph.Resolver{
			Members:       members,
			Network:       network.NewService(tables, s.hub, network.DefaultPolicy(), now, newID),
			Notifications: notification.NewService(tables, s.hub, now, newID),
			Inboxes:       s.hub,
		}, graph.Options{Introspection: true, Log: log}),
		Authenticator: auth.NewAuthenticator(verifier, members, now, log),
		Ready:         tables.Ping, Log: log,
	})
	go s.server.Serve(s.listener) //nolint:errcheck // ends with the process
	return obey("Server", s)
}

// now and newID are as in the program.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
func newID() id.UUID { return id.UUID(uuid.Must(uuid.NewV7())) }

// Address implements Server.
func (s *acquaintServer) Address(_ struct{}, address *string) error {
	*address = s.listener.Addr().String()
	return nil
}

// Usage implements Server.
func (s *acquaintServer) Usage(_ struct{}, u *Usage) (err error) {
	*u, err = usage(s.server.Sockets())
	return err
}

// CPU implements Server.
func (*acquaintServer) CPU(_ struct{}, used *time.Duration) (err error) {
	*used, err = processorTime()
	return err
}

// Deliver implements Server: what network.Service does after a commit, once for each member.
func (s *acquaintServer) Deliver(d Delivery, _ *struct{}) error {
	if s.memory != nil {
		s.memory.last.Store(d.Last)
	}
	for i := range d.Sockets {
		hint := notification.Hint{Member: memberID(i), Number: d.Last}
		if d.Own {
			hint.Entry = eventOf(i, d.Sockets, d.Last)
		}
		s.hub.Wake(hint)
	}
	return nil
}

// eventOf is what the database has of an event, once it is read.
func eventOf(i, members int, sequence int64) notification.Notification {
	own := uuidOf(kindNotification, i, sequence)
	return notification.Notification{
		ID: id.Notification(own), Member: memberID(i), Sequence: sequence, Category: notification.InvitationReceived,
		Actor: memberID((i + 1) % members), Invitation: id.Invitation(own), CreatedAt: writtenAt,
	}
}

// memorySource makes up the rows that the database would have, to tell the cost of reading from that of the rest.
type memorySource struct {
	*store.Store

	last atomic.Int64
}

// After implements realtime.Source.
func (m *memorySource) After(_ context.Context, cursors []notification.Cursor, limit int) (
	map[notification.Cursor][]notification.Notification, error,
) {
	out := make(map[notification.Cursor][]notification.Notification, len(cursors))
	for _, c := range cursors {
		of := c.Member
		rows := make([]notification.Notification, 0, min(limit, int(max(0, m.last.Load()-c.After))))
		for sequence := c.After + 1; sequence <= m.last.Load() && len(rows) < limit; sequence++ {
			rows = append(rows, notification.Notification{
				ID: id.Notification(of), Member: of, Sequence: sequence, Category: notification.InvitationReceived,
				Actor: of, Invitation: id.Invitation(of), CreatedAt: now(),
			})
		}
		out[c] = rows
	}
	return out, nil
}

// LastNumbers implements realtime.Source.
func (m *memorySource) LastNumbers(_ context.Context, members []id.Member) ([]notification.Hint, error) {
	hints := make([]notification.Hint, len(members))
	for i, of := range members {
		hints[i] = notification.Hint{Member: of, Number: m.last.Load()}
	}
	return hints, nil
}
