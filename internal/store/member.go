package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"

	entmember "github.com/acquaint/acquaint/ent/member"
	"github.com/acquaint/acquaint/ent/predicate"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
)

// MemberBySubject implements member.Store.
func (s *Store) MemberBySubject(ctx context.Context, subject string) (member.Member, error) {
	found, err := s.subjects.Get(ctx, subject)
	if err != nil {
		return member.Member{}, err
	}
	m, ok := found[subject]
	if !ok {
		return m, member.ErrNotFound
	}
	return m, nil
}

func (s *Store) membersBySubject(ctx context.Context, subjects []string) (map[string]member.Member, error) {
	b := statement(s.dialect)
	b.WriteString("SELECT subject, " + memberColumns + " FROM members WHERE ")
	writeAmong(b, "subject", subjects)
	b.WriteString(notErased)
	query, args := b.Query()
	var (
		subject string
		row     memberRow
	)
	columns := append([]any{&subject}, row.columns()...)
	out := make(map[string]member.Member, len(subjects))
	err := scanAll(ctx, s.client, query, args, func(rows *sql.Rows) error {
		if err := rows.Scan(columns...); err != nil {
			return err
		}
		out[subject] = row.member()
		return nil
	})
	return out, err
}

// MemberByHandle implements member.Store.
func (s *Store) MemberByHandle(ctx context.Context, handle string) (member.Member, error) {
	return onlyMember(ctx, s.client, membersBy(s.dialect, "handle", handle))
}

// MembersByID implements member.Store.
func (s *Store) MembersByID(ctx context.Context, ids []id.Member) ([]member.Member, error) {
	out := make([]member.Member, 0, len(ids))
	err := scanMembers(ctx, s.client, membersBy(s.dialect, "id", uuids(ids)...), func(row *memberRow) { out = append(out, row.member()) })
	return out, err
}

// CreateMember implements member.Store.
func (s *Store) CreateMember(ctx context.Context, subject string, m member.Member) error {
	err := s.write(ctx, func(t *tx) error {
		if err := t.client.Member.Create().
			SetID(uuid.UUID(m.ID)).SetSubject(subject).SetHandle(m.Handle).SetName(m.Name).
			SetNillableEmail(optionalText(m.Email)).SetNillableHeadline(optionalText(m.Headline)).
			SetNillableLocation(optionalText(m.Location)).SetNillableIndustry(optionalText(m.Industry)).
			SetNillableCompany(optionalText(m.Company)).SetNillablePhotoURL(optionalText(m.PhotoURL)).
			SetCreatedAt(m.CreatedAt).Exec(ctx); err != nil {
			return err
		}
		return t.client.Inbox.Create().SetID(uuid.UUID(m.ID)).Exec(ctx)
	})
	switch {
	case violates(err, entmember.FieldSubject):
		return member.ErrSubjectTaken
	case violates(err, entmember.FieldHandle):
		return member.ErrHandleTaken
	}
	return err
}

// UpdateMember implements member.Store.
func (s *Store) UpdateMember(ctx context.Context, m id.Member, update member.Update) (member.Member, error) {
	var out member.Member
	err := s.write(ctx, func(t *tx) error {
		if update.Profile != nil {
			if err := t.lockProfile(ctx, m); err != nil {
				return err
			}
		}
		alive := []predicate.Member{entmember.ID(uuid.UUID(m)), entmember.ErasedAtIsNil()}
		change := t.client.Member.Update().Where(alive...)
		mutation := change.Mutation()
		for _, column := range []struct {
			value *string
			set   func(string)
			clear func()
		}{
			{update.Handle, mutation.SetHandle, nil},
			{update.Name, mutation.SetName, nil},
			{update.Email, mutation.SetEmail, mutation.ClearEmail},
			{update.Headline, mutation.SetHeadline, mutation.ClearHeadline},
			{update.Location, mutation.SetLocation, mutation.ClearLocation},
			{update.Industry, mutation.SetIndustry, mutation.ClearIndustry},
			{update.Company, mutation.SetCompany, mutation.ClearCompany},
			{update.PhotoURL, mutation.SetPhotoURL, mutation.ClearPhotoURL},
		} {
			switch {
			case column.value == nil:
			case *column.value == "" && column.clear != nil:
				column.clear()
			default:
				column.set(*column.value)
			}
		}
		if len(mutation.Fields())+len(mutation.ClearedFields()) > 0 {
			if err := change.Exec(ctx); err != nil {
				return err
			}
		}
		if update.Profile != nil {
			if err := t.changeProfile(ctx, m, *update.Profile); err != nil {
				return err
			}
		}
		var err error
		out, err = onlyMember(ctx, t.client, membersBy(t.dialect, "id", uuid.UUID(m)).WriteString(notErased))
		return err
	})
	if violates(err, entmember.FieldHandle) {
		return member.Member{}, member.ErrHandleTaken
	}
	return out, err
}

// SuspendMember implements member.Store.
func (s *Store) SuspendMember(ctx context.Context, subject string, at time.Time) (member.Member, error) {
	var out member.Member
	err := s.write(ctx, func(t *tx) error {
		who := []predicate.Member{entmember.Subject(subject), entmember.ErasedAtIsNil()}
		change := t.client.Member.Update()
		if at.IsZero() {
			change.Where(entmember.SuspendedAtNotNil()).ClearSuspendedAt()
		} else {
			change.Where(entmember.SuspendedAtIsNil()).SetSuspendedAt(at)
		}
		if err := change.Where(who...).Exec(ctx); err != nil {
			return err
		}
		var err error
		out, err = onlyMember(ctx, t.client, membersBy(t.dialect, "subject", subject).WriteString(notErased))
		return err
	})
	return out, err
}

// AccessEnded gives the members who were suspended or erased after a time, and still are.
func (s *Store) AccessEnded(ctx context.Context, since time.Time) ([]id.Member, error) {
	ids, err := s.client.Member.Query().
		Where(entmember.Or(entmember.SuspendedAtGT(since), entmember.ErasedAtGT(since))).IDs(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]id.Member, len(ids))
	for i, m := range ids {
		out[i] = id.Member(m)
	}
	return out, nil
}
