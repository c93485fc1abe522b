package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// output is what a command writes, while it runs.
type output struct {
	mu      sync.Mutex
	buffer  bytes.Buffer
	written chan struct{} // a signal that there is more
}

func newOutput() *output { return &output{written: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.written <- struct{}{}:
	default:
	}
	return o.buffer.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

// wait waits until the output matches, and gives the first group.
func (o *output) wait(t *testing.T, pattern string) string {
	t.Helper()
	return o.waitTimes(t, pattern, 1)[0][1]
}

// waitTimes waits until the output matches a number of times, and gives the matches.
func (o *output) waitTimes(t *testing.T, pattern string, times int) [][]string {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		if m := regexp.MustCompile(pattern).FindAllStringSubmatch(o.String(), times); len(m) == times {
			return m
		}
		select {
		case <-o.written:
		case <-deadline:
			t.Fatalf("no %s (%d times) in %s", pattern, times, o)
		}
	}
}

func runCommand(args ...string) (code int, out, err string) {
	o, e := newOutput(), newOutput()
	code = run(context.Background(), args, streams{out: o, err: e})
	return code, o.String(), e.String()
}

const secret = "a secret of the tests, long enough for HS256"

// What is wrong is said in one line that names the setting, and never holds a secret.
func TestBadSettings(t *testing.T) {
	t.Parallel()
	sqlite := "sqlite:" + filepath.Join(t.TempDir(), "a.db")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"serve", "--database-url", sqlite}, 2, "--jwt-secret or --jwks-url"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", "short-secret"}, 2, "--jwt-secret"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", secret, "--note-max", "many"}, 2, "--note-max"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", secret, "--note-max", "-1"}, 2, "--note-max"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", secret, "--reinvite-cooldown", "soon"}, 2, "--reinvite-cooldown"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", secret, "--broker-sweep", "0s"}, 2, "--broker-sweep"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", secret, "--listen", "127.0.0.1:0", "--broker", "pigeons"}, 2, "--broker: must be local, postgres, or an address as in nats://host:4222"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", secret, "--listen", "127.0.0.1:0", "--broker", "postgres"}, 2, "--broker: postgres needs a database of PostgreSQL"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", secret, "--log-level", "loud"}, 2, "--log-level"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", secret, "--nonsense"}, 2, "--nonsense"},
		{[]string{"serve", "--database-url", "mysql://x", "--jwt-secret", secret, "--listen", "127.0.0.1:0"}, 2, "--database-url"},
		{[]string{"serve", "--database-url", sqlite, "--jwks-url", "nonsense"}, 2, "--jwks-url"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", secret, "--query-depth", "0"}, 2, "--query-depth"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", secret, "--request-rate", "-1"}, 2, "--request-rate"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", secret, "--listen", "127.0.0.1:0", "--trusted-proxies", "everybody"}, 2, "--trusted-proxies"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", secret, "--listen", "127.0.0.1:0", "--trusted-documents", "/nowhere"}, 2, "--trusted-documents"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", secret, "--allowed-origins", "https://a.example,foo"}, 2, "--allowed-origins"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", secret, "--listen", "127.0.0.1:99999"}, 1, "--listen"},
		{[]string{"serve", "--nonsense"}, 2, "acquaint serve --help"},
		{[]string{"serve", "--database-url", sqlite, "--jwt-secret", secret, "--listen", "nowhere"}, 2, "--listen"},
		{[]string{"dev", "--listen", "0.0.0.0:0", "--data-dir", t.TempDir()}, 2, "--listen"},
		{[]string{"token", "--jwt-secret", secret}, 2, "--subject"},
		{[]string{"token", "--subject", "x", "--jwt-secret", "short-secret"}, 2, "--jwt-secret"},
		{[]string{"token", "--subject", "x", "--data-dir", t.TempDir()}, 2, "--jwt-secret"},
		{[]string{"token", "--subject", "x", "--jwt-secret", secret, "--ttl", "-1h"}, 2, "--ttl"},
		{[]string{"fly"}, 2, "fly"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			t.Parallel()
			code, _, said := runCommand(c.args...)
			if code != c.code || !strings.Contains(said, c.says) || strings.Count(strings.TrimSpace(said), "\n") != 0 {
				t.Errorf("ended with %d and said %q, want %d and %q", code, said, c.code, c.says)
			}
			if strings.Contains(said, "short-secret") || strings.Contains(said, secret) {
				t.Errorf("the secret is in %q", said)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for args, wants := range map[string][]string{
		"":               {"dev", "serve", "migrate", "token", "version"},
		"help":           {"dev", "serve"},
		"help serve":     {"ACQUAINT_LISTEN"},
		"--version":      {"acquaint "},
		"--help":         {"acquaint dev", "environment variable"},
		"serve --help":   {"ACQUAINT_LISTEN", "127.0.0.1:8080", "ACQUAINT_JWT_SECRET", "ACQUAINT_NOTE_MAX", "SIGTERM"},
		"dev --help":     {"loopback", "data folder"},
		"token --help":   {"--subject", "--ttl"},
		"migrate --help": {"ACQUAINT_DATABASE_URL"},
		"version --help": {"version"},
	} {
		code, out, _ := runCommand(strings.Fields(args)...)
		for _, want := range wants {
			if code != 0 || !strings.Contains(out, want) {
				t.Errorf("acquaint %s ended with %d and has no %q:\n%s", args, code, want, out)
			}
		}
	}
	if code, out, _ := runCommand("version"); code != 0 || !strings.HasPrefix(out, "acquaint ") {
		t.Errorf("version: %d %q", code, out)
	}
}

// acquaint dev in an empty folder: it says where to open it, signs in as a demo member, and finds everything again.
func TestDev(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	for range 2 { // the second time on what the first left
		ctx, stop := context.WithCancel(context.Background())
		out, errs := newOutput(), newOutput()
		done := make(chan int, 1)
		began := time.Now()
		go func() {
			done <- run(ctx, []string{"dev", "--listen", "127.0.0.1:0", "--data-dir", folder}, streams{out: out, err: errs})
		}()
		url := out.wait(t, `Open +(http://127\.0\.0\.1:\d+)`)
		t.Logf("started in %v", time.Since(began))
		checkDev(t, url, folder)
		stop()
		if code := <-done; code != 0 {
			t.Errorf("ended with %d: %s", code, errs)
		}
	}
}

func checkDev(t *testing.T, url, folder string) {
	t.Helper()
	var list struct {
		Members []struct{ Handle, Name, Headline, PhotoURL string }
	}
	fetch(t, http.MethodGet, url+"/dev/members", "", "", &list)
	if len(list.Members) < 25 {
		t.Fatalf("%d demo members", len(list.Members))
	}
	var signedIn struct{ Token string }
	fetch(t, http.MethodPost, url+"/dev/sign-in", "", `{"handle":"ada"}`, &signedIn)
	code, byCommand, _ := runCommand("token", "--subject", "demo-ada", "--data-dir", folder)
	if code != 0 {
		t.Fatal("acquaint token failed on the data folder")
	}
	for _, token := range []string{signedIn.Token, strings.TrimSpace(byCommand)} {
		var answer struct {
			Data struct {
				Viewer struct {
					Member              struct{ Handle, PhotoURL string }
					Connections         struct{ TotalCount int }
					ReceivedInvitations struct{ TotalCount int }
				}
			}
		}
		fetch(t, http.MethodPost, url+"/graphql", token,
			`{"query":"{ viewer { member { handle photoUrl } connections { totalCount } receivedInvitations { totalCount } } }"}`, &answer)
		v := answer.Data.Viewer
		if v.Member.Handle != "ada" || v.Connections.TotalCount < 3 || v.ReceivedInvitations.TotalCount < 2 {
			t.Errorf("ada has %+v", v)
		}
		if !strings.HasPrefix(v.Member.PhotoURL, url) {
			t.Errorf("the face is at %s, the server at %s", v.Member.PhotoURL, url)
		}
	}
	for path, want := range map[string]string{
		"/": "text/html", "/graphiql": "text/html", "/dev/faces/ada.svg": "image/svg+xml", "/healthz": "text/plain", "/readyz": "text/plain",
	} {
		answer := get(t, url+path)
		if got := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || !strings.HasPrefix(got, want) {
			t.Errorf("%s is %d %s", path, answer.StatusCode, got)
		}
	}
	// Another site's name for this address gets no tokens.
	request, _ := http.NewRequest(http.MethodGet, url+"/dev/members", nil)
	request.Host = "evil.example"
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("under another name: %d", answer.StatusCode)
	}
}

