package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	entmember "github.com/acquaint/acquaint/ent/member"
	entprofile "github.com/acquaint/acquaint/ent/profile"
	"github.com/acquaint/acquaint/ent/schema"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
)

// Profiles implements member.Store.
func (s *Store) Profiles(ctx context.Context, members []id.Member) (map[id.Member]member.Profile, error) {
	rows, err := s.client.Profile.Query().Where(entprofile.IDIn(uuids(members)...)).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[id.Member]member.Profile, len(rows))
	for _, row := range rows {
		out[id.Member(row.ID)] = toProfile(row)
	}
	return out, nil
}

// lockProfile begins a change of a profile, so that of two at once neither is lost. An erased member has none any more.
func (t *tx) lockProfile(ctx context.Context, m id.Member) error {
	there, err := t.Lock(ctx, m)
	if err == nil && there {
		there, err = t.client.Member.Query().Where(entmember.ID(uuid.UUID(m)), entmember.ErasedAtIsNil()).Exist(ctx)
	}
	if err == nil && !there {
		return member.ErrNotFound
	}
	return err
}

// changeProfile makes a change to what is stored, with the profile locked.
func (t *tx) changeProfile(ctx context.Context, m id.Member, change member.ProfileChange) error {
	row, err := t.client.Profile.Get(ctx, uuid.UUID(m))
	if err != nil && !ent.IsNotFound(err) {
		return err
	}
	if err == nil {
		after := change.Apply(toProfile(row))
		update := t.client.Profile.UpdateOneID(uuid.UUID(m)).
			SetPositions(fromPositions(after.Positions)).SetEducation(fromEducation(after.Education)).
			SetSkills(texts(after.Skills)).SetLanguages(texts(after.Languages)).SetInterests(texts(after.Interests))
		if after.About == "" {
			return update.ClearAbout().Exec(ctx)
		}
		return update.SetAbout(after.About).Exec(ctx)
	}
	after := change.Apply(member.Profile{})
	return t.client.Profile.Create().SetID(uuid.UUID(m)).SetNillableAbout(optionalText(after.About)).
		SetPositions(fromPositions(after.Positions)).SetEducation(fromEducation(after.Education)).
		SetSkills(texts(after.Skills)).SetLanguages(texts(after.Languages)).SetInterests(texts(after.Interests)).Exec(ctx)
}

// UpdatePrivacy implements member.Store.
func (s *Store) UpdatePrivacy(ctx context.Context, m id.Member, change member.PrivacyChange) (member.Privacy, error) {
	var after member.Member
	err := s.write(ctx, func(t *tx) error {
		update := t.client.Member.Update().Where(entmember.ID(uuid.UUID(m)), entmember.ErasedAtIsNil()).
			SetNillableWhoCanInvite((*string)(change.WhoCanInvite)).
			SetNillableWhoSeesConnections((*string)(change.WhoSeesConnections)).
			SetNillableWhoSeesProfile((*string)(change.WhoSeesProfile)).
			SetNillableShareEmail(change.ShareEmail)
		if len(update.Mutation().Fields()) > 0 {
			if err := update.Exec(ctx); err != nil {
				return err
			}
		}
		var err error
		after, err = onlyMember(ctx, t.client, membersBy(t.dialect, "id", uuid.UUID(m)))
		return err
	})
	return after.Privacy, err
}

func toProfile(row *ent.Profile) member.Profile {
	p := member.Profile{
		About: textOf(row.About), Positions: make([]member.Position, len(row.Positions)),
		Education: make([]member.Education, len(row.Education)),
		Skills:    row.Skills, Languages: row.Languages, Interests: row.Interests,
	}
	for i, e := range row.Positions {
		p.Positions[i] = member.Position{
			ID: id.Part(e.ID), Company: e.Company, Title: e.Title, StartedOn: e.StartedOn, EndedOn: e.EndedOn,
		}
	}
	for i, e := range row.Education {
		p.Education[i] = member.Education{
			ID: id.Part(e.ID), School: e.School, Field: e.Field, StartedOn: e.StartedOn, EndedOn: e.EndedOn,
		}
	}
	return p
}

func fromPositions(list []member.Position) []schema.Position {
	out := make([]schema.Position, len(list))
	for i, e := range list {
		out[i] = schema.Position{
			ID: uuid.UUID(e.ID), Company: e.Company, Title: e.Title, StartedOn: e.StartedOn, EndedOn: e.EndedOn,
		}
	}
	return out
}

func fromEducation(list []member.Education) []schema.Education {
	out := make([]schema.Education, len(list))
	for i, e := range list {
		out[i] = schema.Education{
			ID: uuid.UUID(e.ID), School: e.School, Field: e.Field, StartedOn: e.StartedOn, EndedOn: e.EndedOn,
		}
	}
	return out
}

// texts is a list as the tables hold it: none is an empty one.
func texts(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
