package graphqlws_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/internal/graphqlws"
)

// ending is what Options.Closing was told of a connection.
type ending struct {
	byPeer bool
	code   int
}

// Each connection's end is told once, with the code and by whom, and so is each limit that a client runs into.
func TestEndsAndLimitsAreTold(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		do     func(t *testing.T, s *server)
		ends   []ending
		limits []string
	}{
		"not of the protocol": {func(_ *testing.T, s *server) {
			c := s.enter("ann")
			c.send("nonsense")
			c.expectClose(4400)
		}, []ending{{false, 4400}}, nil},
		"by the client": {func(_ *testing.T, s *server) {
			c := s.enter("ann")
			_ = c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
			c.expectClose(websocket.CloseNormalClosure)
		}, []ending{{true, websocket.CloseNormalClosure}}, nil},
		"lost": {func(_ *testing.T, s *server) {
			s.enter("ann").Close()
		}, []ending{{true, websocket.CloseAbnormalClosure}}, nil},
		"too long a message": {func(_ *testing.T, s *server) {
			c := s.enter("ann")
			c.send(strings.Repeat("x", 2000))
			c.expectClose(websocket.CloseMessageTooBig)
		}, []ending{{false, websocket.CloseMessageTooBig}}, []string{"message_size"}},
		"too many messages": {func(_ *testing.T, s *server) {
			c := s.enter("ann")
			for range 20 {
				_ = c.WriteMessage(websocket.TextMessage, []byte(`{"type":"pong"}`))
			}
			c.expectClose(4429)
		}, []ending{{false, 4429}}, []string{"message_rate"}},
		"too many operations, subscriptions and sockets": {func(t *testing.T, s *server) {
			t.Helper()
			c := s.enter("ann")
			c.subscribe("1", subscribeEvents)
			c.subscribe("2", subscribeEvents)
			c.expectError("2")
			c.subscribe("2", `{ hold }`)
			wait(t, s.held, "the query")
			c.subscribe("3", `{ hello }`)
			c.expectError("3")
			if _, ok := s.transport.AcquireSubscription("ann"); ok {
				t.Error("one more subscription elsewhere")
			}
			other := s.dial()
			other.init("ann")
			other.expectClose(4429)
			c.Close()
			wait(t, s.gone, "the end")
		}, []ending{{false, 4429}, {true, websocket.CloseAbnormalClosure}}, []string{"socket_operations", "sockets", "subscriptions", "subscriptions"}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var (
				mu     sync.Mutex
				ends   []ending
				limits []string
			)
			s := start(t, graphqlws.Options{
				MaxMessage: 1000, MaxOperations: 2, MaxSubscriptions: 1, MaxConnections: 1, MessageRate: 0.001, MessageBurst: 10,
				Closing: func(byPeer bool, code int) {
					mu.Lock()
					defer mu.Unlock()
					ends = append(ends, ending{byPeer, code})
				},
				Limited: func(limit string) {
					mu.Lock()
					defer mu.Unlock()
					limits = append(limits, limit)
				},
			})
			c.do(t, s)
			wait(t, s.gone, "the end of the connection")
			mu.Lock()
			defer mu.Unlock()
			slices.Sort(limits)
			if !slices.Equal(ends, c.ends) || !slices.Equal(limits, c.limits) {
				t.Errorf("told of ends %v and limits %v, want %v and %v", ends, limits, c.ends, c.limits)
			}
		})
	}
}
