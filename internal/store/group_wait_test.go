package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// Members whom something keeps locked, as a node that is frozen does, hold up what is about them and nothing else.
func TestGroupsBesideLockedMembers(t *testing.T) {
	t.Parallel()
	const invites = 20
	g := newGroupingAt(t, storetest.EmptyPostgres(t), 80)
	locked := 2 * g.GroupsAtOnce() // every second of the first
	held, err := g.db.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Rollback() //nolint:errcheck // read only
	for n := 0; n < locked; n += 2 {
		if _, err := held.ExecContext(t.Context(), "SELECT FROM inboxes WHERE member_id = $1 FOR UPDATE", g.members[n].String()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // as of a request
	defer cancel()
	var all, others sync.WaitGroup
	for n := 0; n < locked; n += 2 {
		all.Go(func() {
			if _, err := g.network.Invite(ctx, g.members[n+1], network.InviteInput{Recipient: g.members[n]}); err == nil {
				t.Error("a locked member was invited")
			}
		})
		<-g.locks
	}
	for n := locked; n < locked+2*invites; n += 2 {
		others.Go(func() {
			if _, err := g.network.Invite(ctx, g.members[n], network.InviteInput{Recipient: g.members[n+1]}); err != nil {
				t.Errorf("inviting another gave %v", err)
			}
		})
	}
	others.Wait()
	if ctx.Err() != nil {
		t.Error("the others had to wait")
	}
	cancel()
	all.Wait()
}
