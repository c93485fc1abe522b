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
		wanted []notification.Category
		want   []int64
	}{
		{"all", rows, notification.Categories(), []int64{1, 3, 4, 5}},
		{"some", rows, []notification.Category{notification.Like}, []int64{1, 4}},
		{"the last alone", rows, []notification.Category{notification.Mention}, []int64{5}},
		{"none", rows, nil, nil},
		{"whatever there is", rows[2:], notification.Categories(), []int64{3, 4, 5}},
		{"nothing", nil, notification.Categories(), nil},
	} {
		before := slices.Clone(c.rows)
		var got []int64
		for _, n := range shownOf(c.rows, func(n *notification.Notification) bool { return slices.Contains(c.wanted, n.Category) }) {
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
