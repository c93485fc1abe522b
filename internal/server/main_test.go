package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/server"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

func TestMain(m *testing.M) {
	code := storetest.Main(m)
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// patience is how long a test waits for what must happen; only a failing test waits that long.
const patience = 15 * time.Second

var secret = []byte("0123456789abcdef0123456789abcdef")

// running is a server that listens, with what it is made of.
type running struct {
	*server.Server

	t     *testing.T
	url   string
	store *store.Store
	log   *lockedBuffer
}

// lockedBuffer is a log that a test can read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start starts a server; GraphQL, Authenticator and Log are its own, the rest is as the options say.
func start(t *testing.T, options server.Options) *running {
	t.Helper()
	r := &running{t: t, store: storetest.Open(t, storetest.EmptySQLite(t), store.Options{}), log: &lockedBuffer{}}
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	members := member.NewService(r.store, time.Now, func() id.UUID { return id.UUID(uuid.Must(uuid.NewV7())) })
	verifier, err := auth.NewVerifier(t.Context(), auth.Config{Secret: secret}, time.Now, log)
	if err != nil {
		t.Fatal(err)
	}
	options.Authenticator = auth.NewAuthenticator(verifier, members, time.Now, log)
	options.GraphQL = graph.New(&graph.Resolver{Members: members}, graph.Options{Introspection: true, Log: log})
	options.Log = log
	if options.Ready == nil {
		options.Ready = r.store.Ping
	}
	r.Server = server.New(options)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.url = "http://" + listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- r.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := r.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := wait(t, served, "Serve to return"); err != nil {
			t.Error(err)
		}
	})
	return r
}

func wait[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// token makes a good token.
func token(t *testing.T, subject string) string {
	t.Helper()
	signed, err := auth.Sign(secret, member.Claims{Subject: subject}, "", "", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// answer is a response, read.
type answer struct {
	status int
	header http.Header
	body   string
	code   string // of the first error
	data   string // "" where there is no such entry
}

func call(t *testing.T, method, url, body string, header ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Add(header[i], header[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: string(read)}
	var result struct {
		Data   json.RawMessage
		Errors []struct {
			Extensions struct{ Code string }
		}
	}
	if json.Unmarshal(read, &result) == nil {
		a.data = string(result.Data)
		if len(result.Errors) > 0 {
			a.code = result.Errors[0].Extensions.Code
		}
	}
	return a
}

// query sends a query.
func (r *running) query(query string, header ...string) answer {
	r.t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		r.t.Fatal(err)
	}
	return call(r.t, http.MethodPost, r.url+"/graphql", string(body), append([]string{"Content-Type", "application/json"}, header...)...)
}
