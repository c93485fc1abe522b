package auth_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/member"
)

func TestNewVerifier(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what   string
		config auth.Config
		good   bool
	}{
		{"nothing to check with", auth.Config{Issuer: "x"}, false},
		{"a short secret", auth.Config{Secret: secret[:auth.SecretMin-1]}, false},
		{"a short secret beside a key set", auth.Config{Secret: []byte("x"), JWKSURL: "http://127.0.0.1:1/"}, false},
		{"a secret just long enough", auth.Config{Secret: secret[:auth.SecretMin]}, true},
		{"a key set at no address", auth.Config{JWKSURL: "not a url"}, false},
		{"a key set that nobody serves", auth.Config{JWKSURL: "http://127.0.0.1:1/"}, true},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			_, err := auth.NewVerifier(t.Context(), c.config, clock, quiet)
			if (err == nil) != c.good {
				t.Fatal(err)
			}
			if err != nil && len(c.config.Secret) > 1 && strings.Contains(err.Error(), string(c.config.Secret)) {
				t.Error("the error tells the secret")
			}
		})
	}
	if auth.SecretMin != 32 {
		t.Errorf("a secret needs %d bytes", auth.SecretMin)
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, auth.Config{Secret: secret})
	got, expires, err := v.Verify(t.Context(), hs256(t, with(jwt.MapClaims{
		"name": "Ann Ó", "email": "Ann@x.example", "picture": "https://x.example/a.png", "preferred_username": "ann", "other": []int{1},
	})))
	want := member.Claims{
		Subject: "ann", Name: "Ann Ó", Email: "Ann@x.example", Picture: "https://x.example/a.png", PreferredUsername: "ann",
	}
	if err != nil || got != want || !expires.Equal(begun.Add(time.Hour)) {
		t.Fatalf("got %+v until %v, %v", got, expires, err)
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, auth.Config{Secret: secret})
	token := hs256(t, good())
	parts := strings.Split(token, ".")
	segment := func(json string) string { return base64.RawURLEncoding.EncodeToString([]byte(json)) }
	other := bytes.Repeat([]byte("z"), 32)
	none := jwt.UnsafeAllowNoneSignatureType
	for _, c := range []struct {
		what, token string
		good        bool
	}{
		{"good", token, true},
		{"another kind of typ", sign(t, jwt.SigningMethodHS256, "some-kid", secret, good()), true},
		{"wrong secret", sign(t, jwt.SigningMethodHS256, "", other, good()), false},
		{"the secret's beginning", sign(t, jwt.SigningMethodHS256, "", secret[:31], good()), false},
		{"empty secret", sign(t, jwt.SigningMethodHS256, "", []byte{}, good()), false},
		{"HS384", sign(t, jwt.SigningMethodHS384, "", secret, good()), false},
		{"HS512", sign(t, jwt.SigningMethodHS512, "", secret, good()), false},
		{"none", sign(t, jwt.SigningMethodNone, "", none, good()), false},
		{"None", segment(`{"alg":"None"}`) + "." + parts[1] + ".", false},
		{"NONE with a signature", segment(`{"alg":"NONE"}`) + "." + parts[1] + "." + parts[2], false},
		{"no alg", segment(`{"typ":"JWT"}`) + "." + parts[1] + "." + parts[2], false},
		{"alg null", segment(`{"alg":null}`) + "." + parts[1] + "." + parts[2], false},
		{"alg in small letters", segment(`{"alg":"hs256"}`) + "." + parts[1] + "." + parts[2], false},
		{"signature missing", parts[0] + "." + parts[1] + ".", false},
		{"two parts", parts[0] + "." + parts[1], false},
		{"four parts", token + ".x", false},
		{"other claims", parts[0] + "." + segment(`{"sub":"ben","exp":9999999999}`) + "." + parts[2], false},
		{"empty", "", false},
		{"dots", "..", false},
		{"nonsense", "nonsense", false},
		{"a blank in it", parts[0] + ". " + parts[1] + "." + parts[2], false},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			check(t, v, c.token, c.good)
		})
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, auth.Config{Secret: secret})
	at := func(d time.Duration) int64 { return begun.Add(d).Unix() }
	for _, c := range []struct {
		what   string
		claims jwt.MapClaims
		good   bool
	}{
		{"a second left", with(jwt.MapClaims{"exp": at(time.Second)}), true},
		{"expires now", with(jwt.MapClaims{"exp": at(0)}), false},
		{"expired", with(jwt.MapClaims{"exp": at(-time.Second)}), false},
		{"expired long ago", with(jwt.MapClaims{"exp": 1}), false},
		{"exp 0", with(jwt.MapClaims{"exp": 0}), false},
		{"exp negative", with(jwt.MapClaims{"exp": -at(time.Hour)}), false},
		{"no exp", without("exp"), false},
		{"exp null", with(jwt.MapClaims{"exp": nil}), false},
		{"exp a string", with(jwt.MapClaims{"exp": "2999-01-01T00:00:00Z"}), false},
		{"nbf now", with(jwt.MapClaims{"nbf": at(0)}), true},
		{"nbf past", with(jwt.MapClaims{"nbf": at(-time.Hour)}), true},
		{"nbf future", with(jwt.MapClaims{"nbf": at(time.Minute)}), false},
		{"nbf a string", with(jwt.MapClaims{"nbf": "now"}), false},
		{"issued some time ago", with(jwt.MapClaims{"iat": at(-time.Hour)}), true},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			check(t, v, hs256(t, c.claims), c.good)
		})
	}
}

