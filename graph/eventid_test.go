package graph

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

func TestEventIDs(t *testing.T) {
	t.Parallel()
	ctx, next := WithEventIDs(context.Background())
	if got := next(); got != "" {
		t.Errorf("before any: %q", got)
	}
	noteEventID(ctx, "a")
	noteEventID(ctx, "b")
	for _, want := range []string{"a", "b", "", ""} {
		if got := next(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	noteEventID(context.Background(), "c") // nobody asks for ids there

	// Of another subscription, and of one inside the other, each has its own.
	other, nextOfOther := WithEventIDs(ctx)
	noteEventID(other, "d")
	if got := next(); got != "" {
		t.Errorf("took another's %q", got)
	}
	if got := nextOfOther(); got != "d" {
		t.Errorf("got %q", got)
	}
}

// Ids are noted by one goroutine and asked for by another; none is lost, and their order stays.
func TestEventIDsAtOnce(t *testing.T) {
	t.Parallel()
	const n = 1000
	ctx, next := WithEventIDs(context.Background())
	var noting sync.WaitGroup
	ready := make(chan struct{}, 1)
	noting.Go(func() {
		for i := range n {
			noteEventID(ctx, fmt.Sprint(i))
			ready <- struct{}{}
		}
	})
	for i := range n {
		<-ready
		if got := next(); got != fmt.Sprint(i) {
			t.Fatalf("got %q, want %d", got, i)
		}
	}
	noting.Wait()
}

func TestLastEventID(t *testing.T) {
	t.Parallel()
	if got := lastEventID(context.Background()); got != nil {
		t.Errorf("without one: %q", *got)
	}
	for _, id := range []string{"", "x"} {
		if got := lastEventID(WithLastEventID(context.Background(), id)); got == nil || *got != id {
			t.Errorf("got %v, want %q", got, id)
		}
	}
}
