package app_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

const askHandle = `{ viewer { member { handle } } }`

func hashOf(query string) string {
	sum := sha256.Sum256([]byte(query))
	return hex.EncodeToString(sum[:])
}

func persistedQuery(hash string) map[string]any {
	return map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}
}

// send posts a request of these entries.
func send(t *testing.T, c *apptest.Client, entries map[string]any) apptest.Response {
	t.Helper()
	body, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	return c.Post(body)
}

// get sends a query as a GET request of these parameters.
func get(t *testing.T, s *apptest.Server, token string, params url.Values) apptest.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/graphql?"+params.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	out := apptest.Response{Status: response.StatusCode}
	if err := json.NewDecoder(response.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// A document is sent once; then its hash is enough, over every transport and for everybody.
func TestPersistedQueries(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t))
	ada, ben := s.As(t, "ada"), s.As(t, "ben")
	byHash := map[string]any{"extensions": persistedQuery(hashOf(askHandle))}
	if r := send(t, ada, byHash); r.Code() != "PERSISTED_QUERY_NOT_FOUND" || r.Data != nil || r.Errors[0].Message != "PersistedQueryNotFound" {
		t.Fatalf("an unknown hash gave %s", r.Raw)
	}
	for what, extensions := range map[string]map[string]any{
		"hash of another": persistedQuery(hashOf("x")), "no object": {"persistedQuery": "x"},
		"version 2": {"persistedQuery": map[string]any{"version": 2, "sha256Hash": hashOf(askHandle)}},
	} {
		if r := send(t, ada, map[string]any{"query": askHandle, "extensions": extensions}); r.Code() != "BAD_USER_INPUT" || r.Data != nil {
			t.Errorf("%s gave %s", what, r.Raw)
		}
	}
	if r := send(t, ada, map[string]any{"query": askHandle, "extensions": persistedQuery(hashOf(askHandle))}); string(r.Data) != `{"viewer":{"member":{"handle":"ada"}}}` {
		t.Fatalf("with both: %s", r.Raw)
	}
	for _, c := range []*apptest.Client{ada, ben} {
		if r := send(t, c, byHash); string(r.Data) != `{"viewer":{"member":{"handle":"`+c.Handle+`"}}}` {
			t.Errorf("by hash: %s", r.Raw)
		}
	}
	token := tokenOf(t, "ada", time.Hour)
	encoded, _ := json.Marshal(persistedQuery(hashOf(askHandle)))
	if r := get(t, s, token, url.Values{"extensions": {string(encoded)}}); string(r.Data) != `{"viewer":{"member":{"handle":"ada"}}}` {
		t.Errorf("by GET: %+v", r)
	}
	w := dial(t, s, nil)
	w.init(token)
	if data, code := w.ask("1", map[string]any{"query": "", "extensions": persistedQuery(hashOf(askHandle))}); data != `{"viewer":{"member":{"handle":"ada"}}}` {
		t.Errorf("over a socket: %s, %s", data, code)
	}
	if _, code := w.ask("1", map[string]any{"query": "", "extensions": persistedQuery(hashOf("x"))}); code != "PERSISTED_QUERY_NOT_FOUND" {
		t.Errorf("over a socket, unknown: %s", code)
	}
	// An id that only trusted documents have names nothing here.
	if r := send(t, ada, map[string]any{"documentId": "x"}); len(r.Errors) != 1 || r.Code() == "" || r.Code() == "INTERNAL_SERVER_ERROR" || r.Data != nil {
		t.Errorf("an id gave %s", r.Raw)
	}
}

// A mutation that is known by its hash is no more allowed over GET than any; and the limits hold by hash too.
func TestPersistedQueriesAreHeldToTheRules(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t))
	ada, token := s.As(t, "ada"), tokenOf(t, "ada", time.Hour)
	const change = `mutation { updateMember(input: {name: "X"}) { member { name } } }`
	const pages = `query($n: Int) { viewer { connections(first: $n) { nodes { mutualConnections(first: $n) { nodes { id } } } } } }`
	if r := send(t, ada, map[string]any{"query": change, "extensions": persistedQuery(hashOf(change))}); len(r.Errors) > 0 {
		t.Fatal(string(r.Raw))
	}
	encoded, _ := json.Marshal(persistedQuery(hashOf(change)))
	if r := get(t, s, token, url.Values{"extensions": {string(encoded)}}); r.Status != http.StatusMethodNotAllowed {
		t.Errorf("a mutation over GET: %+v", r)
	}
	if r := send(t, ada, map[string]any{"query": pages, "variables": apptest.Vars{"n": 2}, "extensions": persistedQuery(hashOf(pages))}); len(r.Errors) > 0 {
		t.Fatal(string(r.Raw))
	}
	if r := send(t, ada, map[string]any{"variables": apptest.Vars{"n": 100}, "extensions": persistedQuery(hashOf(pages))}); r.Code() != "COMPLEXITY_LIMIT_EXCEEDED" {
		t.Errorf("large pages by hash gave %s", r.Raw)
	}
	deep := strings.Repeat("{a", 16) + strings.Repeat("}", 16)
	for _, entries := range []map[string]any{{"query": deep, "extensions": persistedQuery(hashOf(deep))}, {"extensions": persistedQuery(hashOf(deep))}} {
		if r := send(t, ada, entries); r.Code() != "COMPLEXITY_LIMIT_EXCEEDED" {
			t.Errorf("too deep gave %s", r.Raw)
		}
	}
}

const (
	trustedPages  = `query($n: Int) { viewer { connections(first: $n) { nodes { mutualConnections(first: $n) { nodes { id } } } } } }`
	trustedChange = `mutation { updateMember(input: {name: "X"}) { member { name } } }`
)