// acquaint serve: the settings reach the server, and it ends in order.
func TestServe(t *testing.T) {
	t.Parallel()
	database := "sqlite:" + filepath.Join(t.TempDir(), "a.db")
	if code, _, errs := runCommand("migrate", "--database-url", database); code != 0 {
		t.Fatalf("migrate: %s", errs)
	}
	ctx, stop := context.WithCancel(context.Background())
	out, errs := newOutput(), newOutput()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{
			"serve", "--database-url", database, "--jwt-secret", secret, "--listen", "127.0.0.1:0", "--no-playground", "--no-introspection",
			"--no-migrate", "--metrics-listen", "127.0.0.1:0", "--jwt-issuer", "https://host.example", "--jwt-audience", "acquaint",
			"--log-format", "json", "--allowed-origins", "https://app.example,https://other.example",
		}, streams{out: out, err: errs})
	}()
	url := errs.wait(t, `"msg":"listening","url":"(http://[^"]+)"`)
	if answer := get(t, url+"/"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("without a playground / is %d", answer.StatusCode)
	}
	if answer := get(t, url+"/dev/members"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("serve has /dev/members: %d", answer.StatusCode)
	}
	var schema struct{ Errors []struct{ Message string } }
	fetch(t, http.MethodPost, url+"/graphql", "", `{"query":"{ __schema { queryType { name } } }"}`, &schema)
	if len(schema.Errors) == 0 {
		t.Error("introspection is on")
	}
	code, token, _ := runCommand("token", "--subject", "x", "--jwt-secret", secret, "--jwt-issuer", "https://host.example", "--jwt-audience", "acquaint")
	if code != 0 {
		t.Fatal("no token")
	}
	var me struct {
		Data struct{ Viewer struct{ ID string } }
	}
	fetch(t, http.MethodPost, url+"/graphql", strings.TrimSpace(token), `{"query":"{ viewer { id } }"}`, &me)
	if me.Data.Viewer.ID == "" {
		t.Error("a good token was refused")
	}
	metrics := errs.wait(t, `"metrics":"(http://[^"]+)"`)
	if answer := get(t, metrics+"/metrics"); answer.StatusCode != http.StatusOK {
		t.Errorf("/metrics is %d", answer.StatusCode)
	}
	stop()
	if code := <-done; code != 0 || strings.Contains(errs.String(), secret) {
		t.Errorf("ended with %d and said %s", code, errs)
	}
}

func get(t *testing.T, url string) *http.Response {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer
}

func fetch(t *testing.T, method, url, token, body string, into any) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		t.Fatalf("%s %s: %d %v", method, url, answer.StatusCode, err)
	}
}
