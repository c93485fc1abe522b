package store

import (
	"context"
	"database/sql"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
)

// memberColumns are those that a memberRow is scanned from.
const memberColumns = "id, handle, name, email, headline, location, industry, company, photo_url, created_at, " +
	"suspended_at, who_can_invite, who_sees_connections, who_sees_profile, share_email, in_block, erased_at"

// memberRow is memberColumns. One does for all rows of an answer: each would be garbage of its own.
type memberRow struct {
	m                                                   member.Member
	own                                                 uuid.UUID
	email, headline, location, industry, company, photo sql.NullString
	suspended, erased                                   sql.NullTime
}

func (r *memberRow) columns() []any {
	return []any{
		&r.own, &r.m.Handle, &r.m.Name, &r.email, &r.headline, &r.location, &r.industry, &r.company, &r.photo,
		&r.m.CreatedAt, &r.suspended, &r.m.Privacy.WhoCanInvite, &r.m.Privacy.WhoSeesConnections,
		&r.m.Privacy.WhoSeesProfile, &r.m.Privacy.ShareEmail,
		&r.m.InBlock, &r.erased,
	}
}

// member gives the row that was scanned last.
func (r *memberRow) member() member.Member {
	m := r.m
	m.ID, m.CreatedAt = id.Member(r.own), m.CreatedAt.UTC()
	m.Email, m.Headline, m.Location = r.email.String, r.headline.String, r.location.String
	m.Industry, m.Company, m.PhotoURL = r.industry.String, r.company.String, r.photo.String
	m.SuspendedAt, m.Erased = r.suspended.Time.UTC(), r.erased.Valid
	return m
}

// publicColumns are those that a publicRow is scanned from.
const publicColumns = "handle, name, headline, location, industry, company, photo_url, in_block, erased_at"

// publicRow is publicColumns, all null where there is no member. One does for all rows of an answer.
type publicRow struct {
	handle, name, headline, location, industry, company, photo sql.NullString
	inBlock                                                    sql.NullBool
	erased                                                     sql.NullTime
}

func (r *publicRow) columns() []any {
	return []any{&r.handle, &r.name, &r.headline, &r.location, &r.industry, &r.company, &r.photo, &r.inBlock, &r.erased}
}

// public gives the row that was scanned last, of the member with that id.
func (r *publicRow) public(m id.Member) member.Public {
	return member.Public{
		ID: m, Handle: r.handle.String, Name: r.name.String, Headline: r.headline.String, Location: r.location.String,
		Industry: r.industry.String, Company: r.company.String, PhotoURL: r.photo.String,
		InBlock: r.inBlock.Bool, Erased: r.erased.Valid,
	}
}

// membersBy selects the members whose column is one of some values.
func membersBy[T uuid.UUID | string](dialect, column string, values ...T) *entsql.Builder {
	b := statement(dialect)
	b.WriteString("SELECT " + memberColumns + " FROM members WHERE ")
	writeAmong(b, column, values)
	return b
}

// notErased is a condition of members, behind others.
const notErased = " AND erased_at IS NULL"

// scanMembers gives each of the members that are selected. ent takes as long to make its objects as the database to answer.
func scanMembers(ctx context.Context, client *ent.Client, selected *entsql.Builder, each func(*memberRow)) error {
	query, args := selected.Query()
	var row memberRow
	columns := row.columns()
	return scanAll(ctx, client, query, args, func(rows *sql.Rows) error {
		if err := rows.Scan(columns...); err != nil {
			return err
		}
		each(&row)
		return nil
	})
}

// onlyMember gives the member that is selected, or member.ErrNotFound.
func onlyMember(ctx context.Context, client *ent.Client, selected *entsql.Builder) (member.Member, error) {
	found, err := member.Member{}, member.ErrNotFound
	if failed := scanMembers(ctx, client, selected, func(row *memberRow) { found, err = row.member(), nil }); failed != nil {
		return member.Member{}, failed
	}
	return found, err
}
