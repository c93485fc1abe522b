package store

import (
	"context"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	entmember "github.com/acquaint/acquaint/ent/member"
	entreport "github.com/acquaint/acquaint/ent/report"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/report"
)

// Reports is the tables, as reports see them.
type Reports struct{ *Store }

// Transact implements report.Store.
func (r Reports) Transact(ctx context.Context, do func(ctx context.Context, tx report.Tx) error) error {
	return r.write(ctx, func(t *tx) error { return do(ctx, t) })
}

// OpenReports implements report.Tx.
func (t *tx) OpenReports(ctx context.Context, reporter, reported id.Member) ([]report.Report, error) {
	return reports(t.client.Report.Query().Where(entreport.ReporterID(uuid.UUID(reporter)),
		entreport.ReportedID(uuid.UUID(reported)), entreport.ResolvedAtIsNil()).All(ctx))
}

// InsertReport implements report.Tx.
func (t *tx) InsertReport(ctx context.Context, r report.Report) error {
	return t.client.Report.Create().SetID(uuid.UUID(r.ID)).SetReporterID(uuid.UUID(r.Reporter)).
		SetReportedID(uuid.UUID(r.Reported)).SetReason(string(r.Reason)).SetNillableDetails(optionalText(r.Details)).
		SetCreatedAt(r.CreatedAt).Exec(ctx)
}

// Cases implements report.Store.
func (r Reports) Cases(ctx context.Context, page report.Page) ([]report.Case, bool, error) {
	query := r.client.Report.Query()
	if !page.All {
		query.Where(entreport.ResolvedAtIsNil())
	}
	if page.After != nil {
		query.Where(func(sel *entsql.Selector) {
			sel.Where(entsql.CompositeGT([]string{sel.C(entreport.FieldCreatedAt), sel.C(entreport.FieldID)},
				page.After.CreatedAt, uuid.UUID(page.After.ID)))
		})
	}
	list, err := reports(query.Order(entreport.ByCreatedAt(), entreport.ByID()).Limit(page.Limit + 1).All(ctx))
	if err != nil {
		return nil, false, err
	}
	list, more := cut(list, page.Limit)
	cases, err := r.cases(ctx, list)
	return cases, more, err
}

// Case implements report.Store.
func (r Reports) Case(ctx context.Context, which id.Report) (report.Case, error) {
	list, err := reports(r.client.Report.Query().Where(entreport.ID(uuid.UUID(which))).All(ctx))
	if err != nil {
		return report.Case{}, err
	}
	cases, err := r.cases(ctx, list)
	if err == nil && len(cases) == 0 {
		err = report.ErrNotFound
	}
	if err != nil {
		return report.Case{}, err
	}
	return cases[0], nil
}

// Resolve implements report.Store.
func (r Reports) Resolve(ctx context.Context, which id.Report, resolution string, at time.Time) (bool, error) {
	var n int
	err := r.write(ctx, func(t *tx) error {
		var err error
		n, err = t.client.Report.Update().Where(entreport.ID(uuid.UUID(which)), entreport.ResolvedAtIsNil()).
			SetResolvedAt(at).SetResolution(resolution).Save(ctx)
		return err
	})
	return n > 0, err
}

// cases adds the members to reports.
func (r Reports) cases(ctx context.Context, list []report.Report) ([]report.Case, error) {
	members := make([]id.Member, 0, 2*len(list))
	for _, one := range list {
		members = append(members, one.Reporter, one.Reported)
	}
	rows, err := r.client.Member.Query().Where(entmember.IDIn(uuids(members)...)).
		Select(entmember.FieldID, entmember.FieldSubject, entmember.FieldHandle, entmember.FieldName).All(ctx)
	if err != nil {
		return nil, err
	}
	people := make(map[id.Member]report.Person, len(rows))
	for _, row := range rows {
		people[id.Member(row.ID)] = report.Person{Subject: row.Subject, Handle: row.Handle, Name: row.Name}
	}
	out := make([]report.Case, len(list))
	for i, one := range list {
		out[i] = report.Case{Report: one, By: people[one.Reporter], Of: people[one.Reported]}
	}
	return out, nil
}

func reports(rows []*ent.Report, err error) ([]report.Report, error) {
	if err != nil {
		return nil, err
	}
	out := make([]report.Report, len(rows))
	for i, row := range rows {
		out[i] = report.Report{
			ID: id.Report(row.ID), Reporter: id.Member(row.ReporterID), Reported: id.Member(row.ReportedID),
			Reason: report.Reason(row.Reason), Details: textOf(row.Details), CreatedAt: row.CreatedAt.UTC(),
			ResolvedAt: timeOf(row.ResolvedAt), Resolution: textOf(row.Resolution),
		}
	}
	return out, nil
}
