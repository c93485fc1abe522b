package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/member"
)

// events is a client that reads server-sent events, as a browser does.
type events struct {
	t      *testing.T
	status int
	header http.Header
	body   io.ReadCloser
	lines  *bufio.Reader
	leave  context.CancelFunc
}

// serverEvent is one of them.
type serverEvent struct {
	id, name, data string
	comment        bool
}

// tokenOf is a good token of a subject that signs in as apptest's clients do.
func tokenOf(t *testing.T, subject string, ttl time.Duration) string {
	t.Helper()
	return apptest.Token(t, member.Claims{Subject: subject, Name: "Name of " + subject, PreferredUsername: subject}, ttl)
}

// listen sends a query as a client of server-sent events, with a token unless that is empty.
func listen(t *testing.T, s *apptest.Server, token, query string, vars apptest.Vars, header ...string) *events {
	t.Helper()
	encoded, err := json.Marshal(vars)
	if err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithTimeout(context.Background(), 2*apptest.Patience)
	address := s.URL + "/graphql?query=" + url.QueryEscape(query) + "&variables=" + url.QueryEscape(string(encoded))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	e := &events{t: t, status: response.StatusCode, header: response.Header, body: response.Body, lines: bufio.NewReader(response.Body), leave: leave}
	t.Cleanup(e.close)
	return e
}

func (e *events) close() {
	e.leave()
	e.body.Close()
}

// next gives the next event or comment; nil at the end of the stream.
func (e *events) next() *serverEvent {
	e.t.Helper()
	var got serverEvent
	for {
		line, err := e.lines.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" && got == (serverEvent{}) {
			return nil
		}
		if err != nil {
			e.t.Fatalf("the stream broke off after %q: %v", line, err)
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "\n":
			return &got
		case name == "":
			got.comment = true
		case name == "id":
			got.id = value
		case name == "event":
			got.name = value
		case name == "data":
			got.data = value
		case name == "retry":
		default:
			e.t.Fatalf("a line %q", line)
		}
	}
}

// event gives the next event that is no comment; nil at the end of the stream.
func (e *events) event() *serverEvent {
	e.t.Helper()
	for {
		if got := e.next(); got == nil || !got.comment {
			return got
		}
	}
}

// started waits for the first comment, which says that the operation has begun.
func (e *events) started() *events {
	e.t.Helper()
	if e.status != http.StatusOK {
		body, _ := io.ReadAll(e.body)
		e.t.Fatalf("status %d: %s", e.status, body)
	}
	if first := e.next(); first == nil || !first.comment {
		e.t.Fatalf("began with %+v", first)
	}
	return e
}

// notification reads an event of notificationReceived, whose id is its cursor.
func (e *events) notification() edge {
	e.t.Helper()
	got := e.event()
	if got == nil || got.name != "next" {
		e.t.Fatalf("got %+v", got)
	}
	var result struct {
		Data   edgeEvent
		Errors json.RawMessage
	}
	if err := json.Unmarshal([]byte(got.data), &result); err != nil || result.Errors != nil {
		e.t.Fatalf("got %s", got.data)
	}
	if c := result.Data.Edge.Cursor; got.id == "" || c != "" && got.id != c {
		e.t.Errorf("the id is %q, the cursor %q", got.id, c)
	}
	result.Data.Edge.Cursor = got.id
	return result.Data.Edge
}

// failed reads the only event of a request that was refused, and gives the code.
func (e *events) failed() string {
	e.t.Helper()
	got := e.event()
	if got == nil || got.name != "next" {
		e.t.Fatalf("got %+v", got)
	}
	var result struct {
		Data   json.RawMessage
		Errors []struct{ Extensions struct{ Code string } }
	}
	if err := json.Unmarshal([]byte(got.data), &result); err != nil || len(result.Errors) != 1 || result.Data != nil && string(result.Data) != "null" {
		e.t.Fatalf("got %s", got.data)
	}
	e.completed()
	return result.Errors[0].Extensions.Code
}

// completed reads the end of an operation and of the stream.
func (e *events) completed() {
	e.t.Helper()
	if got := e.event(); got == nil || got.name != "complete" || got.data != "" {
		e.t.Errorf("got %+v, want complete", got)
	}
	if got := e.event(); got != nil {
		e.t.Errorf("after complete came %+v", got)
	}
}
