package broker

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// What is encoded is decoded as it was.
func TestMessages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		node := id.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "node"))
		hints := rapid.SliceOf(rapid.Custom(func(t *rapid.T) notification.Hint {
			return notification.Hint{
				Log:    notification.Log(rapid.IntRange(0, 1).Draw(t, "log")),
				Member: id.Member(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "member")),
				Number: rapid.Int64Range(0, 1<<62).Draw(t, "number"),
			}
		})).Draw(t, "hints")
		from, got, err := decode(encode(node, hints))
		if err != nil || from != node || !slices.Equal(got, hints) {
			t.Fatalf("%v %v %v", from, got, err)
		}
	})
}

// Whatever comes over the network is a message or an error.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(encode(id.UUID{1}, []notification.Hint{{Member: id.Member{2}, Number: 300}}))
	f.Fuzz(func(t *testing.T, message []byte) {
		node, hints, err := decode(message)
		if err != nil {
			return
		}
		again, same, err := decode(encode(node, hints))
		if err != nil || again != node || !slices.Equal(same, hints) {
			t.Errorf("%v and %v", hints, same)
		}
	})
}
