package auth

import (
	"log/slog"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/acquaint/acquaint/internal/member"
)

// The log has why a token was refused, and nothing of what is in it.
func TestReasons(t *testing.T) {
	t.Parallel()
	secret, now := []byte("a secret that is long enough for HS256"), time.Now()
	v, err := NewVerifier(t.Context(), Config{Secret: secret, Issuer: "us", Audience: "here"}, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	signed := func(secret []byte, subject, issuer, audience string, at time.Time) string {
		t.Helper()
		token, err := Sign(secret, member.Claims{Subject: subject}, issuer, audience, at, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	claims := func(method jwt.SigningMethod, c jwt.MapClaims) string {
		t.Helper()
		token, err := jwt.NewWithClaims(method, c).SignedString(secret)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	for want, token := range map[string]string{
		"expired":                     signed(secret, "x", "us", "here", now.Add(-2*time.Hour)),
		"for another audience":        signed(secret, "x", "us", "there", now),
		"of another issuer":           signed(secret, "x", "them", "here", now),
		"not valid yet":               claims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": "x", "iss": "us", "aud": "here", "exp": now.Add(time.Hour).Unix(), "nbf": now.Add(time.Minute).Unix()}),
		"a required claim is missing": claims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": "x", "iss": "us", "aud": "here"}),
		"malformed":                   "nonsense",
		"no usable subject":           signed(secret, "", "us", "here", now),
		"the signature is not valid, or of another algorithm": signed([]byte("another secret, as long as the first"), "x", "us", "here", now),
	} {
		_, _, err := v.Verify(t.Context(), token)
		if err == nil {
			t.Errorf("%s: it is good", want)
		} else if got := reasonOf(err); got != want {
			t.Errorf("got %q, want %q: %v", got, want, err)
		}
	}
}
