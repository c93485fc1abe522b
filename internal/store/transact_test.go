package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/refusal"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// A use case that was beaten runs again, and again, but not for ever; then the client may try later.
func TestTransactRunsAgain(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		for _, losses := range []int{0, 1, 5} {
			runs := 0
			_, err := s.Transact(ctx, func(context.Context, network.Tx) error {
				if runs++; runs <= losses {
					return network.ErrStale
				}
				return nil
			})
			if err != nil || runs != losses+1 {
				t.Errorf("lost %d times: ran %d times and gave %v", losses, runs, err)
			}
		}
		runs := 0
		_, err := s.Transact(ctx, func(context.Context, network.Tx) error { runs++; return network.ErrStale })
		if !errors.Is(err, refusal.ErrUnavailable) || runs < 2 || runs > 100 {
			t.Errorf("always beaten: ran %d times and gave %v", runs, err)
		}
	})
}

// A refusal, a failure and a panic leave nothing behind, and the writers' queue open.
func TestTransactRollsBack(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		boom := errors.New("boom")
		members := member.NewService(s, app.Now, app.NewID)
		ada, err := members.SignIn(ctx, member.Claims{Subject: "ada"})
		if err != nil {
			t.Fatal(err)
		}
		ben, err := members.SignIn(ctx, member.Claims{Subject: "ben"})
		if err != nil {
			t.Fatal(err)
		}
		// The fact and what tells of it go together: a failure after both, or of the second, leaves neither.
		for _, twice := range []bool{false, true} {
			nid := id.Notification(app.NewID())
			invitation := network.Invitation{ID: id.Invitation(app.NewID()), Sender: ada.ID, Recipient: ben.ID, State: network.Pending, Acquaintance: network.Other, SentAt: app.Now(), ListedAt: app.Now()}
			_, err = s.Transact(ctx, func(ctx context.Context, tx network.Tx) error {
				if inserted, err := tx.InsertInvitation(ctx, invitation); err != nil || !inserted {
					t.Errorf("inserted %v, %v", inserted, err)
				}
				draft := notification.Draft{Member: ben.ID, Category: notification.InvitationReceived, Actor: ada.ID, Invitation: invitation.ID}
				if err := tx.Notify(ctx, nid, draft, app.Now()); err != nil {
					t.Error(err)
				}
				if twice { // under the same id
					return tx.Notify(ctx, nid, draft, app.Now())
				}
				return boom
			})
			if twice == errors.Is(err, boom) || err == nil {
				t.Errorf("got %v", err)
			}
			between, err := s.Between(ctx, ada.ID, []id.Member{ben.ID})
			inbox, ierr := s.CountNotifications(ctx, ben.ID)
			numbers, nerr := s.LastNumbers(ctx, []id.Member{ben.ID})
			if err := errors.Join(err, ierr, nerr); err != nil || between[ben.ID].Open != nil || inbox != 0 || numbers[0].Number != 0 {
				t.Errorf("left behind: %v, %d notifications, number %v (%v)", between, inbox, numbers, err)
			}
		}
		func() {
			defer func() { _ = recover() }()
			_, _ = s.Transact(ctx, func(context.Context, network.Tx) error { panic("boom") })
		}()
		if _, err := s.Transact(ctx, func(context.Context, network.Tx) error { return nil }); err != nil {
			t.Errorf("after a panic: %v", err)
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := s.Transact(cancelled, func(context.Context, network.Tx) error { return nil }); err == nil {
			t.Error("ran although its time was over")
		}
	})
}

// A database that is gone is unavailable, not broken: the client may try again.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	address := storetest.EmptyPostgres(t)
	s := storetest.Open(t, address, store.Options{})
	db, _, _ := rawDB(t, address)
	_, err := s.Transact(context.Background(), func(ctx context.Context, tx network.Tx) error {
		if _, err := db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			return err
		}
		_, err := tx.Blocked(ctx, id.Member{}, id.Member{})
		return err
	})
	if !errors.Is(err, refusal.ErrUnavailable) {
		t.Errorf("a connection that was cut gave %v", err)
	}
}

// What cannot be opened says so, without its password.
func TestCannotOpen(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "mysql://x", "sqlite:", "sqlite::memory:", "postgres://user:sesame@127.0.0.1:1/x?sslmode=disable",
		"postgres://user:sesame@%zz/x", "sqlite:/dev/null/x/y.db",
	} {
		s, err := store.Open(context.Background(), address, store.Options{})
		if err == nil {
			s.Close()
			t.Errorf("%q was opened", address)
			continue
		}
		if strings.Contains(err.Error(), "sesame") {
			t.Errorf("%q: the password is in %v", address, err)
		}
	}
}
