package auth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/acquaint/acquaint/internal/auth"
)

// The keys of all tests; making RSA keys takes long.
var keys = sync.OnceValue(func() (k struct {
	rsa, otherRSA *rsa.PrivateKey
	ec            *ecdsa.PrivateKey
	ed            ed25519.PrivateKey
},
) {
	var errs [4]error
	k.rsa, errs[0] = rsa.GenerateKey(rand.Reader, 2048)
	k.otherRSA, errs[1] = rsa.GenerateKey(rand.Reader, 2048)
	k.ec, errs[2] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, k.ed, errs[3] = ed25519.GenerateKey(rand.Reader)
	for _, err := range errs {
		if err != nil {
			panic(err)
		}
	}
	return k
})

type jwk = map[string]string

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func rsaJWK(kid string, key *rsa.PrivateKey) jwk {
	return jwk{"kty": "RSA", "kid": kid, "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}
}

func ecJWK(kid string, key *ecdsa.PrivateKey) jwk {
	point, err := key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		panic(err)
	}
	return jwk{"kty": "EC", "kid": kid, "crv": "P-256", "alg": "ES256", "use": "sig", "x": b64(point[1:33]), "y": b64(point[33:])}
}

func edJWK(kid string, key ed25519.PrivateKey) jwk {
	public, _ := key.Public().(ed25519.PublicKey)
	return jwk{"kty": "OKP", "kid": kid, "crv": "Ed25519", "x": b64(public)}
}

func octJWK(kid string, secret []byte) jwk {
	return jwk{"kty": "oct", "kid": kid, "alg": "HS256", "k": b64(secret)}
}

// keyServer serves a key set, unless it is dead.
type keyServer struct {
	*httptest.Server

	set     atomic.Pointer[[]byte] // nil when it is dead
	fetched atomic.Int64
}

func newKeyServer(t *testing.T) *keyServer {
	t.Helper()
	s := &keyServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.fetched.Add(1)
		body := s.set.Load()
		if body == nil {
			panic(http.ErrAbortHandler) // which breaks the connection off
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(*body)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *keyServer) serve(set ...jwk) {
	body, err := json.Marshal(map[string]any{"keys": set})
	if err != nil {
		panic(err)
	}
	s.set.Store(&body)
}

func (s *keyServer) die() { s.set.Store(nil) }

func TestKeySet(t *testing.T) {
	t.Parallel()
	k := keys()
	s := newKeyServer(t)
	s.serve(rsaJWK("rsa", k.rsa), ecJWK("ec", k.ec), edJWK("ed", k.ed), octJWK("oct", secret))
	v := newVerifier(t, auth.Config{JWKSURL: s.URL})
	der, err := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})

	for _, c := range []struct {
		what   string
		method jwt.SigningMethod
		kid    string
		key    any
		good   bool
	}{
		{"RS256", jwt.SigningMethodRS256, "rsa", k.rsa, true},
		{"ES256", jwt.SigningMethodES256, "ec", k.ec, true},
		{"EdDSA", jwt.SigningMethodEdDSA, "ed", k.ed, true},
		{"RS256 without kid", jwt.SigningMethodRS256, "", k.rsa, true},
		{"RS256 by another key", jwt.SigningMethodRS256, "rsa", k.otherRSA, false},
		{"RS256 by another key without kid", jwt.SigningMethodRS256, "", k.otherRSA, false},
		{"RS256 under the kid of another kind", jwt.SigningMethodRS256, "ec", k.rsa, false},
		{"EdDSA under the kid of the secret", jwt.SigningMethodEdDSA, "oct", k.ed, false},
		{"RS384", jwt.SigningMethodRS384, "rsa", k.rsa, false},
		{"PS256", jwt.SigningMethodPS256, "rsa", k.rsa, false},
		{"none", jwt.SigningMethodNone, "rsa", jwt.UnsafeAllowNoneSignatureType, false},
		{"HS256 by the public key's PEM", jwt.SigningMethodHS256, "rsa", public, false},
		{"HS256 by the public key's DER", jwt.SigningMethodHS256, "rsa", der, false},
		{"HS256 by the modulus, without kid", jwt.SigningMethodHS256, "", k.rsa.N.Bytes(), false},
		{"HS256 by a secret of the set", jwt.SigningMethodHS256, "oct", secret, false},
		{"HS256 by a secret of the set without kid", jwt.SigningMethodHS256, "", secret, false},
		{"HS256 by nothing", jwt.SigningMethodHS256, "rsa", []byte{}, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			check(t, v, sign(t, c.method, c.kid, c.key, good()), c.good)
		})
	}
}

// With both a secret and a key set, each algorithm still takes only its own kind of key.
func TestSecretAndKeySet(t *testing.T) {
	t.Parallel()
	k := keys()
	s := newKeyServer(t)
	foreign := []byte("a secret that is served, and ours is not")
	s.serve(rsaJWK("rsa", k.rsa), octJWK("oct", foreign))
	v := newVerifier(t, auth.Config{Secret: secret, JWKSURL: s.URL})
	der, err := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	check(t, v, hs256(t, good()), true)
	check(t, v, sign(t, jwt.SigningMethodRS256, "rsa", k.rsa, good()), true)
	check(t, v, sign(t, jwt.SigningMethodHS256, "oct", foreign, good()), false)
	check(t, v, sign(t, jwt.SigningMethodHS256, "rsa", public, good()), false)

	// A secret alone takes nothing that is signed by a key.
	alone := newVerifier(t, auth.Config{Secret: secret})
	check(t, alone, sign(t, jwt.SigningMethodRS256, "rsa", k.rsa, good()), false)
	check(t, alone, sign(t, jwt.SigningMethodEdDSA, "", k.ed, good()), false)
}

