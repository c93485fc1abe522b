package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// Feeds are kept for as long as anybody may still read them, and not for longer.
func TestFeedsArePruned(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		var clock apptest.Clock
		s := apptest.Start(t, database, func(c *app.Config) { c.Now = clock.Now })
		tables := storetest.Open(t, database, store.Options{})
		ada, err := member.NewService(tables, app.Now, app.NewID).SignIn(t.Context(), member.Claims{Subject: "ada"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tables.Transact(t.Context(), func(ctx context.Context, tx network.Tx) error {
			return tx.Append(ctx, app.NewID(), feed.Draft{Member: ada.ID, Kind: feed.NotificationsRead})
		}); err != nil {
			t.Fatal(err)
		}
		entries := func(of id.Member) int {
			start := notification.Cursor{Member: of}
			found, err := (store.Feeds{Store: tables}).After(t.Context(), []notification.Cursor{start}, 10)
			if err != nil {
				t.Fatal(err)
			}
			return len(found[start])
		}
		clock.Advance(feed.Kept - time.Hour)
		s.RunTasks(t)
		if n := entries(ada.ID); n != 1 {
			t.Errorf("%d entries before their time", n)
		}
		clock.Advance(2 * time.Hour)
		s.RunTasks(t)
		if n := entries(ada.ID); n != 0 {
			t.Errorf("%d entries after their time", n)
		}
	})
}
