package app_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// records is a log, kept as its records.
type records struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *records) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

// of gives the records of one request.
func (r *records) of(t *testing.T, request string) []map[string]any {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []map[string]any
	for line := range strings.Lines(r.b.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		if record["requestId"] == request {
			out = append(out, record)
		}
	}
	return out
}

const secretText = "the secret of the inner parts"

// faulty is a server whose parts fail while they are armed.
type faulty struct {
	*apptest.Server

	t                      *testing.T
	log                    *records
	ids, clock, statements atomic.Bool // panic
	token                  string
	ada, ben               *apptest.Client
}

func startFaulty(t *testing.T, database string) *faulty {
	t.Helper()
	f := &faulty{t: t, log: &records{}}
	f.Server = apptest.Start(t, database, func(c *app.Config) {
		c.Log = slog.New(slog.NewJSONHandler(f.log, nil))
		c.NewID = func() id.UUID {
			if f.ids.Load() {
				panic(secretText)
			}
			return app.NewID()
		}
		c.Now = func() time.Time {
			if f.clock.Load() {
				panic(secretText)
			}
			return app.Now()
		}
		c.Observe = func(string, []any) {
			if f.statements.Load() {
				panic(secretText)
			}
		}
	})
	f.ada, f.ben = f.As(t, "ada"), f.As(t, "ben")
	f.token = tokenOf(t, "ada", time.Hour)
	return f
}

// fails sends a request that must fail inside, and checks what is told of it: to the client the request's id and
// nothing else, to the log all.
func (f *faulty) fails(query string, vars apptest.Vars, code string) {
	f.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		f.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+f.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	var got apptest.Response
	if err := json.Unmarshal(raw, &got); err != nil || len(got.Errors) == 0 || got.Code() != code {
		f.t.Fatalf("got %s", raw)
	}
	for _, inner := range []string{secretText, "panic", "goroutine", ".go:", "sql", "SELECT", "database"} {
		if strings.Contains(string(raw), inner) {
			f.t.Errorf("the response tells of %q: %s", inner, raw)
		}
	}
	name := response.Header.Get("X-Request-Id")
	if got.Errors[0].Extensions["requestId"] != name || name == "" {
		f.t.Errorf("the request is %q, and the response says %s", name, raw)
	}
	if len(f.log.of(f.t, name)) == 0 {
		f.t.Errorf("the log has nothing of request %s", name)
	}
}

const inviteBen = `mutation($id: ID!) { inviteMember(input: {memberId: $id}) { invitation { id } userErrors { code } } }`

// A panic in a resolver, or below it, fails its own request; what it had begun is undone, and nothing is held on to.
func TestPanics(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		f := startFaulty(t, database)
		const internal = "INTERNAL_SERVER_ERROR"
		for range 3 { // more than once: a lock or a connection that is not given back would show
			f.ids.Store(true)
			f.fails(inviteBen, apptest.Vars{"id": f.ben.ID}, internal)
			f.ids.Store(false)
			f.statements.Store(true)
			f.fails(inviteBen, apptest.Vars{"id": f.ben.ID}, internal)
			f.fails(`{ viewer { receivedInvitations { totalCount } } }`, nil, internal)
			f.fails(`query($id: ID!) { a: node(id: $id) { ... on Member { relationship { status } } } }`, apptest.Vars{"id": f.ben.ID}, internal)
			f.statements.Store(false)
		}
		if got := f.ada.RelationshipTo(f.ben.ID); got.Status != "NONE" {
			t.Errorf("something is left of what failed: %+v", got)
		}
		apptest.Connect(f.ada, f.ben)
	})
}

// A panic in one operation of a socket fails that alone.
func TestPanicOnSocket(t *testing.T) {
	t.Parallel()
	f := startFaulty(t, storetest.EmptySQLite(t))
	w := dial(t, f.Server, nil)
	w.init(f.token)
	f.ids.Store(true)
	w.write(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]any{"query": inviteBen, "variables": apptest.Vars{"id": f.ben.ID}}})
	m := w.read()
	f.ids.Store(false)
	var payload struct {
		Errors []struct {
			Extensions struct{ Code, RequestID string }
		}
	}
	if err := json.Unmarshal(m.Payload, &payload); err != nil || m.Type != "next" || len(payload.Errors) != 1 || strings.Contains(string(m.Payload), secretText) {
		t.Fatalf("got %s %s", m.Type, m.Payload)
	}
	if e := payload.Errors[0].Extensions; e.Code != "INTERNAL_SERVER_ERROR" || len(f.log.of(t, e.RequestID)) == 0 {
		t.Errorf("got %s", m.Payload)
	}
	w.read() // complete
	if data, code := w.ask("2", map[string]any{"query": inviteBen, "variables": apptest.Vars{"id": f.ben.ID}}); code != "" {
		t.Errorf("the socket goes on with %s, %s", data, code)
	}
}

// A panic in an operation over server-sent events fails that alone.
func TestPanicInEvents(t *testing.T) {
	t.Parallel()
	f := startFaulty(t, storetest.EmptySQLite(t))
	f.statements.Store(true)
	e := listen(t, f.Server, f.token, `{ viewer { receivedInvitations { totalCount } } }`, nil).started()
	got := e.event()
	if got == nil || !strings.Contains(got.data, "INTERNAL_SERVER_ERROR") || !strings.Contains(got.data, e.header.Get("X-Request-Id")) || strings.Contains(got.data, secretText) {
		t.Errorf("got %+v", got)
	}
	e.completed()
	e = listen(t, f.Server, f.token, subscribeNotifications, nil).started()
	if got = e.event(); got == nil || !strings.Contains(got.data, "INTERNAL_SERVER_ERROR") || strings.Contains(got.data, secretText) {
		t.Errorf("got %+v", got)
	}
	f.statements.Store(false)
	live := listen(t, f.Server, f.token, subscribeNotifications, nil).started()
	invites(t, f.Server, f.ada, "x", 1)
	live.notification()
}

// A panic where no resolver is yet, as when the clock fails at the check of a token, costs that connection at most.
func TestPanicBeforeAnyResolver(t *testing.T) {
	t.Parallel()
	f := startFaulty(t, storetest.EmptySQLite(t))
	f.clock.Store(true)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL+"/graphql", strings.NewReader(`{"query":"{ __typename }"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+f.token)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: apptest.Patience}
	if response, err := client.Do(request); err == nil {
		raw, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode < 500 || strings.Contains(string(raw), secretText) {
			t.Errorf("status %d: %s", response.StatusCode, raw)
		}
	}
	f.clock.Store(false)
	if r := f.ada.Do(askHandle, nil); r.Code() != "" {
		t.Errorf("after that: %s", r.Raw)
	}
}
