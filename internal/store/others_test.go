package store_test

import (
	"context"
	"errors"
	"maps"
	"testing"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// block puts a block into the tables.
func block(t *testing.T, address string, blocker, blocked id.Member) {
	t.Helper()
	db, _, _ := rawDB(t, address)
	if _, err := db.Exec(`INSERT INTO blocks (blocker_id, blocked_id, blocked_at) VALUES ('` + uuid.UUID(blocker).String() + `', '` +
		uuid.UUID(blocked).String() + `', '2026-01-01 00:00:00+00:00')`); err != nil {
		t.Fatal(err)
	}
}

func signIn(t *testing.T, s *store.Store, subject string) id.Member {
	t.Helper()
	m, err := member.NewService(s, app.Now, app.NewID).SignIn(context.Background(), member.Claims{Subject: subject})
	if err != nil {
		t.Fatal(err)
	}
	return m.ID
}

// A block hides either from the other, and nobody else.
func TestHidden(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		s := storetest.Open(t, address, store.Options{})
		ada, ben, cleo, dan, eve := signIn(t, s, "ada"), signIn(t, s, "ben"), signIn(t, s, "cleo"), signIn(t, s, "dan"), signIn(t, s, "eve")
		block(t, address, ada, ben)
		block(t, address, cleo, ada)
		block(t, address, dan, ada)
		block(t, address, ada, dan)
		block(t, address, eve, ben)
		all := []id.Member{ada, ben, cleo, dan, eve}
		for _, c := range []struct {
			viewer id.Member
			others []id.Member
			want   map[id.Member]bool
		}{
			{ada, all, map[id.Member]bool{ben: true, cleo: true, dan: true}},
			{ada, []id.Member{cleo, eve}, map[id.Member]bool{cleo: true}},
			{ada, nil, map[id.Member]bool{}},
			{ben, all, map[id.Member]bool{ada: true, eve: true}},
			{cleo, all, map[id.Member]bool{ada: true}},
			{dan, all, map[id.Member]bool{ada: true}},
			{eve, all, map[id.Member]bool{ben: true}},
		} {
			got, err := s.Hidden(context.Background(), c.viewer, c.others)
			if err != nil || !maps.Equal(got, c.want) {
				t.Errorf("from %s of %v: %v (%v), want %v", c.viewer, c.others, got, err, c.want)
			}
		}
	})
}

// Nothing personal is written to an erased member, not by a request that was under way either.
func TestErasedStayErased(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		s := storetest.Open(t, address, store.Options{})
		ctx := context.Background()
		ada := signIn(t, s, "ada")
		members := member.NewService(s, app.Now, app.NewID)
		about, headline, shared := "me", "mine", true
		if _, err := members.Update(ctx, ada, member.Update{Profile: &member.ProfileChange{About: &about}}); err != nil {
			t.Fatal(err)
		}
		db, _, _ := rawDB(t, address)
		for _, statement := range []string{`DELETE FROM profiles`, `UPDATE members SET erased_at = '2026-01-01 00:00:00+00:00'`} {
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		_, err := members.Update(ctx, ada, member.Update{Headline: &headline, Profile: &member.ProfileChange{About: &about}})
		if !errors.Is(err, member.ErrNotFound) {
			t.Errorf("a profile of one who was erased gave %v", err)
		}
		if m, err := members.Update(ctx, ada, member.Update{Headline: &headline}); !errors.Is(err, member.ErrNotFound) {
			t.Errorf("a headline of one who was erased gave %+v (%v)", m, err)
		}
		if p, err := members.UpdatePrivacy(ctx, ada, member.PrivacyChange{ShareEmail: &shared}); err != nil || p.ShareEmail {
			t.Errorf("settings of one who was erased gave %+v (%v)", p, err)
		}
		if profiles, err := members.Profiles(ctx, []id.Member{ada}); err != nil || len(profiles) != 0 {
			t.Errorf("there is a profile again: %v (%v)", profiles, err)
		}
	})
}
