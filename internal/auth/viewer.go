package auth

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
)

// ErrNoAccess is what a good token gives whose member is suspended.
var ErrNoAccess = errors.New("the member has no access")

// Viewer is who makes a request: the signed-in member, or the host application.
type Viewer struct {
	Member  id.Member // zero for the host application
	Service bool      // the host application itself
	Subject string    // of the token
	Expires time.Time // when the token that says so ends
}

// servicePrefix is of the keys of host applications; those of members are hexadecimal.
const servicePrefix = "service:"

// Key names the viewer, for what is counted per viewer.
func (v *Viewer) Key() string {
	if v.Service {
		return servicePrefix + v.Subject
	}
	return v.Member.String()
}

// IsServiceKey reports whether a key is of a host application, which is under no member's rate.
func IsServiceKey(key string) bool { return strings.HasPrefix(key, servicePrefix) }

// The members of recent tokens are remembered, so that not every request asks the database: how many, and for how long.
// A member who is suspended, or erased, is forgotten at once, and on other nodes within seconds.
const (
	rememberedMembers = 50_000
	rememberedFor     = time.Minute
)

// Authenticator turns authorizations into viewers.
type Authenticator struct {
	verifier *Verifier
	members  *member.Service
	log      *slog.Logger
	now      func() time.Time
	known    *lru.Cache[string, signedIn] // by subject
}

// signedIn is a member that was signed in, and until when that is remembered.
type signedIn struct {
	member id.Member
	email  string // as the token gave it; another must be kept
	until  time.Time
}

// NewAuthenticator makes an Authenticator.
func NewAuthenticator(verifier *Verifier, members *member.Service, now func() time.Time, log *slog.Logger) *Authenticator {
	cache, err := lru.New[string, signedIn](rememberedMembers)
	if err != nil {
		panic(err) // the size is positive
	}
	return &Authenticator{verifier: verifier, members: members, log: log, now: now, known: cache}
}

// Authenticate gives the viewer of an Authorization value ("Bearer …"); nil for an empty one. It gives ErrBadToken for
// a bad one, ErrNoAccess for a suspended member's, and other errors only when the member could not be read or made.
func (a *Authenticator) Authenticate(ctx context.Context, authorization string) (*Viewer, error) {
	if authorization == "" {
		return nil, nil //nolint:nilnil // nobody, and nothing wrong with it
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil, ErrBadToken
	}
	claims, expires, err := a.verifier.Verify(ctx, strings.TrimSpace(token))
	if err != nil {
		a.log.DebugContext(ctx, "refused a token", "reason", reasonOf(err))
		return nil, ErrBadToken
	}
	if claims.Service {
		return &Viewer{Service: true, Subject: claims.Subject, Expires: expires}, nil
	}
	if hit, ok := a.known.Get(claims.Subject); ok && hit.email == claims.Email && a.now().Before(hit.until) {
		return &Viewer{Member: hit.member, Subject: claims.Subject, Expires: expires}, nil
	}
	m, err := a.members.SignIn(ctx, claims)
	if errors.Is(err, member.ErrNoAccess) {
		return nil, ErrNoAccess
	}
	if err != nil {
		return nil, errors.Join(errors.New("sign-in failed"), err)
	}
	a.known.Add(claims.Subject, signedIn{m.ID, claims.Email, a.now().Add(rememberedFor)})
	return &Viewer{Member: m.ID, Subject: claims.Subject, Expires: expires}, nil
}

// Forget makes the next tokens of members be checked against the tables.
func (a *Authenticator) Forget(members ...id.Member) {
	if len(members) == 0 {
		return
	}
	ended := make(map[id.Member]bool, len(members)) // there may be as many as there are remembered
	for _, m := range members {
		ended[m] = true
	}
	for _, subject := range a.known.Keys() {
		if hit, ok := a.known.Peek(subject); ok && ended[hit.member] {
			a.known.Remove(subject)
		}
	}
}

type contextKey struct{}

// WithViewer puts the viewer into a context.
func WithViewer(ctx context.Context, v *Viewer) context.Context {
	return context.WithValue(ctx, contextKey{}, v)
}

// ViewerOf gives the viewer of a context, or nil.
func ViewerOf(ctx context.Context) *Viewer {
	v, _ := ctx.Value(contextKey{}).(*Viewer)
	return v
}
