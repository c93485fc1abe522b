package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// acquaint reports, beside a running server: list, show and resolve; and what it says when there is nothing to find.
func TestReports(t *testing.T) {
	t.Parallel()
	database := "sqlite:" + filepath.Join(t.TempDir(), "a.db")
	if code, _, said := runCommand("reports", "list", "--database-url", database); code != 2 || !strings.Contains(said, "--database-url") {
		t.Errorf("without a database: %d %q", code, said)
	}
	ctx, stop := context.WithCancel(context.Background())
	errs, done := newOutput(), make(chan int, 1)
	go func() {
		done <- run(ctx, []string{
			"serve", "--database-url", database, "--jwt-secret", secret, "--listen", "127.0.0.1:0", "--log-format", "json",
		}, streams{out: newOutput(), err: errs})
	}()
	defer func() { stop(); <-done }()
	url := errs.wait(t, `"msg":"listening","url":"(http://[^"]+)"`)
	token := func(args ...string) string {
		code, out, said := runCommand(append([]string{"token", "--jwt-secret", secret}, args...)...)
		if code != 0 {
			t.Fatal(said)
		}
		return strings.TrimSpace(out)
	}
	reports := func(args ...string) (int, string, string) {
		return runCommand(append(append([]string{"reports"}, args...), "--database-url", database)...)
	}
	if code, out, _ := reports("list"); code != 0 || out != "No reports.\n" {
		t.Errorf("an empty list: %d %q", code, out)
	}

	// A token of the host application's makes the member to be reported.
	var made struct {
		Data struct {
			Made struct{ Member struct{ ID string } }
		}
	}
	fetch(t, http.MethodPost, url+"/graphql", token("--subject", "the host", "--service"),
		`{"query":"mutation { made: upsertMember(input: {subject: \"u-ben\", handle: \"ben\", name: \"Ben\"}) { member { id } } }"}`, &made)
	id := made.Data.Made.Member.ID
	var reported struct {
		Data struct {
			ReportMember struct{ UserErrors []struct{ Code string } }
		}
	}
	fetch(t, http.MethodPost, url+"/graphql", token("--subject", "u-ada", "--name", "Ada"),
		`{"query":"mutation { reportMember(input: {memberId: \"`+id+`\", reason: HARASSMENT, details: \"One line\\nand another\\u202e\"}) { userErrors { code } } }"}`, &reported)
	if id == "" || len(reported.Data.ReportMember.UserErrors) > 0 {
		t.Fatalf("reporting %q gave %+v", id, reported)
	}

	code, out, _ := reports("list")
	for _, want := range []string{"HARASSMENT", "ben", "ada", "open", "One line and another\n"} {
		if code != 0 || !strings.Contains(out, want) || strings.Count(out, "\n") != 2 {
			t.Errorf("the list has no %q: %d\n%s", want, code, out)
		}
	}
	var list []struct {
		ID, Reason, Details string
		Member, Reporter    struct{ Subject, Handle, Name string }
		ResolvedAt          *string
	}
	if _, out, _ = reports("list", "--json"); json.Unmarshal([]byte(out), &list) != nil || len(list) != 1 ||
		list[0].Member.Subject != "u-ben" || list[0].Reporter.Name != "Ada" || list[0].ResolvedAt != nil {
		t.Fatalf("as JSON: %s", out)
	}
	report := list[0].ID
	if code, out, _ := reports("show", report); code != 0 || !strings.Contains(out, "subject u-ben") || !strings.Contains(out, "  and another\n") {
		t.Errorf("show: %d\n%s", code, out)
	}
	for _, unknown := range []string{"01990000-0000-7000-8000-000000000000", "x"} {
		if code, _, said := reports("show", unknown); code != 1 || !strings.Contains(said, "no such report") {
			t.Errorf("show %s: %d %q", unknown, code, said)
		}
		if code, _, _ := reports("resolve", unknown, "--note", "x"); code != 1 {
			t.Errorf("resolve %s: %d", unknown, code)
		}
	}
	for _, bad := range [][]string{{"resolve", report}, {"resolve", report, "--note", " "}, {"resolve"}, {"list", "--nonsense"}} {
		if code, _, said := reports(bad...); code != 2 {
			t.Errorf("%v: %d %q", bad, code, said)
		}
	}
	if code, out, _ := reports("resolve", report, "--note", "Warned by mail."); code != 0 || !strings.Contains(out, "resolved") || !strings.Contains(out, "Warned by mail.") {
		t.Errorf("resolve: %d\n%s", code, out)
	}
	if code, _, said := reports("resolve", report, "--note", "again"); code != 1 || !strings.Contains(said, "resolved already, at 2") {
		t.Errorf("resolving again: %d %q", code, said)
	}
	if _, out, _ := reports("list"); out != "No reports.\n" {
		t.Errorf("after that:\n%s", out)
	}
	if _, out, _ := reports("list", "--all"); !strings.Contains(out, "resolved") {
		t.Errorf("of all:\n%s", out)
	}
	for _, command := range []string{"reports", "reports list", "reports show", "reports resolve"} {
		if code, out, _ := runCommand(append(strings.Fields(command), "--help")...); code != 0 || !strings.Contains(out, "report") {
			t.Errorf("%s --help: %d %s", command, code, out)
		}
	}
}

// It leaves the tables as they are: those of another version are refused.
func TestReportsDoNotMigrate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil { // an empty database
		t.Fatal(err)
	}
	code, _, said := runCommand("reports", "list", "--database-url", "sqlite:"+path)
	if code != 1 || !strings.Contains(said, "acquaint migrate") {
		t.Errorf("ended with %d and said %q", code, said)
	}
}
