package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/refusal"
	"github.com/acquaint/acquaint/internal/report"
	"github.com/acquaint/acquaint/internal/store"
)

// reportsCommand is acquaint reports.
type reportsCommand struct {
	List    reportsListCommand    `cmd:"" help:"List the reports that wait for somebody to deal with them, oldest first."`
	Show    reportsShowCommand    `cmd:"" help:"Show one report."`
	Resolve reportsResolveCommand `cmd:"" help:"Note what was done about a report; it waits no longer."`
}

// Help is shown by acquaint reports --help.
func (reportsCommand) Help() string {
	return `What members reported of other members, with reportMember, for the operators alone. It works on the database of
--database-url, or of the data folder, beside a running server or without one, and changes nothing but what resolve notes.
Whom a report is about is named by subject, as suspendMember and deleteMember take it.

  acquaint reports list
  acquaint reports show 0198c0de-…
  acquaint reports resolve 0198c0de-… --note "Warned by mail."

It ends with 0, with 1 when something failed (there is no such report, or it was resolved before), and with 2 for a bad
flag or setting.`
}

// reportsSettings are those of all commands over reports.
type reportsSettings struct {
	databaseSettings
	JSON bool `name:"json" help:"Print JSON instead of text."`
}

// with opens the database as it is, and calls do.
func (c reportsSettings) with(ctx context.Context, do func(*report.Service) error) error {
	if path, ok := strings.CutPrefix(c.url(), "sqlite:"); ok {
		// Opening would make it.
		if _, err := os.Stat(strings.TrimPrefix(path, "//")); errors.Is(err, fs.ErrNotExist) {
			return &app.SettingError{Setting: "--database-url or --data-dir", Reason: "there is no database at " + path}
		}
	}
	tables, err := store.Open(ctx, c.url(), store.Options{NoMigrate: true})
	if err != nil {
		return err
	}
	return errors.Join(do(report.NewService(store.Reports{Store: tables}, app.Now, app.NewID)), tables.Close())
}

// reportsListCommand is acquaint reports list.
type reportsListCommand struct {
	reportsSettings
	All bool `help:"And those that were resolved."`
}

// reportsPage is how many reports are read at once.
const reportsPage = 200

// Run runs it.
func (c reportsListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(reports *report.Service) error {
		list := []reportView{}
		page := report.Page{All: c.All, Limit: reportsPage}
		for more := true; more; {
			var (
				cases []report.Case
				err   error
			)
			if cases, more, err = reports.Cases(ctx, page); err != nil {
				return err
			}
			for _, one := range cases {
				list = append(list, viewOf(one))
				page.After = &one.Report
			}
		}
		if c.JSON {
			return printJSON(s.out, list)
		}
		if len(list) == 0 {
			_, err := fmt.Fprintln(s.out, "No reports.")
			return err
		}
		table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0) //nolint:mnd // two spaces between columns
		fmt.Fprintln(table, "ID\tREPORTED\tREASON\tMEMBER\tBY\tSTATUS\tDETAILS")
		for _, r := range list {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.CreatedAt.Format(time.DateTime), r.Reason,
				cell(r.Member.Handle), cell(r.Reporter.Handle), r.status(), cell(orDash(r.Details)))
		}
		return table.Flush()
	})
}

// reportsShowCommand is acquaint reports show.
type reportsShowCommand struct {
	ID string `arg:"" name:"id" help:"The id of the report, as list prints it."`
	reportsSettings
}

// Run runs it.
func (c reportsShowCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(reports *report.Service) error {
		found, err := reportOf(c.ID, func(id uuid.UUID) (report.Case, error) { return reports.Case(ctx, [16]byte(id)) })
		if err != nil {
			return err
		}
		return c.print(s.out, found)
	})
}

// reportsResolveCommand is acquaint reports resolve.
type reportsResolveCommand struct {
	ID   string `arg:"" name:"id" help:"The id of the report, as list prints it."`
	Note string `required:"" placeholder:"TEXT" help:"What was done about it."`
	reportsSettings
}

