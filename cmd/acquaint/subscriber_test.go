package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// readDeadline is after how long without a word subscribers give a connection up, in most tests.
const readDeadline = 2 * time.Second

// subscriber is a member who listens all the time. What heard and after hold is its goroutine's.
type subscriber struct {
	name  string
	id    string // of the member
	heard []event
	after string // the cursor of the latest of them

	newest  atomic.Pointer[event]
	cuts    atomic.Int64 // connections that were lost
	resumed atomic.Int64 // connections over which something came after what the ones before had brought
}

func newSubscriber(i int) *subscriber { return &subscriber{name: fmt.Sprint("listener", i)} }

// event is a notification as a subscriber had it, or as it is in the inbox.
type event struct {
	Cursor string
	Node   told
}

// told is what a notification tells.
type told struct {
	Sequence   int64
	Category   string
	Invitation struct{ ID string }
}

const eventFields = `cursor node { sequence category
	... on InvitationReceivedNotification { invitation { id } } ... on InvitationAcceptedNotification { invitation { id } } }`

// listen has a subscriber listen for as long as ctx lasts, on one node after the other, each time after what it has had last.
func (c *cluster) listen(ctx context.Context, s *subscriber) {
	for ctx.Err() == nil {
		_ = c.subscribe(ctx, s)
	}
}

// subscribe listens over one connection, until that ends; in most tests it is lost by itself after a while.
func (c *cluster) subscribe(ctx context.Context, s *subscriber) error {
	node := c.oneOf(ctx, c.listens)
	if node == nil {
		return ctx.Err()
	}
	node.listening.Add(1)
	defer c.goesOn()
	defer node.listening.Add(-1)
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: readDeadline}
	ws, response, err := dialer.DialContext(ctx, "ws://"+node.address+"/graphql", nil)
	if err != nil {
		return err
	}
	response.Body.Close()
	defer ws.Close()
	stop := context.AfterFunc(ctx, func() { ws.Close() })
	defer stop()
	if c.cutWithin > 0 {
		lost := time.AfterFunc(rand.N(c.cutWithin), func() { c.cut(ws.NetConn(), s, node) })
		defer lost.Stop()
	}
	for _, message := range []any{
		map[string]any{"type": "connection_init", "payload": map[string]string{"Authorization": "Bearer " + token(s.name)}},
		map[string]any{"type": "subscribe", "id": "1", "payload": map[string]any{
			"query":     `subscription($a: String) { notificationReceived(after: $a) { ` + eventFields + ` } }`,
			"variables": map[string]any{"a": s.after},
		}},
	} {
		if err := ws.WriteJSON(message); err != nil {
			return err
		}
	}
	return c.read(ws, s, node)
}

// cut loses a connection, in order or not.
func (c *cluster) cut(conn net.Conn, s *subscriber, node *process) {
	if tcp, ok := conn.(*net.TCPConn); ok && rand.IntN(2) == 0 {
		_ = tcp.SetLinger(0) // with a reset, and whatever was under way is gone
	}
	if conn.Close() == nil { // by nobody else
		s.cuts.Add(1)
		node.cuts.Add(1)
	}
}

// read notes what comes over a connection, until that ends.
func (c *cluster) read(ws *websocket.Conn, s *subscriber, node *process) error {
	resumes := s.after != ""
	for {
		if err := ws.SetReadDeadline(time.Now().Add(c.silence)); err != nil {
			return err
		}
		var m struct {
			Type    string
			Payload struct {
				Data   struct{ NotificationReceived event }
				Errors json.RawMessage
			}
		}
		if err := ws.ReadJSON(&m); err != nil {
			return err
		}
		switch m.Type {
		case "ping":
			if err := ws.WriteJSON(map[string]string{"type": "pong"}); err != nil {
				return err
			}
		case "next":
			if m.Payload.Errors != nil {
				return fmt.Errorf("an event failed: %s", m.Payload.Errors)
			}
			e := m.Payload.Data.NotificationReceived
			s.after = e.Cursor
			s.heard = append(s.heard, e)
			s.newest.Store(&e)
			if resumes {
				resumes = false
				s.resumed.Add(1)
			}
			c.ledger.heard(fact{e.Node.Invitation.ID, e.Node.Category}, node)
			c.had.Add(1)
			c.goesOn()
		case "error", "complete":
			return errNoAnswer
		}
	}
}

// inbox reads all that a subscriber was told, oldest first.
func (c *cluster) inbox(s *subscriber) []event {
	c.t.Helper()
	var (
		all   []event
		after *string
	)
	for {
		var data struct {
			Viewer struct {
				Notifications struct {
					PageInfo struct {
						HasNextPage bool
						EndCursor   *string
					}
					Edges []event
				}
			}
		}
		if err := insist(c.t.Context(), c.nodes[0].address, s.name,
			`query($a: String) { viewer { notifications(first: 100, after: $a) { pageInfo { hasNextPage endCursor } edges { `+eventFields+` } } } }`,
			map[string]any{"a": after}, &data); err != nil {
			c.t.Fatal(err)
		}
		all = append(all, data.Viewer.Notifications.Edges...)
		if !data.Viewer.Notifications.PageInfo.HasNextPage {
			slices.Reverse(all)
			return all
		}
		after = data.Viewer.Notifications.PageInfo.EndCursor
	}
}

// awaitNewest waits until the subscribers have had these invitations last, each its own, or have had the time to connect
// once more for it.
func (c *cluster) awaitNewest(invitations []string) {
	late := time.After(2 * readDeadline)
	for i := 0; i < len(invitations); {
		if newest := c.subscribers[i].newest.Load(); newest != nil && newest.Node.Invitation.ID == invitations[i] {
			i++
			continue
		}
		select {
		case <-c.progress:
		case <-late:
			return
		}
	}
}

// catchUp has a subscriber that has left come back for what it has not had, of as many events as there are.
func (c *cluster) catchUp(s *subscriber, events int) {
	within, done := context.WithTimeout(c.t.Context(), patience)
	defer done()
	for within.Err() == nil && len(s.heard) < events {
		until, stop := context.WithTimeout(within, readDeadline)
		_ = c.subscribe(until, s)
		stop()
	}
}
