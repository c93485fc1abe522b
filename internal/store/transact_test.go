package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
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
			err := s.Transact(ctx, func(context.Context, network.Tx) error {
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
		err := s.Transact(ctx, func(context.Context, network.Tx) error { runs++; return network.ErrStale })
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
		if err := s.Transact(ctx, func(context.Context, network.Tx) error { return boom }); !errors.Is(err, boom) {
			t.Errorf("got %v", err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = s.Transact(ctx, func(context.Context, network.Tx) error { panic("boom") })
		}()
		if err := s.Transact(ctx, func(context.Context, network.Tx) error { return nil }); err != nil {
			t.Errorf("after a panic: %v", err)
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if err := s.Transact(cancelled, func(context.Context, network.Tx) error { return nil }); err == nil {
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
	err := s.Transact(context.Background(), func(ctx context.Context, tx network.Tx) error {
		if _, err := db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			return err
		}
		_, err := tx.MemberExists(ctx, id.Member{})
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
