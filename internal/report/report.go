package report

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/refusal"
	"github.com/acquaint/acquaint/internal/text"
)

// Reason is why a member is reported.
type Reason string

// The reasons.
const (
	Spam          Reason = "spam"
	Harassment    Reason = "harassment"
	Impersonation Reason = "impersonation"
	Other         Reason = "other"
)

// The lengths of texts, in code points.
const (
	detailsMax = 2000
	noteMax    = 2000
)

// CodeMemberNotFound is what somebody gets who reports nobody that they may know of.
const CodeMemberNotFound refusal.Code = "MEMBER_NOT_FOUND"

// What is wrong with what an operator asks for.
var (
	ErrNotFound = errors.New("there is no such report")
	ErrResolved = errors.New("the report is resolved already")
)

// Report is one report. Details and Resolution are empty for none.
type Report struct {
	ID         id.Report
	Reporter   id.Member
	Reported   id.Member
	Reason     Reason
	Details    string
	CreatedAt  time.Time
	ResolvedAt time.Time // zero while open
	Resolution string    // what the operators did about it
}

// Person is a member as operators know them.
type Person struct{ Subject, Handle, Name string }

// Case is a report with whom it is about and by.
type Case struct {
	Report

	By, Of Person
}

// Page is a part of the list of reports, oldest first: Limit of them after one, if any.
type Page struct {
	All   bool // and not the open ones alone
	After *Report
	Limit int
}

// Store is what the package asks of the tables.
type Store interface {
	// Transact runs do in one transaction.
	Transact(ctx context.Context, do func(ctx context.Context, tx Tx) error) error
	// Cases gives a page, and whether there are more.
	Cases(ctx context.Context, page Page) ([]Case, bool, error)
	// Case gives one, or ErrNotFound.
	Case(ctx context.Context, report id.Report) (Case, error)
	// Resolve notes what was done about an open report; false when it is not open.
	Resolve(ctx context.Context, report id.Report, resolution string, at time.Time) (bool, error)
}

// Tx is the tables in one transaction.
type Tx interface {
	// Lock is that of notification.Tx.
	Lock(ctx context.Context, members ...id.Member) (bool, error)
	// HasBlocked reports whether the one has blocked the other.
	HasBlocked(ctx context.Context, blocker, blocked id.Member) (bool, error)
	// OpenReports gives those of one member by another that are not resolved.
	OpenReports(ctx context.Context, reporter, reported id.Member) ([]Report, error)
	InsertReport(ctx context.Context, r Report) error
}

// Service takes reports, and shows them to operators.
type Service struct {
	store Store
	now   func() time.Time
	newID id.Source
}

// NewService makes a Service over a store, a clock and a source of ids.
func NewService(store Store, now func() time.Time, newID id.Source) *Service {
	return &Service{store: store, now: now, newID: newID}
}

// Report tells the operators of a member's conduct.
func (s *Service) Report(ctx context.Context, viewer, reported id.Member, reason Reason, details string) error {
	details, err := text.Rule{Max: detailsMax, Lines: true}.Clean(details, "details")
	if err != nil {
		return err
	}
	if viewer == reported {
		return refusal.New(refusal.Invalid, "You cannot report yourself.", "memberId")
	}
	return s.store.Transact(ctx, func(ctx context.Context, tx Tx) error {
		found, err := tx.Lock(ctx, viewer, reported)
		if err != nil {
			return err
		}
		hidden, err := tx.HasBlocked(ctx, reported, viewer) // whom one has blocked oneself one may still report
		if err != nil {
			return err
		}
		if !found || hidden {
			return refusal.New(CodeMemberNotFound, "There is no such member.", "memberId")
		}
		open, err := tx.OpenReports(ctx, viewer, reported)
		if err != nil || slices.ContainsFunc(open, func(r Report) bool { return r.Reason == reason && r.Details == details }) {
			return err
		}
		return tx.InsertReport(ctx, Report{
			ID: id.Report(s.newID()), Reporter: viewer, Reported: reported, Reason: reason, Details: details, CreatedAt: s.now(),
		})
	})
}

// Cases gives a page of reports to an operator, oldest first, and whether there are more.
func (s *Service) Cases(ctx context.Context, page Page) ([]Case, bool, error) {
	return s.store.Cases(ctx, page)
}

// Case gives one report to an operator, or ErrNotFound.
func (s *Service) Case(ctx context.Context, report id.Report) (Case, error) {
	return s.store.Case(ctx, report)
}

// Resolve notes what the operators did about a report, and gives it; ErrNotFound or ErrResolved when it is not open.
func (s *Service) Resolve(ctx context.Context, report id.Report, note string) (Case, error) {
	note, err := text.Rule{Max: noteMax, Required: true, Lines: true}.Clean(note, "note")
	if err != nil {
		return Case{}, err
	}
	resolved, err := s.store.Resolve(ctx, report, note, s.now())
	if err != nil {
		return Case{}, err
	}
	after, err := s.store.Case(ctx, report)
	if err == nil && !resolved {
		err = ErrResolved
	}
	return after, err
}
