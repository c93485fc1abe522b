package member

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/refusal"
	"github.com/acquaint/acquaint/internal/text"
)

// The lengths of what a member says of themselves, in code points.
const (
	nameMax     = 100
	headlineMax = 220
	shortMax    = 100
	photoMax    = 2048
	emailMax    = 254 // RFC 5321, section 4.5.3.1.3
)

// What a Store answers besides its own faults.
var (
	ErrNotFound     = errors.New("no such member")
	ErrHandleTaken  = errors.New("the handle is another member's")
	ErrSubjectTaken = errors.New("the subject has a member already")
	// ErrNoAccess is what a sign-in gives for a member who is suspended.
	ErrNoAccess = errors.New("the member is suspended")
)

// Store is what the package asks of the tables.
type Store interface {
	// MemberBySubject gives ErrNotFound before the first sign-in, and after the member was erased.
	MemberBySubject(ctx context.Context, subject string) (Member, error)
	// MemberByHandle gives ErrNotFound when there is none.
	MemberByHandle(ctx context.Context, handle string) (Member, error)
	// MembersByID gives those that there are, in any order.
	MembersByID(ctx context.Context, ids []id.Member) ([]Member, error)
	// CreateMember writes a new member with an empty inbox; ErrSubjectTaken or ErrHandleTaken when another was first.
	CreateMember(ctx context.Context, subject string, m Member) error
	// UpdateMember writes what is set, all of it or nothing, and gives the member after it; ErrHandleTaken when another has
	// the handle, ErrNotFound when the member was erased.
	UpdateMember(ctx context.Context, member id.Member, update Update) (Member, error)
	// SuspendMember notes since when the member of a subject is suspended, unless it is already; the zero time ends that.
	// ErrNotFound when there is none.
	SuspendMember(ctx context.Context, subject string, at time.Time) (Member, error)
	// UpdatePrivacy writes what is set and gives the settings after it.
	UpdatePrivacy(ctx context.Context, member id.Member, change PrivacyChange) (Privacy, error)
	// Profiles gives the profiles of those who have told something.
	Profiles(ctx context.Context, members []id.Member) (map[id.Member]Profile, error)
}

// Update is a partial change; what is nil stays, an empty text is cleared.
type Update struct {
	Handle, Name, Email, Headline, Location, Industry, Company, PhotoURL *string

	Profile *ProfileChange
}

// Service makes and changes members.
type Service struct {
	store Store
	now   func() time.Time
	newID id.Source
}

// NewService makes a Service over a store, a clock and a source of ids.
func NewService(store Store, now func() time.Time, newID id.Source) *Service {
	return &Service{store: store, now: now, newID: newID}
}

// signInTries bounds how often a first sign-in looks for a free handle; a random suffix collides about never.
const signInTries = 8

// SignIn gives the member of a token's subject, and makes it at the first token. Concurrent first tokens make one
// member. A later token changes the email, when it names one, and nothing else.
func (s *Service) SignIn(ctx context.Context, claims Claims) (Member, error) {
	email := cleanEmail(claims.Email)
	m, err := s.store.MemberBySubject(ctx, claims.Subject)
	if errors.Is(err, ErrNotFound) {
		m, err = s.create(ctx, claims, email)
	}
	if err != nil {
		return Member{}, err
	}
	if !m.SuspendedAt.IsZero() {
		return Member{}, ErrNoAccess
	}
	if email != "" && email != m.Email {
		return s.store.UpdateMember(ctx, m.ID, Update{Email: &email})
	}
	return m, nil
}

func (s *Service) create(ctx context.Context, claims Claims, email string) (Member, error) {
	m := Member{
		ID: id.Member(s.newID()), Email: email, CreatedAt: s.now(),
		Name:     fitName(claims.Name),
		PhotoURL: claims.Picture,
		Privacy:  DefaultPrivacy(),
	}
	if cleanPhoto(&m.PhotoURL) != nil {
		m.PhotoURL = ""
	}
	name := m.Name
	for _, handle := range handleCandidates(claims, signInTries, s.suffix) {
		m.Handle = handle
		if name == "" {
			m.Name = handle
		}
		err := s.store.CreateMember(ctx, claims.Subject, m)
		switch {
		case err == nil:
			return m, nil
		case errors.Is(err, ErrSubjectTaken):
			return s.store.MemberBySubject(ctx, claims.Subject)
		case !errors.Is(err, ErrHandleTaken):
			return Member{}, err
		}
	}
	return Member{}, fmt.Errorf("no free handle in %d tries", signInTries)
}

