package apptest

import (
	"runtime"
	"testing"
	"time"
)

// AwaitBroker waits until the server hears of what other servers on its database do.
func (s *Server) AwaitBroker(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !s.app.BrokerConnected(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the broker does not connect")
		}
	}
}