// Run runs it.
func (c reportsResolveCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(reports *report.Service) error {
		resolved, err := reportOf(c.ID, func(id uuid.UUID) (report.Case, error) { return reports.Resolve(ctx, [16]byte(id), c.Note) })
		if refused, ok := errors.AsType[*refusal.Error](err); ok {
			return &app.SettingError{Setting: "--note", Reason: refused.Message}
		}
		if errors.Is(err, report.ErrResolved) {
			return fmt.Errorf("%w, at %s", err, resolved.ResolvedAt.Format(time.DateTime))
		}
		if err != nil {
			return err
		}
		return c.print(s.out, resolved)
	})
}

// reportOf asks for a report by what should be its id.
func reportOf(given string, ask func(uuid.UUID) (report.Case, error)) (report.Case, error) {
	id, err := uuid.Parse(given)
	if err != nil {
		return report.Case{}, report.ErrNotFound
	}
	return ask(id)
}

// print prints one report.
func (c reportsSettings) print(w io.Writer, found report.Case) error {
	r := viewOf(found)
	if c.JSON {
		return printJSON(w, r)
	}
	lines := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) //nolint:mnd // two spaces between columns
	fmt.Fprintf(lines, "Report\t%s\nReported\t%s\nReason\t%s\nMember\t%s\nBy\t%s\nStatus\t%s\n",
		r.ID, r.CreatedAt.Format(time.DateTime), r.Reason, r.Member, r.Reporter, r.status())
	if r.ResolvedAt != nil {
		fmt.Fprintf(lines, "Resolved\t%s\n", r.ResolvedAt.Format(time.DateTime))
	}
	if err := lines.Flush(); err != nil {
		return err
	}
	for _, part := range []struct {
		title string
		text  *string
	}{{"Details", r.Details}, {"Resolution", r.Resolution}} {
		if part.text != nil {
			fmt.Fprintf(w, "\n%s:\n", part.title)
			for line := range strings.SplitSeq(*part.text, "\n") {
				fmt.Fprintf(w, "  %s\n", printable(line))
			}
		}
	}
	return nil
}

// reportView is a report as it is printed.
type reportView struct {
	ID         uuid.UUID  `json:"id"`
	CreatedAt  time.Time  `json:"createdAt"`
	Reason     string     `json:"reason"`
	Member     personView `json:"member"`
	Reporter   personView `json:"reporter"`
	Details    *string    `json:"details"`
	ResolvedAt *time.Time `json:"resolvedAt"`
	Resolution *string    `json:"resolution"`
}

// personView is a member as it is printed.
type personView struct {
	Subject string `json:"subject"`
	Handle  string `json:"handle"`
	Name    string `json:"name"`
}

// String is the member in one line.
func (p personView) String() string {
	return fmt.Sprintf("%s (%s), subject %s", printable(p.Name), printable(p.Handle), printable(p.Subject))
}

func viewOf(c report.Case) reportView {
	out := reportView{
		ID: uuid.UUID(c.ID), CreatedAt: c.CreatedAt, Reason: strings.ToUpper(string(c.Reason)),
		Member: personView(c.Of), Reporter: personView(c.By),
	}
	if c.Details != "" {
		out.Details = &c.Details
	}
	if !c.ResolvedAt.IsZero() {
		out.ResolvedAt, out.Resolution = &c.ResolvedAt, &c.Resolution
	}
	return out
}

func (r reportView) status() string {
	if r.ResolvedAt == nil {
		return "open"
	}
	return "resolved"
}

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

func orDash(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}

const cellMax = 60 // characters of a text in a table

// cell makes a text fit for one cell of a table.
func cell(s string) string {
	runes := []rune(strings.Join(strings.Fields(printable(s)), " "))
	if len(runes) > cellMax {
		return string(runes[:cellMax-1]) + "…"
	}
	return string(runes)
}

// printable takes out of a member's text what could make a terminal show something else.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c != '\t' && c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c)) {
			return -1
		}
		return c
	}, s)
}
