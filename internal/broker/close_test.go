package broker_test

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"

	"github.com/acquaint/acquaint/internal/broker"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// lines are what was logged.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// That a node lets go of its connections is nothing to warn of.
func TestCloseIsQuiet(t *testing.T) {
	t.Parallel()
	var logged lines
	b, err := broker.NewPostgres(storetest.EmptyPostgres(t), slog.New(slog.NewTextHandler(&logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	caughtUp := make(chan struct{}, 1)
	b.Subscribe(func(...notification.Hint) {}, func() {
		select {
		case caughtUp <- struct{}{}:
		default:
		}
	})
	for !b.Connected() {
		<-caughtUp
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if logged.text.Len() > 0 {
		t.Errorf("logged %s", &logged.text)
	}
}