func TestIssuerAndAudience(t *testing.T) {
	t.Parallel()
	lenient := newVerifier(t, auth.Config{Secret: secret})
	strict := newVerifier(t, auth.Config{Secret: secret, Issuer: "https://id.example", Audience: "acquaint"})
	for _, c := range []struct {
		what   string
		claims jwt.MapClaims
		good   bool // where they are asked for
	}{
		{"both", with(jwt.MapClaims{"iss": "https://id.example", "aud": "acquaint"}), true},
		{"among other audiences", with(jwt.MapClaims{"iss": "https://id.example", "aud": []string{"x", "acquaint"}}), true},
		{"other audiences", with(jwt.MapClaims{"iss": "https://id.example", "aud": []string{"x", "y"}}), false},
		{"another audience", with(jwt.MapClaims{"iss": "https://id.example", "aud": "acquaint2"}), false},
		{"no audience in the array", with(jwt.MapClaims{"iss": "https://id.example", "aud": []string{}}), false},
		{"no audience", with(jwt.MapClaims{"iss": "https://id.example"}), false},
		{"another issuer", with(jwt.MapClaims{"iss": "https://id.example/", "aud": "acquaint"}), false},
		{"no issuer", with(jwt.MapClaims{"aud": "acquaint"}), false},
		{"neither", good(), false},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			token := hs256(t, c.claims)
			check(t, strict, token, c.good)
			check(t, lenient, token, true)
		})
	}
}

func TestSubject(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, auth.Config{Secret: secret})
	for _, c := range []struct {
		what    string
		subject any
		good    bool
	}{
		{"usual", "auth0|5f7c8ec7c33c6c004bbafe82", true},
		{"blanks and other letters", "Ann Ó 名", true},
		{"longest", strings.Repeat("é", 255), true},
		{"too long", strings.Repeat("é", 256), false},
		{"much too long", strings.Repeat("x", 100_000), false},
		{"empty", "", false},
		{"null", nil, false},
		{"a number", 7, false},
		{"an array", []string{"ann"}, false},
		{"NUL", "an\x00n", false},
		{"a newline", "ann\n", false},
		{"delete", "ann\x7f", false},
		{"a C1 control", "ann\u0085", false},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			check(t, v, hs256(t, with(jwt.MapClaims{"sub": c.subject})), c.good)
		})
	}
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		check(t, v, hs256(t, without("sub")), false)
	})
}

// What the program signs itself, it takes, and only for as long as it says.
func TestSign(t *testing.T) {
	t.Parallel()
	who := member.Claims{Subject: "ann", Name: "Ann", Email: "ann@x.example", Picture: "https://x.example/a.png", PreferredUsername: "annie"}
	strict := newVerifier(t, auth.Config{Secret: secret, Issuer: "https://id.example", Audience: "acquaint"})
	token, err := auth.Sign(secret, who, "https://id.example", "acquaint", begun, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	got, expires, err := strict.Verify(t.Context(), token)
	if err != nil || got != who || !expires.Equal(begun.Add(time.Minute)) {
		t.Fatalf("got %+v until %v, %v", got, expires, err)
	}
	for what, c := range map[string]struct {
		issuer, audience string
		at               time.Time
	}{
		"no issuer":     {"", "acquaint", begun},
		"no audience":   {"https://id.example", "", begun},
		"a minute late": {"https://id.example", "acquaint", begun.Add(-time.Minute)},
	} {
		token, err := auth.Sign(secret, who, c.issuer, c.audience, c.at, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			check(t, strict, token, false)
		})
	}
}