func startTrusted(t *testing.T, documents map[string]string) *apptest.Server {
	t.Helper()
	encoded, err := json.Marshal(documents)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "documents.json")
	if err := os.WriteFile(path, encoded, 0o600); err != nil {
		t.Fatal(err)
	}
	return apptest.Start(t, storetest.EmptySQLite(t), func(c *app.Config) { c.TrustedDocuments = path })
}

// Where documents are trusted nothing else is run, whichever way it comes.
func TestTrustedDocuments(t *testing.T) {
	t.Parallel()
	s := startTrusted(t, map[string]string{
		"handle": askHandle, hashOf(trustedPages): trustedPages, "change": trustedChange, "live": subscribeNotifications,
	})
	token := tokenOf(t, "ada", time.Hour)
	ada := s.WithToken(t, token)
	const handle = `{"viewer":{"member":{"handle":"ada"}}}`
	const pages = `{"viewer":{"connections":{"nodes":[]}}}`
	w := dial(t, s, nil)
	w.init(token)
	for _, c := range []struct {
		what    string
		entries map[string]any
		data    string
		code    string
	}{
		{"in full", map[string]any{"query": askHandle}, handle, ""},
		{"by id", map[string]any{"documentId": "handle"}, handle, ""},
		{"by hash", map[string]any{"extensions": persistedQuery(hashOf(trustedPages)), "variables": apptest.Vars{"n": 2}}, pages, ""},
		{"by id and in full", map[string]any{"documentId": "handle", "query": askHandle}, handle, ""},
		{"another text", map[string]any{"query": `{ __typename }`}, "", "FORBIDDEN"},
		{"another text with a known id", map[string]any{"documentId": "handle", "query": `{ __typename }`}, "", "FORBIDDEN"},
		{"another text with its hash", map[string]any{"query": `{ __typename }`, "extensions": persistedQuery(hashOf(`{ __typename }`))}, "", "FORBIDDEN"},
		{"that hash alone", map[string]any{"extensions": persistedQuery(hashOf(`{ __typename }`))}, "", "FORBIDDEN"},
		{"an unknown id", map[string]any{"documentId": "other"}, "", "FORBIDDEN"},
		{"introspection", map[string]any{"query": `{ __schema { types { name } } }`}, "", "FORBIDDEN"},
		{"no GraphQL at all", map[string]any{"query": `nonsense {`}, "", "FORBIDDEN"},
		{"large pages", map[string]any{"extensions": persistedQuery(hashOf(trustedPages)), "variables": apptest.Vars{"n": 100}}, "", "COMPLEXITY_LIMIT_EXCEEDED"},
	} {
		r := send(t, ada, c.entries)
		if string(r.Data) != c.data || r.Code() != c.code {
			t.Errorf("%s gave %s", c.what, r.Raw)
		}
		// The protocol of sockets wants a query always, and knows no entries but its own.
		if c.entries["query"] == nil {
			c.entries["query"] = ""
		}
		if documentID, ok := c.entries["documentId"]; ok {
			c.entries["extensions"] = map[string]any{"documentId": documentID}
		}
		if data, code := w.ask("1", c.entries); data != c.data || code != c.code {
			t.Errorf("%s over a socket gave %s, %s", c.what, data, code)
		}
	}
	if r := get(t, s, token, url.Values{"documentId": {"handle"}}); string(r.Data) != handle {
		t.Errorf("by GET: %+v", r)
	}
	if r := get(t, s, token, url.Values{"documentId": {"change"}}); r.Status != http.StatusMethodNotAllowed {
		t.Errorf("a mutation by GET: %+v", r)
	}
	if e := listen(t, s, token, `{ __typename }`, nil).started(); e.failed() != "FORBIDDEN" {
		t.Error("another text as a stream of events is run")
	}
	listen(t, s, token, subscribeNotifications, nil).started()
	if r := send(t, s.WithToken(t, ""), map[string]any{"documentId": "handle"}); r.Code() != "UNAUTHENTICATED" {
		t.Errorf("a trusted document of nobody gave %s", r.Raw)
	}
}

// Introspection is a document like any other.
func TestTrustedIntrospection(t *testing.T) {
	t.Parallel()
	const listed = `{ __schema { queryType { name } } }`
	s := startTrusted(t, map[string]string{"schema": listed})
	nobody := s.WithToken(t, "")
	if r := nobody.Do(listed, nil); string(r.Data) != `{"__schema":{"queryType":{"name":"Query"}}}` {
		t.Errorf("gave %s", r.Raw)
	}
	if r := nobody.Do(`{ __schema { queryType { name } mutationType { name } } }`, nil); r.Code() != "FORBIDDEN" {
		t.Errorf("gave %s", r.Raw)
	}
}

// A file that cannot be meant stops the server at start, with the setting's name.
func TestTrustedDocumentsFile(t *testing.T) {
	t.Parallel()
	for what, content := range map[string]string{"missing": "", "empty": "{}", "no object": "[]", "broken": `{"a":`, "no text": `{"a":1}`, "an unknown field": `{"a":"{ nonsense }"}`} {
		path := filepath.Join(t.TempDir(), "documents.json")
		if what != "missing" {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		config := app.DefaultConfig()
		config.Listen, config.DatabaseURL, config.JWTSecret, config.TrustedDocuments = "127.0.0.1:0", storetest.EmptySQLite(t), apptest.Secret, path
		a, err := app.New(t.Context(), config)
		if setting, ok := errors.AsType[*app.SettingError](err); !ok || setting.Setting != "--trusted-documents" || !strings.Contains(setting.Reason, path) {
			t.Errorf("%s gave %v", what, err)
		}
		if err == nil {
			a.Close()
		}
	}
}
