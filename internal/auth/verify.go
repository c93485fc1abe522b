package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"github.com/acquaint/acquaint/internal/member"
)

// ErrBadToken is all that anybody outside learns of a token that was refused.
var ErrBadToken = errors.New("the token is not valid")

// SecretMin is the least length of a secret, in bytes: that of the hash (RFC 7518, section 3.2).
const SecretMin = 32

// ServiceScope is what the scope of a token holds that is the host application's own.
const ServiceScope = "acquaint:service"

// How the key set is fetched: how often anyway, how often at most because of an unknown key, and how long a request
// with an unknown key may wait for that.
const (
	keysRefresh      = 5 * time.Minute
	keysUnknownEvery = 5 * time.Second
	keysUnknownBurst = 3
	keysWait         = 2 * time.Second
	keysTimeout      = 5 * time.Second
)

// Config says which tokens are good.
type Config struct {
	Secret   []byte // of HS256; none when empty
	JWKSURL  string // of the key set; none when empty
	Issuer   string // that "iss" must be; any when empty
	Audience string // that "aud" must hold; any when empty
}

// Verifier checks tokens.
type Verifier struct {
	parser *jwt.Parser
	secret []byte
	keys   keyfunc.Keyfunc
}

// NewVerifier makes a Verifier. With a key set it starts fetching it until ctx ends; a key server that does not answer
// is no error, then or later: what is known stays known, and what is not is bad.
func NewVerifier(ctx context.Context, config Config, now func() time.Time, log *slog.Logger) (*Verifier, error) {
	v := &Verifier{secret: config.Secret}
	var methods []string
	if len(config.Secret) > 0 {
		if len(config.Secret) < SecretMin {
			return nil, fmt.Errorf("the secret needs at least %d bytes", SecretMin)
		}
		methods = append(methods, jwt.SigningMethodHS256.Alg())
	}
	if config.JWKSURL != "" {
		keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{config.JWKSURL}, keyfunc.Override{
			Client:            &http.Client{Transport: keySetTransport{http.DefaultTransport}},
			HTTPTimeout:       keysTimeout,
			RateLimitWaitMax:  keysWait,
			RefreshInterval:   keysRefresh,
			RefreshUnknownKID: rate.NewLimiter(rate.Every(keysUnknownEvery), keysUnknownBurst),
			RefreshErrorHandlerFunc: func(url string) func(context.Context, error) {
				return func(ctx context.Context, err error) {
					log.WarnContext(ctx, "cannot fetch the key set; the known keys stay", "url", url, "error", err)
				}
			},
		})
		if err != nil {
			return nil, fmt.Errorf("key set: %w", err)
		}
		v.keys = keys
		methods = append(methods, jwt.SigningMethodRS256.Alg(), jwt.SigningMethodES256.Alg(), jwt.SigningMethodEdDSA.Alg())
	}
	if len(methods) == 0 {
		return nil, errors.New("neither a secret nor a key set to check tokens with")
	}
	options := []jwt.ParserOption{jwt.WithValidMethods(methods), jwt.WithExpirationRequired(), jwt.WithTimeFunc(now)}
	if config.Issuer != "" {
		options = append(options, jwt.WithIssuer(config.Issuer))
	}
	if config.Audience != "" {
		options = append(options, jwt.WithAudience(config.Audience))
	}
	v.parser = jwt.NewParser(options...)
	return v, nil
}

type claims struct {
	jwt.RegisteredClaims

	Name              string `json:"name,omitempty"`
	Email             string `json:"email,omitempty"`
	Picture           string `json:"picture,omitempty"`
	PreferredUsername string `json:"preferred_username,omitempty"`
	Scope             scopes `json:"scope,omitzero"`
}

// scopes is the claim of RFC 8693, section 4.2: scopes with spaces between them. What is no text holds none.
type scopes []string

// UnmarshalJSON reads them.
func (s *scopes) UnmarshalJSON(raw []byte) error {
	var list string
	if json.Unmarshal(raw, &list) == nil {
		*s = strings.Fields(list)
	}
	return nil
}

// MarshalJSON writes them.
func (s scopes) MarshalJSON() ([]byte, error) { return json.Marshal(strings.Join(s, " ")) }

// Verify gives what a good token says and when it expires, or ErrBadToken (joined with the reason, for the log).
func (v *Verifier) Verify(ctx context.Context, token string) (member.Claims, time.Time, error) {
	var c claims
	_, err := v.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) { return v.key(ctx, t) })
	if err != nil {
		return member.Claims{}, time.Time{}, fmt.Errorf("%w: %w", ErrBadToken, err)
	}
	if !member.ValidSubject(c.Subject) {
		return member.Claims{}, time.Time{}, fmt.Errorf("%w: no usable subject", ErrBadToken)
	}
	return member.Claims{
		Subject: c.Subject, Name: c.Name, Email: c.Email, Picture: c.Picture, PreferredUsername: c.PreferredUsername,
		Service: slices.Contains(c.Scope, ServiceScope),
	}, c.ExpiresAt.Time, nil
}

// key gives the key for the token's algorithm. The parser has checked already that it is one of ours; that HMAC gets
// the secret and nothing else is what keeps a public key from being used as one.
func (v *Verifier) key(ctx context.Context, t *jwt.Token) (any, error) {
	if _, isHMAC := t.Method.(*jwt.SigningMethodHMAC); isHMAC {
		return v.secret, nil
	}
	return v.keys.KeyfuncCtx(ctx)(t)
}

// Sign makes a token of claims with the secret. It is for acquaint token and dev; hosts sign with their own means.
func Sign(secret []byte, c member.Claims, issuer, audience string, now time.Time, ttl time.Duration) (string, error) {
	registered := jwt.RegisteredClaims{
		Subject: c.Subject, Issuer: issuer, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
	}
	if audience != "" {
		registered.Audience = jwt.ClaimStrings{audience}
	}
	var scope scopes
	if c.Service {
		scope = scopes{ServiceScope}
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: registered, Name: c.Name, Email: c.Email, Picture: c.Picture, PreferredUsername: c.PreferredUsername,
		Scope: scope,
	}).SignedString(secret)
}
