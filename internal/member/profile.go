package member

import "github.com/acquaint/acquaint/internal/id"

// Profile is what a member tells of themselves beyond the headline. The zero Profile is that of a member who told
// nothing.
type Profile struct {
	About     string
	Positions []Position
	Education []Education
	Skills    []string
	Languages []string
	Interests []string
}

// Position is a job in a profile. Dates are months, YYYY-MM.
type Position struct {
	ID        id.Part
	Company   string
	Title     string
	StartedOn string
	EndedOn   string // "" for a present one
}

// Education is a course of study in a profile. Dates are months, YYYY-MM.
type Education struct {
	ID        id.Part
	School    string
	Field     string // "" for none
	StartedOn string // "" for unknown
	EndedOn   string // "" for unknown, or not yet
}

// ProfileChange is a partial change of a profile: what is nil stays; an empty text, and a list that is empty but not nil,
// clear. A list replaces the whole list.
type ProfileChange struct {
	About     *string
	Positions []Position
	Education []Education
	Skills    []string
	Languages []string
	Interests []string
}

// Apply gives the profile after the change. An entry that was there before, word for word, keeps its id.
func (c ProfileChange) Apply(p Profile) Profile {
	if c.About != nil {
		p.About = *c.About
	}
	if c.Positions != nil {
		p.Positions = keepIDs(p.Positions, c.Positions, func(e *Position) *id.Part { return &e.ID })
	}
	if c.Education != nil {
		p.Education = keepIDs(p.Education, c.Education, func(e *Education) *id.Part { return &e.ID })
	}
	for _, list := range []struct {
		given []string
		into  *[]string
	}{{c.Skills, &p.Skills}, {c.Languages, &p.Languages}, {c.Interests, &p.Interests}} {
		if list.given != nil {
			*list.into = list.given
		}
	}
	return p
}

// keepIDs gives the entries of after, with the ids of those of before that are alike in all else; each id goes to one
// entry, the first.
func keepIDs[E comparable](before, after []E, idOf func(*E) *id.Part) []E {
	known := make(map[E][]id.Part, len(before))
	for _, e := range before {
		part := *idOf(&e)
		*idOf(&e) = id.Part{}
		known[e] = append(known[e], part)
	}
	out := make([]E, len(after))
	for i, e := range after {
		out[i] = e
		*idOf(&e) = id.Part{}
		if ids := known[e]; len(ids) > 0 {
			*idOf(&out[i]), known[e] = ids[0], ids[1:]
		}
	}
	return out
}
