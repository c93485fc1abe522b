package auth_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

func newID() id.UUID { return id.UUID(uuid.Must(uuid.NewV7())) }

func newAuthenticator(t *testing.T, s *store.Store) *auth.Authenticator {
	t.Helper()
	return auth.NewAuthenticator(newVerifier(t, auth.Config{Secret: secret}), member.NewService(s, clock, newID), clock, quiet)
}

// viewer signs in with the claims, which must succeed, and gives the member as it is kept.
func viewer(t *testing.T, a *auth.Authenticator, s *store.Store, claims jwt.MapClaims) member.Member {
	t.Helper()
	v, err := a.Authenticate(t.Context(), "Bearer "+hs256(t, claims))
	if err != nil || v == nil {
		t.Fatalf("got %v, %v", v, err)
	}
	subject, _ := claims["sub"].(string)
	kept, err := s.MemberBySubject(t.Context(), subject)
	if err != nil || kept.ID != v.Member {
		t.Fatalf("the viewer is %v, and the subject's member %v (%v)", v.Member, kept.ID, err)
	}
	return kept
}

func TestAuthorization(t *testing.T) {
	t.Parallel()
	a := newAuthenticator(t, storetest.Open(t, storetest.EmptySQLite(t), store.Options{}))
	token := hs256(t, good())
	for _, c := range []struct {
		what, authorization string
		good                bool
	}{
		{"usual", "Bearer " + token, true},
		{"small letters", "bearer " + token, true},
		{"capitals", "BEARER " + token, true},
		{"more blanks", "Bearer   " + token + " ", true},
		{"another scheme", "Basic " + token, false},
		{"a scheme that begins so", "BearerX " + token, false},
		{"no scheme", token, false},
		{"no token", "Bearer", false},
		{"blank token", "Bearer  ", false},
		{"blank", " ", false},
		{"two tokens", "Bearer " + token + ", Bearer " + token, false},
		{"a bad token", "Bearer " + token + "x", false},
		{"no usable subject", "Bearer " + hs256(t, without("sub")), false},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			v, err := a.Authenticate(t.Context(), c.authorization)
			switch {
			case c.good && (err != nil || v == nil || !v.Expires.Equal(begun.Add(time.Hour))):
				t.Errorf("got %v, %v", v, err)
			case !c.good && (err != auth.ErrBadToken || v != nil): //nolint:errorlint // nothing of the reason may be in it
				t.Errorf("got %v, %v", v, err)
			}
		})
	}
	if v, err := a.Authenticate(t.Context(), ""); v != nil || err != nil {
		t.Errorf("without any: %v, %v", v, err)
	}
}

func TestMemberIsMadeOnce(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		a := newAuthenticator(t, s)
		first := viewer(t, a, s, with(jwt.MapClaims{"name": "Ann", "preferred_username": "annie", "email": "a@x.example"}))
		if first.Name != "Ann" || first.Handle != "annie" || first.Email != "a@x.example" {
			t.Errorf("made %+v", first)
		}
		if again := viewer(t, a, s, good()); again.ID != first.ID {
			t.Error("a second member was made")
		}
		// Nor does another process, or this one when it has forgotten, make another.
		if again := viewer(t, newAuthenticator(t, s), s, good()); again.ID != first.ID {
			t.Error("a second member was made")
		}
		if ben := viewer(t, a, s, with(jwt.MapClaims{"sub": "ben"})); ben.ID == first.ID {
			t.Error("two subjects are one member")
		}
		if upper := viewer(t, a, s, with(jwt.MapClaims{"sub": "ANN"})); upper.ID == first.ID {
			t.Error("two subjects are one member")
		}
	})
}

func TestConcurrentFirstRequests(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		const requests = 20
		token := "Bearer " + hs256(t, with(jwt.MapClaims{"name": "Ann", "email": "a@x.example"}))
		one, other := newAuthenticator(t, s), newAuthenticator(t, s) // as two processes
		type outcome struct {
			viewer *auth.Viewer
			err    error
		}
		outcomes, begin := make(chan outcome, requests), make(chan struct{})
		for i := range requests {
			a := one
			if i%2 == 1 {
				a = other
			}
			go func() {
				<-begin
				v, err := a.Authenticate(t.Context(), token)
				outcomes <- outcome{v, err}
			}()
		}
		close(begin)
		members := map[id.Member]int{}
		for range requests {
			o := <-outcomes
			if o.err != nil {
				t.Error(o.err)
				continue
			}
			members[o.viewer.Member]++
		}
		kept, err := s.MemberBySubject(t.Context(), "ann")
		if err != nil || len(members) != 1 || members[kept.ID] != requests {
			t.Errorf("the members are %v, and %v is kept (%v)", members, kept.ID, err)
		}
	})
}

func TestLaterTokenChangesTheEmailOnly(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		a := newAuthenticator(t, s)
		first := viewer(t, a, s, with(jwt.MapClaims{
			"name": "Ann", "preferred_username": "annie", "email": "a@x.example", "picture": "https://x.example/a.png",
		}))
		later := viewer(t, a, s, with(jwt.MapClaims{
			"name": "Anna", "preferred_username": "anna", "email": "b@x.example", "picture": "https://x.example/b.png",
		}))
		want := first
		want.Email = "b@x.example"
		if later != want {
			t.Errorf("got  %+v\nwant %+v", later, want)
		}
		// No email, or none that can be one, is no news.
		for _, claims := range []jwt.MapClaims{good(), with(jwt.MapClaims{"email": "nonsense"})} {
			if kept := viewer(t, a, s, claims); kept != want {
				t.Errorf("after %v: %+v", claims, kept)
			}
		}
	})
}

// The email is that of the latest token, although the one before the last said the same.
func TestEmailAndBack(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.EmptySQLite(t), store.Options{})
	a := newAuthenticator(t, s)
	for _, email := range []string{"a@x.example", "b@x.example", "a@x.example"} {
		if kept := viewer(t, a, s, with(jwt.MapClaims{"email": email})); kept.Email != email {
			t.Errorf("the token says %s, and kept is %s", email, kept.Email)
		}
	}
}

// When the database is away, that is no fault of the token.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.EmptySQLite(t), store.Options{})
	a := newAuthenticator(t, s)
	s.Close()
	v, err := a.Authenticate(t.Context(), "Bearer "+hs256(t, good()))
	if v != nil || err == nil || errors.Is(err, auth.ErrBadToken) {
		t.Errorf("got %v, %v", v, err)
	}
}

func TestViewerOfContext(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	if auth.ViewerOf(ctx) != nil {
		t.Error("somebody out of nothing")
	}
	v := &auth.Viewer{Expires: begun}
	if auth.ViewerOf(auth.WithViewer(ctx, v)) != v || auth.ViewerOf(auth.WithViewer(ctx, nil)) != nil {
		t.Error("another viewer than was put in")
	}
}
