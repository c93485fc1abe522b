package store_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/migrations"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// rawDB opens a database without a Store.
func rawDB(t *testing.T, address string) (db *sql.DB, dialect goose.Dialect, folder string) {
	t.Helper()
	driver, source, folder := "postgres", address, "postgres"
	dialect = goose.DialectPostgres
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		driver, source, folder, dialect = "sqlite", "file:"+path+"?_pragma=foreign_keys(1)&_time_format=sqlite", "sqlite", goose.DialectSQLite3
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, dialect, folder
}

// versions gives the migrations of a database, the oldest first.
func versions(t *testing.T, db *sql.DB, dialect goose.Dialect, folder string) (*goose.Provider, []int64) {
	t.Helper()
	files, err := fs.Sub(migrations.Files, folder)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	var all []int64
	for _, source := range provider.ListSources() {
		all = append(all, source.Version)
	}
	return provider, all
}

// Three servers that start at once on an empty database all come up, and it is migrated once.
func TestMigrateTogether(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		var done sync.WaitGroup
		for range 3 {
			done.Go(func() {
				s, err := store.Open(context.Background(), address, store.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				s.Close()
			})
		}
		done.Wait()
		db, dialect, folder := rawDB(t, address)
		_, all := versions(t, db, dialect, folder)
		var applied int
		if err := db.QueryRow(`SELECT COUNT(*) FROM goose_db_version WHERE version_id > 0`).Scan(&applied); err != nil || applied != len(all) {
			t.Errorf("%d migrations recorded, want %d (%v)", applied, len(all), err)
		}
	})
}

// A database newer than the program is refused, and so is an older one when migrating is off.
func TestRefuseOtherVersions(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		ctx := context.Background()
		if _, err := store.Open(ctx, address, store.Options{NoMigrate: true}); !errors.Is(err, store.ErrOlder) {
			t.Errorf("an empty database, not to be migrated, gave %v", err)
		}
		s, err := store.Open(ctx, address, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		db, _, _ := rawDB(t, address)
		if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99991231235959, ` + "true" + `)`); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(ctx, address, store.Options{}); !errors.Is(err, store.ErrNewer) {
			t.Errorf("a newer database gave %v", err)
		}
	})
}

// Data of the version before is still there, and of use, after the upgrade.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	const (
		ada, ben, cleo = "01960000-0000-7000-8000-00000000000a", "01960000-0000-7000-8000-00000000000b", "01960000-0000-7000-8000-00000000000c"
		invitation     = "01960000-0000-7000-8000-0000000000f0"
		flagged        = "01960000-0000-7000-8000-0000000000f1"
	)
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		ctx := context.Background()
		db, dialect, folder := rawDB(t, address)
		provider, all := versions(t, db, dialect, folder)
		if len(all) < 2 {
			t.Fatal("there is no version before")
		}
		if _, err := provider.UpTo(ctx, all[len(all)-2]); err != nil {
			t.Fatal(err)
		}
		for _, insert := range []string{
			`INSERT INTO members (id, subject, handle, name, created_at) VALUES ('` + ada + `', 'ada', 'ada', 'Ada', '2026-01-01 00:00:00+00:00'),
				('` + ben + `', 'ben', 'ben', 'Ben', '2026-01-01 00:00:00+00:00'), ('` + cleo + `', 'cleo', 'cleo', 'Cleo', '2026-01-01 00:00:00+00:00')`,
			`INSERT INTO inboxes (member_id, last_number) VALUES ('` + ada + `', 0), ('` + ben + `', 0), ('` + cleo + `', 0)`,
			`INSERT INTO connections (owner_id, peer_id, connected_at) VALUES ('` + ada + `', '` + ben + `', '2026-01-02 00:00:00+00:00'), ('` + ben + `', '` + ada + `', '2026-01-02 00:00:00+00:00')`,
			`INSERT INTO invitations (id, sender_id, recipient_id, pair_lo, pair_hi, state, flagged, acquaintance, sent_at) VALUES
				('` + invitation + `', '` + cleo + `', '` + ada + `', '` + ada + `', '` + cleo + `', 'pending', false, 'friend', '2026-01-03 00:00:00+00:00'),
				('` + flagged + `', '` + cleo + `', '` + ben + `', '` + ben + `', '` + cleo + `', 'withdrawn', true, 'friend', '2026-01-02 00:00:00+00:00')`,
		} {
			if _, err := db.Exec(insert); err != nil {
				t.Fatal(err)
			}
		}
		s := storetest.Open(t, address, store.Options{})
		found, err := s.MemberByHandle(ctx, "ada")
		if err != nil || found.Name != "Ada" || !found.CreatedAt.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Fatalf("%+v %v", found, err)
		}
		friends, _, err := s.Connections(ctx, found.ID, network.ConnectionPage{Limit: 10})
		if err != nil || len(friends) != 1 {
			t.Errorf("connections: %v %v", friends, err)
		}
		received, _, err := s.Received(ctx, found.ID, network.Pending, network.InvitationPage{Limit: 10})
		if err != nil || len(received) != 1 || received[0].Acquaintance != network.Friend || !received[0].ListedAt.Equal(received[0].SentAt) {
			t.Fatalf("received: %v %v", received, err)
		}
		flags, err := s.FlagCounts(ctx, time.Time{}, app.Now(), id.Member{}, 10)
		if err != nil || len(flags) != 1 || flags[0].Count != 1 || flags[0].Sender != received[0].Sender {
			t.Errorf("flags from before: %+v %v", flags, err)
		}
		// A member from before can be notified.
		service := network.NewService(s, discard{}, network.DefaultPolicy(), app.Now, app.NewID)
		if _, err := service.Respond(ctx, found.ID, received[0].ID, network.Accept, ""); err != nil {
			t.Fatal(err)
		}
		page, err := s.Notifications(ctx, received[0].Sender, notification.Page{Limit: 10})
		inbox := page.Notifications
		if err != nil || len(inbox) != 1 || inbox[0].Sequence != 1 || inbox[0].Actor != found.ID {
			t.Errorf("the sender's inbox: %+v %v", inbox, err)
		}
	})
}

// discard wakes nobody.
type discard struct{}

func (discard) Wake(...notification.Hint) {}
