package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// session holds the user's token, and is the transport that sends it.
type session struct {
	url, user string

	mu      sync.Mutex
	token   string
	expires time.Time
}

// spare is how long before its end a token is replaced.
const spare = 30 * time.Second

// get gives a token that is still good.
func (s *session) get(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != "" && time.Now().Add(spare).Before(s.expires) {
		return s.token, nil
	}
	body, err := json.Marshal(map[string]string{"handle": s.user})
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("no token: %s", response.Status)
	}
	var answer struct {
		Token     string
		ExpiresAt time.Time
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", err
	}
	s.token, s.expires = answer.Token, answer.ExpiresAt
	return s.token, nil
}

// forget is for a token that was refused.
func (s *session) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = ""
}

// RoundTrip sends a request with the token; should it be refused, once more with a new one.
func (s *session) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := s.send(request)
	if err != nil || response.StatusCode != http.StatusUnauthorized || request.GetBody == nil {
		return response, err
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	s.forget()
	return s.send(request)
}

func (s *session) send(request *http.Request) (*http.Response, error) {
	token, err := s.get(request.Context())
	if err != nil {
		return nil, err
	}
	again := request.Clone(request.Context())
	if request.GetBody != nil {
		if again.Body, err = request.GetBody(); err != nil {
			return nil, err
		}
	}
	again.Header.Set("Authorization", "Bearer "+token)
	return http.DefaultTransport.RoundTrip(again)
}
