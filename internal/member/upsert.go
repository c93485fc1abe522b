package member

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/refusal"
)

// CodeNotFound is what a subject gets that has no member.
const CodeNotFound refusal.Code = "MEMBER_NOT_FOUND"

// subjectMax is the greatest length of a subject, in code points; OpenID Connect Core, section 2.
const subjectMax = 255

// ValidSubject reports whether a text can be the subject of tokens.
func ValidSubject(s string) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= subjectMax && !strings.ContainsFunc(s, unicode.IsControl)
}

// Upsert makes the member of a subject, or changes what is given of it, in the host application's name; it tells whether
// it made it. What a new member was not given, it gets as at a first sign-in.
func (s *Service) Upsert(ctx context.Context, subject string, update Update) (Member, bool, error) {
	if !ValidSubject(subject) {
		return Member{}, false, refusal.New(refusal.Invalid,
			fmt.Sprintf("A subject has 1 to %d characters, and no control characters.", subjectMax), "subject")
	}
	if update.Email != nil && *update.Email != "" {
		email := cleanEmail(*update.Email)
		if email == "" {
			return Member{}, false, refusal.New(refusal.Invalid, "This is no email address.", "email")
		}
		update.Email = &email
	}
	if err := update.clean(s.newID); err != nil {
		return Member{}, false, err
	}
	for range signInTries { // made, or erased, by another meanwhile
		m, created, err := s.upsert(ctx, subject, update)
		switch {
		case errors.Is(err, ErrNotFound), errors.Is(err, ErrSubjectTaken):
			continue
		case errors.Is(err, ErrHandleTaken):
			return Member{}, false, errHandleTaken()
		}
		return m, created, err
	}
	return Member{}, false, fmt.Errorf("%w: the member is made and erased time and again", refusal.ErrUnavailable)
}

func (s *Service) upsert(ctx context.Context, subject string, update Update) (Member, bool, error) {
	m, err := s.store.MemberBySubject(ctx, subject)
	if err == nil {
		m, err = s.store.UpdateMember(ctx, m.ID, update)
		return m, false, err
	}
	if !errors.Is(err, ErrNotFound) {
		return Member{}, false, err
	}
	m = Member{
		ID: id.Member(s.newID()), Name: orEmpty(update.Name), Email: orEmpty(update.Email), Headline: orEmpty(update.Headline),
		Location: orEmpty(update.Location), Industry: orEmpty(update.Industry), Company: orEmpty(update.Company),
		PhotoURL: orEmpty(update.PhotoURL), CreatedAt: s.now(), Privacy: DefaultPrivacy(),
	}
	handles := []string{orEmpty(update.Handle)}
	if update.Handle == nil {
		handles = handleCandidates(Claims{Name: m.Name}, signInTries, s.suffix)
	}
	for _, handle := range handles {
		m.Handle = handle
		if update.Name == nil {
			m.Name = handle
		}
		if err = s.store.CreateMember(ctx, subject, m); !errors.Is(err, ErrHandleTaken) {
			break
		}
	}
	return m, err == nil, err
}

// Suspend takes the access of a subject's member away, or gives it back. Again it changes nothing.
func (s *Service) Suspend(ctx context.Context, subject string, suspended bool) (Member, error) {
	var at time.Time
	if suspended {
		at = s.now()
	}
	m, err := s.store.SuspendMember(ctx, subject, at)
	if errors.Is(err, ErrNotFound) {
		return Member{}, NoSuchSubject()
	}
	return m, err
}

// NoSuchSubject refuses a subject that has no member.
func NoSuchSubject() error {
	return refusal.New(CodeNotFound, "There is no member of this subject.", "subject")
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
