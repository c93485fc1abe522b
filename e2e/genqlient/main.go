// Command genqlient is a Go client of Acquaint made with genqlient, as an application would use it; make e2e runs it.
//
//	genqlient viewer                   prints the viewer
//	genqlient invite MEMBER [NOTE]     prints what became of it
//	genqlient watch [AFTER]            prints every notification, a line of JSON each, until it is ended
//
// ACQUAINT_URL is the server, TOKEN_URL where the user ACQUAINT_AS gets a token.
package main

//go:generate go tool genqlient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/Khan/genqlient/graphql"
	"github.com/gorilla/websocket"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, append(os.Args[1:], "", "", "")); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	endpoint := os.Getenv("ACQUAINT_URL") + "/graphql"
	tokens := &session{url: os.Getenv("TOKEN_URL"), user: os.Getenv("ACQUAINT_AS")}
	client := graphql.NewClient(endpoint, &http.Client{Transport: tokens})
	out := json.NewEncoder(os.Stdout)
	switch args[0] {
	case "viewer":
		inbox, err := Inbox(ctx, client)
		if err != nil {
			return err
		}
		return out.Encode(&inbox.Viewer)
	case "invite":
		var note *string
		if args[2] != "" {
			note = &args[2]
		}
		answer, err := Invite(ctx, client, args[1], note)
		if err != nil {
			return err
		}
		return out.Encode(&answer.InviteMember)
	case "watch":
		w := watcher{endpoint: "ws" + strings.TrimPrefix(endpoint, "http"), tokens: tokens, after: &args[1], show: func(n any) error { return out.Encode(n) }}
		return w.run(ctx)
	}
	return errors.New("genqlient viewer | invite MEMBER [NOTE] | watch [AFTER]")
}

// watcher is what genqlient leaves to its users: its websocket client connects once, with one token. So each connection
// is a new client, with a fresh token, and its subscription starts after the last notification that came.
type watcher struct {
	endpoint string
	tokens   *session
	after    *string
	show     func(any) error
}

func (w *watcher) run(ctx context.Context) error {
	const least, most = 100 * time.Millisecond, 10 * time.Second
	for wait := least; ; wait = min(2*wait, most) {
		came, err := w.connect(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if refused, ok := errors.AsType[refusedError](err); ok {
			return refused
		}
		fmt.Fprintln(os.Stderr, err)
		if websocket.IsCloseError(err, 4403) {
			w.tokens.forget()
		}
		if came {
			wait = least
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

// refusedError is a subscription that the server will not run, however often it is tried.
type refusedError struct{ error }

// connect shows notifications until the connection ends, and reports whether any came.
func (w *watcher) connect(ctx context.Context) (came bool, err error) {
	token, err := w.tokens.get(ctx)
	if err != nil {
		return false, err
	}
	client := graphql.NewClientUsingWebSocket(w.endpoint, dialer{websocket.DefaultDialer},
		graphql.WithConnectionParams(map[string]any{"Authorization": "Bearer " + token}))
	broken, err := client.Start(ctx)
	if err != nil {
		return false, err
	}
	notifications, _, err := Notifications(ctx, client, w.after)
	if err != nil {
		return false, err
	}
	for {
		select {
		case n, more := <-notifications:
			if !more {
				return came, errors.New("the server completed the subscription")
			}
			if n.Errors != nil {
				return came, refusedError{n.Errors}
			}
			came = true
			w.after = &n.Data.NotificationReceived.Cursor
			if err := w.show(&n.Data.NotificationReceived); err != nil {
				return came, refusedError{err}
			}
		case err := <-broken:
			return came, err
		case <-ctx.Done():
			return came, client.Close()
		}
	}
}

// dialer makes of gorilla's what genqlient takes.
type dialer struct{ *websocket.Dialer }

func (d dialer) DialContext(ctx context.Context, url string, header http.Header) (graphql.WSConn, error) {
	conn, response, err := d.Dialer.DialContext(ctx, url, header)
	if response != nil {
		_ = response.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	return conn, nil
}
