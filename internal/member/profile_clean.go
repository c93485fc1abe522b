package member

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/cases"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/refusal"
	"github.com/acquaint/acquaint/internal/text"
)

// How much a profile holds: characters of the text about oneself, and entries of each list. Each other text is as short
// as a company's name.
const (
	aboutMax     = 2600
	positionsMax = 100
	educationMax = 100
	skillsMax    = 100
	languagesMax = 50
	interestsMax = 100
)

// month is how the dates of a profile look, from 1900-01 to 2100-12.
var month = regexp.MustCompile(`^(19\d\d|20\d\d|2100)-(0[1-9]|1[0-2])$`)

// clean gives the change as it is to be stored, with a new id for every entry, or refuses it whole.
func (c ProfileChange) clean(newID id.Source) (ProfileChange, error) {
	const field = "profile"
	if c.About != nil {
		about, err := text.Rule{Max: aboutMax, Lines: true}.Clean(*c.About, field, "about")
		if err != nil {
			return c, err
		}
		c.About = &about
	}
	var err error
	if c.Positions, err = cleanEach(c.Positions, positionsMax, func(p Position, path path) (Position, error) {
		p.ID = id.Part(newID())
		return p, firstError(
			path.text(&p.Company, true, "company"), path.text(&p.Title, true, "title"),
			path.month(&p.StartedOn, true, "startedOn"), path.month(&p.EndedOn, false, "endedOn"),
			path.order(&p.StartedOn, &p.EndedOn),
		)
	}, field, "positions"); err != nil {
		return c, err
	}
	if c.Education, err = cleanEach(c.Education, educationMax, func(e Education, path path) (Education, error) {
		e.ID = id.Part(newID())
		return e, firstError(
			path.text(&e.School, true, "school"), path.text(&e.Field, false, "field"),
			path.month(&e.StartedOn, false, "startedOn"), path.month(&e.EndedOn, false, "endedOn"),
			path.order(&e.StartedOn, &e.EndedOn),
		)
	}, field, "education"); err != nil {
		return c, err
	}
	for _, list := range []struct {
		name string
		most int
		of   *[]string
	}{{"skills", skillsMax, &c.Skills}, {"languages", languagesMax, &c.Languages}, {"interests", interestsMax, &c.Interests}} {
		clean, err := cleanEach(*list.of, list.most, func(s string, path path) (string, error) {
			return s, path.text(&s, true)
		}, field, list.name)
		if err != nil {
			return c, err
		}
		*list.of = withoutRepeats(clean)
	}
	return c, nil
}

// cleanEach cleans the entries of a list, which has so many at most; nil stays nil.
func cleanEach[E any](list []E, most int, clean func(E, path) (E, error), field ...string) ([]E, error) {
	if len(list) > most {
		return nil, refusal.New(refusal.TooLong, fmt.Sprintf("At most %d entries, not %d.", most, len(list)), field...)
	}
	if list == nil {
		return nil, nil
	}
	out := make([]E, len(list))
	for i, e := range list {
		var err error
		if out[i], err = clean(e, path(field).to(strconv.Itoa(i))); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// path is where in the input something stands.
type path []string

func (p path) to(more ...string) path { return append(append(path{}, p...), more...) }

// text cleans a short text of one line.
func (p path) text(s *string, required bool, name ...string) error {
	clean, err := text.Rule{Max: shortMax, Required: required}.Clean(*s, p.to(name...)...)
	*s = clean
	return err
}

// month checks a date.
func (p path) month(s *string, required bool, name string) error {
	*s = strings.TrimSpace(*s)
	switch {
	case *s == "" && required:
		return refusal.New(refusal.Blank, "This must not be empty.", p.to(name)...)
	case *s == "", month.MatchString(*s):
		return nil
	default:
		return refusal.New(refusal.Invalid, "A date here is a month as in 2026-01, from 1900-01 to 2100-12.", p.to(name)...)
	}
}

// order refuses an end before the start, where both are known.
func (p path) order(started, ended *string) error {
	if *ended != "" && *ended < *started {
		return refusal.New(refusal.Invalid, "The end is before the start.", p.to("endedOn")...)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// withoutRepeats leaves out what came before in other cases of letters; nil stays nil.
func withoutRepeats(list []string) []string {
	seen := make(map[string]bool, len(list))
	out := list[:0]
	for _, s := range list {
		if folded := cases.Fold().String(s); !seen[folded] {
			seen[folded] = true
			out = append(out, s)
		}
	}
	return out
}
