package graph

import (
	"slices"
	"testing"

	"github.com/acquaint/acquaint/internal/notification"
)

// What is not wanted, and what no type shows, as of a newer node, is passed over; the rest keeps its order.
func TestShownOf(t *testing.T) {
	t.Parallel()
	row := func(sequence int64, c notification.Category) notification.Notification {
		return notification.Notification{Sequence: sequence, Category: c}
	}
	rows := []notification.Notification{
		row(1, notification.Like), row(2, "unheard of"), row(3, notification.Message), row(4, notification.Like), row(5, notification.Mention),
	}
	for _, c := range []struct {
		what   string
		rows   []notification.Notification
		wanted []notification.Category // nil for whatever comes
		want   []int64
	}{
		{"all", rows, nil, []int64{1, 3, 4, 5}},
		{"some", rows, []notification.Category{notification.Like}, []int64{1, 4}},
		{"the last alone", rows, []notification.Category{notification.Mention}, []int64{5}},
		{"none", rows, []notification.Category{}, nil},
		{"whatever there is", rows[2:], nil, []int64{3, 4, 5}},
		{"nothing", nil, nil, nil},
	} {
		before := slices.Clone(c.rows)
		var got []int64
		wanted := func(n *notification.Notification) bool {
			return c.wanted == nil || slices.Contains(c.wanted, n.Category)
		}
		for _, n := range shownOf(c.rows, wanted) {
			got = append(got, n.Sequence)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
		if !slices.Equal(c.rows, before) {
			t.Errorf("%s: the rows were changed", c.what)
		}
	}
}
