package apptest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/acquaint/acquaint/internal/member"
)

// Client is a member's client of one server.
type Client struct {
	t     testing.TB
	url   string
	token string

	// Of the member, once signed in.
	ID, Handle string
}

// Response is a response of GraphQL, its data undecoded.
type Response struct {
	Status int
	Raw    []byte
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message    string         `json:"message"`
		Path       []any          `json:"path"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
}

// Code is the code of the first error, or "".
func (r Response) Code() string {
	if len(r.Errors) == 0 {
		return ""
	}
	code, _ := r.Errors[0].Extensions["code"].(string)
	return code
}

// As signs a member in: the first time, that makes the member of the subject.
func (s *Server) As(t testing.TB, subject string) *Client {
	t.Helper()
	c := s.WithToken(t, Token(t, member.Claims{Subject: subject, Name: "Name of " + subject, PreferredUsername: subject}, yearsLong))
	var me struct {
		Viewer struct{ Member struct{ ID, Handle string } }
	}
	c.Get(&me, `{ viewer { member { id handle } } }`, nil)
	c.ID, c.Handle = me.Viewer.Member.ID, me.Viewer.Member.Handle
	return c
}

// WithToken makes a client with a token, or without one when it is empty.
func (s *Server) WithToken(t testing.TB, token string) *Client {
	t.Helper()
	return &Client{t: t, url: s.URL, token: token}
}

// On gives the same client for another server of the same database, as after a restart.
func (c *Client) On(s *Server) *Client {
	other := *c
	other.url = s.URL
	return &other
}

// Vars are the variables of an operation.
type Vars = map[string]any

// Do runs an operation over HTTP. It is safe for use by several goroutines; a failure to speak at all panics in them.
func (c *Client) Do(query string, vars Vars) Response {
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		panic(err)
	}
	return c.Post(body)
}

// Post sends a body as it is.
func (c *Client) Post(body []byte) Response {
	request, err := http.NewRequest(http.MethodPost, c.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		panic(err)
	}
	out := Response{Status: answer.StatusCode, Raw: raw}
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(string(raw))
	}
	return out
}

// Get runs an operation that must succeed, and decodes its data.
func (c *Client) Get(into any, query string, vars Vars) {
	c.t.Helper()
	r := c.Do(query, vars)
	if len(r.Errors) > 0 {
		c.t.Fatalf("%s\nfailed: %s", query, r.Raw)
	}
	if err := json.Unmarshal(r.Data, into); err != nil {
		c.t.Fatalf("%s\ngave %s: %v", query, r.Raw, err)
	}
}

// CloseIdle closes the connections that are kept for further requests, so that no goroutine of theirs is left.
func CloseIdle() { http.DefaultClient.CloseIdleConnections() }

// With gives the client another token.
func (c *Client) With(token string) { c.token = token }
