package member_test

import (
	"slices"
	"testing"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
)

// A change of a profile: what is nil stays, what is empty clears, a list replaces the list, and entries that are alike
// keep their ids, each once.
func TestApplyProfile(t *testing.T) {
	t.Parallel()
	about := func(s string) *string { return &s }
	position := func(n byte, company, ended string) member.Position {
		return member.Position{ID: id.Part{n}, Company: company, Title: "T", StartedOn: "2001-02", EndedOn: ended}
	}
	before := member.Profile{
		About:     "me",
		Positions: []member.Position{position(1, "A", ""), position(2, "B", "2003-01"), position(3, "A", "")},
		Education: []member.Education{{ID: id.Part{4}, School: "S"}},
		Skills:    []string{"Go", "SQL"}, Languages: []string{"fi"}, Interests: []string{"maps"},
	}
	if got := (member.ProfileChange{}).Apply(before); !equal(got, before) {
		t.Errorf("no change gave %+v", got)
	}
	cleared := member.ProfileChange{
		About: about(""), Positions: []member.Position{}, Education: []member.Education{}, Skills: []string{}, Languages: []string{}, Interests: []string{},
	}
	if got := cleared.Apply(before); !equal(got, member.Profile{}) {
		t.Errorf("clearing all gave %+v", got)
	}
	got := member.ProfileChange{
		Positions: []member.Position{position(11, "A", ""), position(12, "C", ""), position(13, "A", "2009-09"), position(14, "A", ""), position(15, "A", "")},
		Education: []member.Education{{ID: id.Part{16}, School: "S", Field: "F"}, {ID: id.Part{17}, School: "S"}},
		Skills:    []string{"SQL"},
	}.Apply(before)
	var ids []byte
	for _, p := range got.Positions {
		ids = append(ids, p.ID[0])
	}
	for _, e := range got.Education {
		ids = append(ids, e.ID[0])
	}
	if want := []byte{1, 12, 13, 3, 15, 16, 4}; !slices.Equal(ids, want) {
		t.Errorf("the ids are %v, want %v", ids, want)
	}
	if got.About != "me" || !slices.Equal(got.Skills, []string{"SQL"}) || !slices.Equal(got.Languages, before.Languages) {
		t.Errorf("a partial change gave %+v", got)
	}
	if before.Positions[0].ID != (id.Part{1}) || len(before.Skills) != 2 {
		t.Errorf("the profile before changed with it: %+v", before)
	}
}

func equal(a, b member.Profile) bool {
	return a.About == b.About && slices.Equal(a.Positions, b.Positions) && slices.Equal(a.Education, b.Education) &&
		slices.Equal(a.Skills, b.Skills) && slices.Equal(a.Languages, b.Languages) && slices.Equal(a.Interests, b.Interests)
}
