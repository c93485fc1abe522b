package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/report"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// Members report members to the operators; to the reported, and to anybody else, nothing has happened.
func TestReportMember(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s := apptest.Start(t, database)
		service, ada, ben, eve := s.Service(t), s.As(t, "ada"), s.As(t, "ben"), s.As(t, "eve")
		blocked, blocking, erased := s.As(t, "blocked"), s.As(t, "blocking"), s.As(t, "erased")
		operators := report.NewService(store.Reports{Store: storetest.Open(t, database, store.Options{})}, app.Now, app.NewID)
		cases := func(all bool) []report.Case {
			t.Helper()
			var out []report.Case
			page := report.Page{All: all, Limit: 2} // so that there are pages
			for more := true; more; {
				var (
					list []report.Case
					err  error
				)
				if list, more, err = operators.Cases(t.Context(), page); err != nil {
					t.Fatal(err)
				}
				for _, c := range list {
					out = append(out, c)
					page.After = &c.Report
				}
			}
			return out
		}
		apptest.Connect(ada, ben)
		ada.Block(blocked.ID)
		blocking.Block(ada.ID)
		service.Delete("erased")
		look := func(c *apptest.Client) string {
			return string(c.Do(everything, apptest.Vars{"recipient": ada.ID, "invitation": ada.ID, "handle": "ada", "after": nil}).Raw)
		}
		bens := openTab(ben)
		before := []string{look(ben), look(eve), look(ada)}

		expect(t, "reporting", ada.Report(ben.ID, "SPAM", "  first line\nsecond "), "")
		for _, c := range []struct {
			what, member, details, code, field string
		}{
			{"oneself", ada.ID, "", "INVALID", "memberId"},
			{"nobody", "mbr_01h455vb4pex5vsknk084sn02q", "", "MEMBER_NOT_FOUND", "memberId"},
			{"no id", "x", "", "MEMBER_NOT_FOUND", "memberId"},
			{"whoever has blocked one", blocking.ID, "", "MEMBER_NOT_FOUND", "memberId"},
			{"whoever is erased", erased.ID, "", "MEMBER_NOT_FOUND", "memberId"},
			{"with too long a text", ben.ID, strings.Repeat("é", 2001), "TOO_LONG", "details"},
			{"with a control character", ben.ID, "a\u001bb", "INVALID", "details"},
		} {
			got := ada.Report(c.member, "OTHER", c.details)
			expect(t, "reporting "+c.what, got, c.code)
			if len(got.UserErrors) == 1 && got.UserErrors[0].Field[0] != c.field {
				t.Errorf("reporting %s blames %v", c.what, got.UserErrors[0].Field)
			}
		}
		list := cases(false)
		if len(list) != 1 || list[0].Reason != report.Spam || list[0].Details != "first line\nsecond" ||
			list[0].By.Subject != "ada" || list[0].Of.Handle != "ben" {
			t.Fatalf("the operators have %+v", list)
		}

		// Whom one has blocked for it, one may still report.
		expect(t, "reporting whom one has blocked", ada.Report(blocked.ID, "OTHER", ""), "")
		if list := cases(false); len(list) != 2 || list[1].Of.Handle != blocked.Handle {
			t.Fatalf("the operators have %+v", list)
		} else if _, err := operators.Resolve(t.Context(), list[1].ID, "seen"); err != nil {
			t.Fatal(err)
		}

		// The same again, ten times at once, is the same; another is another, from whomever.
		same := func() { ada.Report(ben.ID, "SPAM", "first line\nsecond") }
		together(same, same, same, same, same, same, same, same, same, same)
		twice := func() { eve.Report(ben.ID, "SPAM", "first line\nsecond") }
		together(twice, twice, twice)
		expect(t, "another reason", ada.Report(ben.ID, "HARASSMENT", "first line\nsecond"), "")
		expect(t, "other details", ada.Report(ben.ID, "SPAM", ""), "")
		if n := len(cases(false)); n != 4 {
			t.Errorf("%d reports, want 4", n)
		}

		// Nobody sees anything of it.
		if after := []string{look(ben), look(eve), look(ada)}; !slices.Equal(before, after) {
			t.Errorf("a report shows:\n%s", difference(strings.Join(before, "\n"), strings.Join(after, "\n")))
		}
		if heard := bens.changes(t, s, "marker"); len(heard) != 0 {
			t.Errorf("the reported heard %q", heard)
		}

		// Dealt with, it is another report when it comes again.
		resolved, err := operators.Resolve(t.Context(), list[0].ID, "Warned.")
		if err != nil || resolved.Resolution != "Warned." || resolved.ResolvedAt.IsZero() {
			t.Errorf("resolving gave %+v, %v", resolved, err)
		}
		if n, all := len(cases(false)), len(cases(true)); n != 3 || all != 5 {
			t.Errorf("%d open of %d", n, all)
		}
		same()
		if n, all := len(cases(false)), len(cases(true)); n != 4 || all != 6 {
			t.Errorf("after reporting again, %d open of %d", n, all)
		}
	})
}
