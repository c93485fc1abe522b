// Package apptest runs real servers for end-to-end tests, and speaks to them as clients do: over HTTP and websockets,
// with tokens.
package apptest

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
)

// Secret signs the tokens of the tests.
const Secret = "a secret of the tests, long enough for HS256"

// Patience is how long a test waits for what must come. It is never waited for what must not.
const Patience = 20 * time.Second

// Server is a running server.
type Server struct {
	URL string

	app  *app.App
	stop context.CancelFunc
	done chan error
}

// Start runs a server on a database until the test ends. change may alter its settings.
func Start(t testing.TB, database string, change ...func(*app.Config)) *Server {
	t.Helper()
	config := app.DefaultConfig()
	config.Listen = "127.0.0.1:0"
	config.DatabaseURL = database
	config.JWTSecret = Secret
	config.Limits.Rates.Request = 0            // tests are quick,
	config.Limits.RequestTimeout = time.Minute // and machines may be slow
	config.Log = slog.New(slog.NewTextHandler(logWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	for _, c := range change {
		c(&config)
	}
	a, err := app.New(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{URL: a.URL(), app: a, stop: stop, done: make(chan error, 1)}
	go func() { s.done <- errors.Join(a.Serve(ctx), a.Close()) }()
	t.Cleanup(func() { s.Stop(t) })
	return s
}

// Stop ends the server as SIGTERM does, and waits for it.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.stop == nil {
		return
	}
	s.stop()
	s.stop = nil
	if err := <-s.done; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// Token is a good token of a subject.
func Token(t testing.TB, claims member.Claims, ttl time.Duration) string {
	t.Helper()
	token, err := auth.Sign([]byte(Secret), claims, "", "", time.Now(), ttl)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// logWriter shows what a server logs in the test's own output.
type logWriter struct{ t testing.TB }

func (w logWriter) Write(p []byte) (int, error) {
	w.t.Logf("server: %s", p)
	return len(p), nil
}

// yearsLong is for tokens of tests that move the clock.
const yearsLong = 10 * 365 * 24 * time.Hour

// Clock is a server's clock that a test can move forward.
type Clock struct{ ahead atomic.Int64 }

// Now is the time, and what the test added.
func (c *Clock) Now() time.Time { return app.Now().Add(time.Duration(c.ahead.Load())) }

// NewID makes a UUID of version 7 that says the clock's time.
func (c *Clock) NewID() id.UUID {
	u := app.NewID()
	ms := uint64(c.Now().UnixMilli())
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	return u
}

// Apply lets a server go by the clock, and run its periodic tasks only when it is told to.
func (c *Clock) Apply(config *app.Config) {
	config.Now, config.NewID, config.NoTasks = c.Now, c.NewID, true
}

// Advance moves the clock forward.
func (c *Clock) Advance(d time.Duration) { c.ahead.Add(int64(d)) }
