package model

import (
	"strings"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
)

// Profile is a profile that the viewer may see; its email is a question of its own.
type Profile struct {
	ID        string
	Owner     *Member
	About     *string
	Positions []Position
	Education []Education
	Skills    []string
	Languages []string
	Interests []string
}

// NewProfile shows the profile of a member.
func NewProfile(owner *Member, p member.Profile) *Profile {
	out := &Profile{
		ID: encode(prefixProfile, owner.Key), Owner: owner, About: Optional(p.About),
		Positions: make([]Position, len(p.Positions)), Education: make([]Education, len(p.Education)),
		Skills: p.Skills, Languages: p.Languages, Interests: p.Interests,
	}
	for i, e := range p.Positions {
		out.Positions[i] = Position{
			ID: encode(prefixPosition, e.ID), Company: e.Company, Title: e.Title, StartedOn: e.StartedOn, EndedOn: Optional(e.EndedOn),
		}
	}
	for i, e := range p.Education {
		out.Education[i] = Education{
			ID: encode(prefixEducation, e.ID), School: e.School, Field: Optional(e.Field),
			StartedOn: Optional(e.StartedOn), EndedOn: Optional(e.EndedOn),
		}
	}
	return out
}

// NewPrivacySettings shows a member's privacy settings to that member.
func NewPrivacySettings(key id.Member, p member.Privacy) *PrivacySettings {
	return &PrivacySettings{
		ID:                        encode(prefixPrivacy, key),
		WhoCanInvite:              InvitationAudience(strings.ToUpper(string(p.WhoCanInvite))),
		WhoSeesConnections:        ConnectionsAudience(strings.ToUpper(string(p.WhoSeesConnections))),
		WhoSeesProfile:            ProfileAudience(strings.ToUpper(string(p.WhoSeesProfile))),
		ShareEmailWithConnections: p.ShareEmail,
	}
}

// PrivacyChangeOf is the domain's change.
func PrivacyChangeOf(input UpdatePrivacySettingsInput) member.PrivacyChange {
	change := member.PrivacyChange{ShareEmail: input.ShareEmailWithConnections.Value()}
	if who := input.WhoCanInvite.Value(); who != nil {
		change.WhoCanInvite = lower[member.InvitationAudience](*who)
	}
	if who := input.WhoSeesConnections.Value(); who != nil {
		change.WhoSeesConnections = lower[member.ConnectionsAudience](*who)
	}
	if who := input.WhoSeesProfile.Value(); who != nil {
		change.WhoSeesProfile = lower[member.ProfileAudience](*who)
	}
	return change
}

// lower is the domain's value of an enum's.
func lower[D, E ~string](value E) *D {
	d := D(strings.ToLower(string(value)))
	return &d
}

// ProfileChangeOf is the domain's change; of no input at all, it clears everything.
func ProfileChangeOf(input *ProfileInput) *member.ProfileChange {
	if input == nil {
		return &member.ProfileChange{
			About: new(string), Positions: []member.Position{}, Education: []member.Education{},
			Skills: []string{}, Languages: []string{}, Interests: []string{},
		}
	}
	change := &member.ProfileChange{
		Skills:    givenList(input.Skills.ValueOK()),
		Languages: givenList(input.Languages.ValueOK()),
		Interests: givenList(input.Interests.ValueOK()),
	}
	if about, set := input.About.ValueOK(); set {
		if about == nil {
			about = new(string)
		}
		change.About = about
	}
	if list, set := input.Positions.ValueOK(); set {
		change.Positions = make([]member.Position, len(list))
		for i, e := range list {
			change.Positions[i] = member.Position{
				Company: e.Company, Title: e.Title, StartedOn: e.StartedOn, EndedOn: orNone(e.EndedOn.Value()),
			}
		}
	}
	if list, set := input.Education.ValueOK(); set {
		change.Education = make([]member.Education, len(list))
		for i, e := range list {
			change.Education[i] = member.Education{
				School: e.School, Field: orNone(e.Field.Value()),
				StartedOn: orNone(e.StartedOn.Value()), EndedOn: orNone(e.EndedOn.Value()),
			}
		}
	}
	return change
}

// givenList reads a list of an input: nil when it was left out, and an empty one, which clears, when it was null.
func givenList(list []string, set bool) []string {
	if set && list == nil {
		return []string{}
	}
	return list
}

func orNone(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