// A key that came after the start is fetched when the first token signed by it comes.
func TestRotation(t *testing.T) {
	t.Parallel()
	k := keys()
	s := newKeyServer(t)
	s.serve(rsaJWK("old", k.rsa))
	v := newVerifier(t, auth.Config{JWKSURL: s.URL})
	check(t, v, sign(t, jwt.SigningMethodRS256, "old", k.rsa, good()), true)
	fetched := s.fetched.Load()

	s.serve(edJWK("new", k.ed))
	check(t, v, sign(t, jwt.SigningMethodRS256, "old", k.rsa, good()), true) // nobody knows yet
	if n := s.fetched.Load(); n != fetched {
		t.Errorf("a known key was fetched again, %d times", n-fetched)
	}
	check(t, v, sign(t, jwt.SigningMethodEdDSA, "new", k.ed, good()), true)
	check(t, v, sign(t, jwt.SigningMethodRS256, "old", k.rsa, good()), false) // withdrawn
}

// Tokens with made-up keys must not make the server fetch as often as they come, nor wait long.
func TestUnknownKeysAreFetchedSeldom(t *testing.T) {
	t.Parallel()
	k := keys()
	s := newKeyServer(t)
	s.serve(edJWK("ed", k.ed))
	v := newVerifier(t, auth.Config{JWKSURL: s.URL})
	for range 50 {
		check(t, v, sign(t, jwt.SigningMethodEdDSA, "made up", k.ed, good()), false)
	}
	if n := s.fetched.Load(); n > 10 {
		t.Errorf("50 tokens made it fetch %d times", n)
	}
	check(t, v, sign(t, jwt.SigningMethodEdDSA, "ed", k.ed, good()), true)
}

func TestKeyServerDiesLater(t *testing.T) {
	t.Parallel()
	k := keys()
	s := newKeyServer(t)
	s.serve(edJWK("ed", k.ed))
	v := newVerifier(t, auth.Config{JWKSURL: s.URL})
	s.die()
	check(t, v, sign(t, jwt.SigningMethodEdDSA, "ed", k.ed, good()), true)
	check(t, v, sign(t, jwt.SigningMethodEdDSA, "unknown", k.ed, good()), false) // it tries to fetch
	check(t, v, sign(t, jwt.SigningMethodEdDSA, "ed", k.ed, good()), true)
}

func TestKeyServerDeadAtTheStart(t *testing.T) {
	t.Parallel()
	k := keys()
	s := newKeyServer(t)
	v := newVerifier(t, auth.Config{JWKSURL: s.URL})
	token := sign(t, jwt.SigningMethodEdDSA, "ed", k.ed, good())
	check(t, v, token, false)
	check(t, v, sign(t, jwt.SigningMethodEdDSA, "", k.ed, good()), false)
	s.serve(edJWK("ed", k.ed))
	check(t, v, token, true)
}

// An answer that is no key set takes no key away.
func TestKeyServerTalksNonsense(t *testing.T) {
	t.Parallel()
	k := keys()
	for what, body := range map[string]string{
		"a page": "<html>We are back soon.</html>", "half a set": `{"keys":[{"kty":"RSA"`, "an array": `[]`,
		"another object": `{"message":"We are back soon."}`, "null": `null`,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newKeyServer(t)
			s.serve(edJWK("ed", k.ed))
			v := newVerifier(t, auth.Config{JWKSURL: s.URL})
			nonsense := []byte(body)
			s.set.Store(&nonsense)
			check(t, v, sign(t, jwt.SigningMethodEdDSA, "unknown", k.ed, good()), false) // it fetches
			check(t, v, sign(t, jwt.SigningMethodEdDSA, "ed", k.ed, good()), true)
		})
	}
}

// A key of the set that is of no use here leaves the others as they are.
func TestUselessKeyBesideGoodOne(t *testing.T) {
	t.Parallel()
	k := keys()
	for what, useless := range map[string]jwk{
		"unknown kind":       {"kty": "XYZ", "kid": "x"},
		"unknown curve":      {"kty": "EC", "kid": "x", "crv": "secp256k1", "x": "AA", "y": "AA"},
		"unknown alg":        {"kty": "OKP", "kid": "x", "crv": "Ed448", "alg": "ML-DSA-44", "x": "AA"},
		"for encryption":     {"kty": "OKP", "kid": "x", "crv": "X25519", "use": "enc", "x": b64(make([]byte, 32))},
		"without an id":      {"kty": "oct", "k": "AAAA"},
		"RSA without values": {"kty": "RSA", "kid": "x"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newKeyServer(t)
			s.serve(useless, edJWK("ed", k.ed))
			v := newVerifier(t, auth.Config{JWKSURL: s.URL})
			check(t, v, sign(t, jwt.SigningMethodEdDSA, "ed", k.ed, good()), true)
		})
	}
}

// A key that is published for encryption checks no signatures (RFC 7517, section 4.2).
func TestEncryptionKeyChecksNothing(t *testing.T) {
	t.Parallel()
	k := keys()
	s := newKeyServer(t)
	forEncryption := rsaJWK("rsa", k.rsa)
	forEncryption["use"] = "enc"
	s.serve(forEncryption)
	v := newVerifier(t, auth.Config{JWKSURL: s.URL})
	check(t, v, sign(t, jwt.SigningMethodRS256, "rsa", k.rsa, good()), false)
}