// suffix is the random end of a UUID.
func (s *Service) suffix() string {
	u := s.newID()
	return hex.EncodeToString(u[12:])
}

// ByHandle gives ErrNotFound when nobody has the handle, whatever it looks like.
func (s *Service) ByHandle(ctx context.Context, handle string) (Member, error) {
	handle = strings.ToLower(handle)
	if !ValidHandle(handle) {
		return Member{}, ErrNotFound
	}
	return s.store.MemberByHandle(ctx, handle)
}

// ByIDs gives those of the members that there are, in any order.
func (s *Service) ByIDs(ctx context.Context, ids []id.Member) ([]Member, error) {
	return s.store.MembersByID(ctx, ids)
}

// Update changes what the viewer says of themselves; it is refused whole when one part is.
func (s *Service) Update(ctx context.Context, viewer id.Member, update Update) (Member, error) {
	if err := update.clean(s.newID); err != nil {
		return Member{}, err
	}
	m, err := s.store.UpdateMember(ctx, viewer, update)
	if errors.Is(err, ErrHandleTaken) {
		return Member{}, errHandleTaken()
	}
	return m, err
}

func errHandleTaken() error {
	return refusal.New(refusal.Taken, "This handle is another member's.", "handle")
}

// clean makes what is given fit to be stored, or refuses it. It changes no text of the caller's.
func (u *Update) clean(newID id.Source) error {
	if u.Handle != nil {
		handle, err := checkHandle(*u.Handle)
		if err != nil {
			return err
		}
		u.Handle = &handle
	}
	for _, part := range []struct {
		field string
		value **string
		rule  text.Rule
	}{
		{"name", &u.Name, text.Rule{Max: nameMax, Required: true}},
		{"headline", &u.Headline, text.Rule{Max: headlineMax}},
		{"location", &u.Location, text.Rule{Max: shortMax}},
		{"industry", &u.Industry, text.Rule{Max: shortMax}},
		{"company", &u.Company, text.Rule{Max: shortMax}},
	} {
		if *part.value == nil {
			continue
		}
		clean, err := part.rule.Clean(**part.value, part.field)
		if err != nil {
			return err
		}
		*part.value = &clean
	}
	if u.PhotoURL != nil {
		photo := *u.PhotoURL
		if err := cleanPhoto(&photo); err != nil {
			return err
		}
		u.PhotoURL = &photo
	}
	if u.Profile != nil {
		profile, err := u.Profile.clean(newID)
		if err != nil {
			return err
		}
		u.Profile = &profile
	}
	return nil
}

// Profiles gives the profiles of those of the members who have told something.
func (s *Service) Profiles(ctx context.Context, members []id.Member) (map[id.Member]Profile, error) {
	return s.store.Profiles(ctx, members)
}

// UpdatePrivacy changes the viewer's privacy settings; it holds from the next look at the viewer on.
func (s *Service) UpdatePrivacy(ctx context.Context, viewer id.Member, change PrivacyChange) (Privacy, error) {
	return s.store.UpdatePrivacy(ctx, viewer, change)
}

// cleanPhoto takes the address of a picture: absolute, and http or https, so that no client is made to run it.
func cleanPhoto(address *string) error {
	clean, err := text.Rule{Max: photoMax}.Clean(*address, "photoUrl")
	if err != nil {
		return err
	}
	if clean != "" {
		u, err := url.Parse(clean)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return refusal.New(refusal.Invalid, "The address of a photo starts with https:// or http://.", "photoUrl")
		}
	}
	*address = clean
	return nil
}

// fitName makes a name of what a token says, as well as it can: without control characters, cut at the length. It gives
// "" when nothing is left to be seen.
func fitName(s string) string {
	s = norm.NFC.String(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, "")))
	if runes := []rune(strings.TrimSpace(s)); len(runes) > nameMax {
		s = string(runes[:nameMax])
	}
	return cleanOrNone(s, text.Rule{Max: nameMax, Required: true})
}

// cleanOrNone is for texts of the host application's tokens: what is not fit to store is as good as missing.
func cleanOrNone(s string, rule text.Rule) string {
	clean, err := rule.Clean(s)
	if err != nil {
		return ""
	}
	return clean
}

// cleanEmail takes a bare address in lower case; what is none is as good as missing.
func cleanEmail(s string) string {
	s = strings.ToLower(cleanOrNone(s, text.Rule{Max: emailMax}))
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
		return ""
	}
	return s
}
