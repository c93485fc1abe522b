package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/member"
)

// Token is a member's, by its subject.
func Token(subject string) (string, error) {
	return auth.Sign([]byte(Secret), member.Claims{Subject: subject}, "", "", time.Now(), time.Hour)
}

// Client is one keep-alive connection to a server.
type Client struct {
	url  string
	http *http.Client
}

// NewClient makes a client of a server.
func NewClient(server string) *Client {
	return &Client{url: server + "/graphql", http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}}
}

// Call sends an operation and reads its data, and gives how long that took: from before the request is written until the
// answer is read.
func (c *Client) Call(token, query string, variables map[string]any, into any) (time.Duration, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequest(http.MethodPost, c.url, bytes.NewReader(body)) //nolint:noctx // the server has a timeout
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	began := time.Now()
	response, err := c.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	took := time.Since(began)
	if err != nil {
		return took, err
	}
	return took, Data(response.StatusCode, answer, into)
}

// ErrAnswer is an answer of a server that is not what was asked for.
var ErrAnswer = errors.New("an error for an answer")

// Data reads the data of an answer without errors; else it gives ErrAnswer.
func Data(status int, answer []byte, into any) error {
	out := struct {
		Data   any `json:"data"`
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}{Data: into}
	if err := json.Unmarshal(answer, &out); err != nil || len(out.Errors) > 0 {
		return fmt.Errorf("%w: status %d: %s", ErrAnswer, status, answer)
	}
	return nil
}

// Close lets go of the connection.
func (c *Client) Close() { c.http.CloseIdleConnections() }
