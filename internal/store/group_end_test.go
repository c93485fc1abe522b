package store_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// An invitation that was changed without a lock, as nothing of ours does, is noticed before the commit.
func TestGroupOnWhatIsStale(t *testing.T) {
	t.Parallel()
	g := newGrouping(t, 2)
	inv, err := g.invite(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	_, err = g.TransactTogether(context.Background(), network.About{Invitation: inv.ID}, func(ctx context.Context, tx network.Tx) error {
		if _, err := tx.Lock(ctx, inv.Sender, inv.Recipient); err != nil {
			return err
		}
		before, err := tx.Invitation(ctx, inv.ID)
		if err != nil {
			return err
		}
		if runs++; runs == 1 {
			if _, err := g.db.ExecContext(ctx, "UPDATE invitations SET state = 'ignored' WHERE id = $1", uuid.UUID(inv.ID).String()); err != nil {
				return err
			}
		}
		after := before
		after.Reminders++
		after.RemindedAt = app.Now()
		return tx.ReplaceInvitation(ctx, before, after)
	})
	if err != nil || runs != 2 {
		t.Errorf("ran %d times: %v", runs, err)
	}
	found, err := g.InvitationsByID(t.Context(), []id.Invitation{inv.ID})
	if err != nil || len(found) != 1 || found[0].State != network.Ignored || found[0].Reminders != 1 {
		t.Errorf("there is %v, %v", found, err)
	}
}

// A migration of another version that changes a column's type keeps no use case from being done, in a group or alone.
func TestColumnsOfOtherTypes(t *testing.T) {
	t.Parallel()
	address := storetest.EmptyPostgres(t)
	g := newGroupingAt(t, address, 60)
	g.Store = storetest.Open(t, address, store.Options{Alone: true})
	g.network = network.NewService(g.Store, unwoken{}, network.DefaultPolicy(), app.Now, app.NewID)
	for n := 0; n < len(g.members); n += 2 {
		if n == len(g.members)/2 {
			if _, err := g.db.ExecContext(t.Context(), "ALTER TABLE invitations ALTER reminders TYPE int"); err != nil {
				t.Fatal(err)
			}
		}
		inv, err := g.invite(n, n+1)
		if err == nil {
			_, err = g.network.Respond(t.Context(), inv.Recipient, inv.ID, network.Accept, "")
		}
		if err != nil {
			t.Fatalf("%d: %v", n, err)
		}
	}
}
