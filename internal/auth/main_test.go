package auth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

func TestMain(m *testing.M) {
	code := storetest.Main(m)
	http.DefaultClient.CloseIdleConnections() // it fetches the key sets
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

var (
	quiet  = slog.New(slog.DiscardHandler)
	secret = []byte("0123456789abcdef0123456789abcdef") // as short as may be
	begun  = time.Date(2026, time.January, 31, 8, 0, 0, 0, time.UTC)
)

// clock has stopped, so that an expiry can be tested to the second.
func clock() time.Time { return begun }

func newVerifier(t *testing.T, config auth.Config) *auth.Verifier {
	t.Helper()
	v, err := auth.NewVerifier(t.Context(), config, clock, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// good are the claims of a good token; with changes them.
func good() jwt.MapClaims {
	return jwt.MapClaims{"sub": "ann", "exp": begun.Add(time.Hour).Unix()}
}

func with(changes jwt.MapClaims) jwt.MapClaims {
	claims := good()
	maps.Copy(claims, changes)
	return claims
}

func without(name string) jwt.MapClaims {
	claims := good()
	delete(claims, name)
	return claims
}

// sign makes a token; a kid of "" is none.
func sign(t *testing.T, method jwt.SigningMethod, kid string, key any, claims jwt.Claims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	if kid != "" {
		token.Header["kid"] = kid
	}
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func hs256(t *testing.T, claims jwt.Claims) string {
	t.Helper()
	return sign(t, jwt.SigningMethodHS256, "", secret, claims)
}

// check verifies a token, which must be good, or else ErrBadToken and nothing of it told.
func check(t *testing.T, v *auth.Verifier, token string, wantGood bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	claims, expires, err := v.Verify(ctx, token)
	switch {
	case wantGood && (err != nil || claims.Subject == "" || !expires.After(begun)):
		t.Errorf("refused: %v (%+v, %v)", err, claims, expires)
	case !wantGood && !errors.Is(err, auth.ErrBadToken):
		t.Errorf("took it for %+v until %v (error %v)", claims, expires, err)
	case !wantGood && (claims.Subject != "" || !expires.IsZero()):
		t.Errorf("refused it, and yet told %+v, %v", claims, expires)
	}
}
