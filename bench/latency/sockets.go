package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/bench/internal/harness"
)

// subscription is what recipients have open.
const subscription = `subscription { notificationReceived { cursor node { __typename id sequence category createdAt` +
	` ... on InvitationReceivedNotification { reminder } } } }`

// recipient is a member with a socket. At most one invitation at a time is on its way to it, so that the next frame is of
// that.
type recipient struct {
	sync.Mutex

	id     string
	socket *websocket.Conn
	frames chan time.Time // when each came; closed when the socket is
}

// connect opens the sockets of recipients, members 1 to n.
func connect(url string, n int) ([]*recipient, error) {
	out := make([]*recipient, 0, n)
	for i := range n {
		r, err := open(url, i+1)
		if err != nil {
			closeAll(out)
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func closeAll(recipients []*recipient) {
	for _, r := range recipients {
		r.socket.Close()
	}
}

func open(url string, n int) (*recipient, error) {
	token, err := harness.Token(harness.Subject(n))
	if err != nil {
		return nil, err
	}
	id, err := harness.GlobalID(n)
	if err != nil {
		return nil, err
	}
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	socket, response, err := dialer.Dial("ws"+strings.TrimPrefix(url, "http")+"/graphql", nil)
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	r := &recipient{id: id, socket: socket, frames: make(chan time.Time, 1)}
	type object = map[string]any
	for _, step := range []struct {
		send   object
		answer string
	}{
		{object{"type": "connection_init", "payload": object{"Authorization": "Bearer " + token}}, "connection_ack"},
		{object{"type": "subscribe", "id": "1", "payload": object{"query": subscription}}, ""},
		{object{"type": "ping"}, "pong"}, // the subscription has started when it is answered
	} {
		if err := socket.WriteJSON(step.send); err != nil {
			return nil, err
		}
		if step.answer == "" {
			continue
		}
		if kind, raw, err := read(socket); err != nil || kind != step.answer {
			return nil, errors.Join(err, fmt.Errorf("got %s instead of %s", raw, step.answer))
		}
	}
	go r.listen()
	return r, nil
}

func read(socket *websocket.Conn) (kind string, raw []byte, err error) {
	_, raw, err = socket.ReadMessage()
	if err != nil {
		return "", nil, err
	}
	var got struct {
		Type string `json:"type"`
	}
	err = json.Unmarshal(raw, &got)
	return got.Type, raw, err
}

// listen notes when frames come, until the socket is closed.
func (r *recipient) listen() {
	defer close(r.frames)
	for {
		_, raw, err := r.socket.ReadMessage()
		if err != nil {
			return
		}
		at := time.Now()
		if strings.Contains(string(raw), `"next"`) {
			r.frames <- at
		}
	}
}

// frameTimeout is after how long a frame is missed. The sweep finds after 5 s what a broker lost.
const frameTimeout = 15 * time.Second

// next waits for the next frame.
func (r *recipient) next() (time.Time, error) {
	select {
	case at, open := <-r.frames:
		if !open {
			return at, errors.New("a recipient lost its socket")
		}
		return at, nil
	case <-time.After(frameTimeout):
		return time.Time{}, errors.New("a notification did not come")
	}
}
