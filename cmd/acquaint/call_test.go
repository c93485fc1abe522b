package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"
)

var errNoAnswer = errors.New("no answer")

// callTimeout is after how long a client gives up, unless its context ends before.
const callTimeout = 15 * time.Second

// unanswered is an errNoAnswer, with what the client knows of it.
type unanswered struct {
	cause  error
	reused bool // it was asked over a connection over which there were answers before
}

func (u *unanswered) Error() string {
	return fmt.Sprintf("no answer (over a connection that was used before: %v): %v", u.reused, u.cause)
}

func (u *unanswered) Unwrap() []error { return []error{errNoAnswer, u.cause} }

// failure is an answer with errors.
type failure struct{ code, answer string }

func (f *failure) Error() string { return f.answer }

// insist is call, and again as long as it is UNAVAILABLE: what comes right after a fault may still meet the end of it.
func insist(ctx context.Context, address, subject, query string, variables map[string]any, into any) error {
	for deadline := time.Now().Add(patience); ; {
		err := call(ctx, address, subject, query, variables, into)
		failed, ok := errors.AsType[*failure](err)
		if !ok || failed.code != "UNAVAILABLE" || time.Now().After(deadline) {
			return err
		}
	}
}

// into reads the id of memberQuery.
func into(id *string) any {
	return &struct {
		Viewer struct{ Member struct{ ID *string } }
	}{struct{ Member struct{ ID *string } }{struct{ ID *string }{id}}}
}

// call asks a node. It gives errNoAnswer when there is none, and a failure for one with errors.
func call(ctx context.Context, address, subject, query string, variables map[string]any, into any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var reused bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused }})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token(subject))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return &unanswered{err, reused}
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return &unanswered{err, reused}
	}
	var out struct {
		Data   json.RawMessage
		Errors []struct{ Extensions struct{ Code string } }
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return fmt.Errorf("%w: %d %s", errNoAnswer, response.StatusCode, answer)
	}
	if len(out.Errors) > 0 {
		return &failure{out.Errors[0].Extensions.Code, fmt.Sprintf("%d %s", response.StatusCode, answer)}
	}
	return json.Unmarshal(out.Data, into)
}
