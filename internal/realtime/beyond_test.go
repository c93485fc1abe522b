package realtime_test

import (
	"context"
	"testing"

	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/realtime"
)

// A cursor beyond the last number, as after the tables were put back to an older state, is passed by in silence: what
// takes the numbers up to it does not come, and what comes after it does. docs/operations.md tells operators so.
func TestCursorBeyondTheEnd(t *testing.T) {
	t.Parallel()
	m, source := memberOf(1), newShelf()
	for range 3 {
		source.add(m)
	}
	hub := newHub(t, source, 0)
	got, after := make(chan int64, 10), int64(5)
	if err := hub.Listen(t.Context(), m, &after, realtime.Quick, realtime.Each(func(_ context.Context, n notification.Notification) error {
		got <- n.Sequence
		return nil
	})); err != nil {
		t.Fatal(err)
	}
	for range 4 { // 4 to 7
		hub.Wake(notification.Hint{Member: m, Number: source.add(m)})
		hub.Rest()
	}
	for want := int64(6); want <= 7; want++ {
		if n := arrives(t, got, "what is beyond the cursor"); n != want {
			t.Errorf("got %d, want %d", n, want)
		}
	}
	if len(got) > 0 {
		t.Errorf("and %d", <-got)
	}
}
