package store_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/store"
)

// A use case about two members who are never free at once has its turn all the same.
func TestGroupsAreFair(t *testing.T) {
	t.Parallel()
	member := func(n byte) id.Member { return id.Member{15: n} }
	const ada, ben = 1, 2
	ctx := t.Context()
	groups := store.NewGroups()
	crowd := byte(10)
	want := func(hot byte) {
		for range 3 {
			crowd++
			groups.Wait(ctx, network.About{Sender: member(crowd), Recipient: member(hot)})
		}
	}
	want(ada)
	_, endAda := groups.Take()
	want(ben)
	_, endBen := groups.Take()
	both := network.About{Sender: member(ada), Recipient: member(ben)}
	groups.Wait(ctx, both)
	for range 10 {
		var taken []network.About
		want(ada)
		endAda()
		if taken, endAda = groups.Take(); slices.Contains(taken, both) {
			return
		}
		want(ben)
		endBen()
		if taken, endBen = groups.Take(); slices.Contains(taken, both) {
			return
		}
	}
	t.Error("others are always first")
}

// Who has waited until there is little time left does not make that the time of a group.
func TestGroupsAreOfThoseWithTime(t *testing.T) {
	t.Parallel()
	groups := store.NewGroups()
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	late := groups.Wait(soon, network.About{Sender: id.Member{1}, Recipient: id.Member{2}})
	other := network.About{Sender: id.Member{3}, Recipient: id.Member{4}}
	groups.Wait(t.Context(), other)
	if taken, _ := groups.Take(); !slices.Equal(taken, []network.About{other}) || !late() {
		t.Errorf("took %v", taken)
	}
}
