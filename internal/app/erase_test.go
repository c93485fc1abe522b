package app_test

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.jetify.com/typeid"

	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// rows gives every row of every table that matches, each with the name of its table first.
func rows(t *testing.T, database, pattern string) []string {
	t.Helper()
	driver, source := "postgres", database
	list := `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
		list = `SELECT name FROM sqlite_master WHERE type = 'table'`
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var out []string
	for _, table := range query(t, db, list) {
		for _, row := range query(t, db, "SELECT * FROM "+table) { //nolint:unqueryvet // whatever there is
			if regexp.MustCompile(pattern).MatchString(row) {
				out = append(out, table+": "+row)
			}
		}
	}
	return out
}

// query gives the rows of a statement as text, with bars between the columns.
func query(t *testing.T, db *sql.DB, statement string) []string {
	t.Helper()
	found, err := db.Query(statement)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for found.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := found.Scan(into...); err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(values))
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			texts[i] = fmt.Sprint(v)
		}
		out = append(out, strings.Join(texts, "|"))
	}
	if found.Err() != nil {
		t.Fatal(found.Err())
	}
	return out
}

// keyOf is an id as the tables have it.
func keyOf(t *testing.T, id string) string {
	t.Helper()
	decoded, err := typeid.FromString(id)
	if err != nil {
		t.Fatal(err)
	}
	return uuid.UUID(decoded.UUIDBytes()).String()
}

// write runs statements on the database of a server.
func write(t *testing.T, database string, statements ...string) {
	t.Helper()
	driver, source := "postgres", database
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// After deleteMember nothing personal of the member is left anywhere but in what others have: the messages to them. The
// member is locked out, the others' lists are true, and they were told of what they may know.
func TestDeleteMember(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s, node := apptest.Start(t, database), apptest.Start(t, database)
		service := s.Service(t)
		const mark = "Personal"
		service.Upsert(apptest.Vars{
			"subject": "personal-ada", "handle": "personal-ada", "name": mark, "email": "personal@example.org", "headline": mark,
			"location": mark, "industry": mark, "company": mark, "photoUrl": "https://example.org/Personal",
		})
		ada := s.WithToken(t, apptest.Token(t, member.Claims{Subject: "personal-ada"}, time.Hour))
		ada.ID = service.Upsert(apptest.Vars{"subject": "personal-ada"}).Member.ID
		ben, cyd, dee, eve, fay, gus := s.As(t, "ben"), s.As(t, "cyd"), s.As(t, "dee"), s.As(t, "eve"), s.As(t, "fay"), s.As(t, "gus")
		ivy, jim := s.As(t, "ivy"), s.As(t, "jim")

		apptest.Connect(ben, ada)          // ben was told that ada accepted
		ada.Invite(cyd.ID, mark)           // pending
		toDee := ada.Invite(dee.ID, mark)  // declined
		fromEve := eve.Invite(ada.ID, "x") // ignored
		fay.Block(ada.ID)
		ada.Block(gus.ID)
		toIvy := ada.Invite(ivy.ID, mark) // withdrawn: a bar
		fromJim := jim.Invite(ada.ID, "x")
		for what, got := range map[string]apptest.Payload{
			"decline": dee.Respond(toDee.Invitation.ID, "DECLINE"), "flag": ada.Respond(fromEve.Invitation.ID, "DONT_KNOW"),
			"withdraw": ada.Withdraw(toIvy.Invitation.ID), "decline another": ada.Respond(fromJim.Invitation.ID, "DECLINE"),
		} {
			expect(t, what, got, "")
		}
		service.Publish(apptest.Vars{
			"key": "k", "category": "LIKE", "subjects": []string{"ben", "dee"}, "actorId": ada.ID, "title": mark + " likes it",
			"body": mark, "url": "https://example.org/Personal",
		})
		service.Publish(apptest.Vars{"key": "muted", "category": "LIKE", "subjects": []string{"gus"}, "actorId": ada.ID, "title": mark})
		service.Publish(apptest.Vars{"key": "k2", "category": "LIKE", "memberIds": []string{ada.ID}, "title": "for her"})
		a, b := keyOf(t, ada.ID), keyOf(t, ben.ID)
		write(t, database,
			`INSERT INTO conversations (id, pair_lo, pair_hi, last_number) VALUES ('00000000-0000-7000-8000-000000000001', '`+min(a, b)+`', '`+max(a, b)+`', 2)`,
			`INSERT INTO participants (member_id, conversation_id, other_id, last_message_at) VALUES ('`+a+`', '00000000-0000-7000-8000-000000000001', '`+b+`', '2026-01-01 00:00:00+00:00')`,
			`INSERT INTO participants (member_id, conversation_id, other_id, last_message_at) VALUES ('`+b+`', '00000000-0000-7000-8000-000000000001', '`+a+`', '2026-01-01 00:00:00+00:00')`,
			`INSERT INTO messages (id, conversation_id, number, sender_id, body, sent_at) VALUES ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000001', 1, '`+a+`', 'Personal hello', '2026-01-01 00:00:00+00:00')`,
			`INSERT INTO notifications (id, member_id, sequence, category, actor_id, message_id, created_at) VALUES ('00000000-0000-7000-8000-000000000003', '`+b+`', 1000, 'message', '`+a+`', '00000000-0000-7000-8000-000000000002', '2026-01-01 00:00:00+00:00')`,
			`INSERT INTO profiles (member_id, about, positions, education, skills, languages, interests) VALUES ('`+a+`', 'Personal', '[]', '[]', '[]', '[]', '[]')`,
			`INSERT INTO preferences (member_id, settings, time_zone) VALUES ('`+a+`', '{}', 'Europe/Berlin')`,
			`INSERT INTO restrictions (member_id, warned) VALUES ('`+a+`', true)`,
			`INSERT INTO reports (id, reporter_id, reported_id, reason, details, created_at) VALUES ('00000000-0000-7000-8000-000000000004', '`+a+`', '`+b+`', 'SPAM', 'Personal', '2026-01-01 00:00:00+00:00')`,
			`INSERT INTO reports (id, reporter_id, reported_id, reason, details, created_at) VALUES ('00000000-0000-7000-8000-000000000005', '`+b+`', '`+a+`', 'SPAM', 'their own text', '2026-01-01 00:00:00+00:00')`,
		)
		here, there := ada.Connect(), ada.On(node).Connect()
		here.Subscribe(subscribeNotifications, nil)
		there.Subscribe(subscribeNotifications, nil)
		tabs := map[*tab][]string{
			openTab(ben): {"CONNECTION_REMOVED"}, openTab(cyd): {"INVITATION_CLOSED"}, openTab(eve): {"INVITATION_CLOSED"},
			openTab(jim): {"INVITATION_CLOSED"}, openTab(dee): nil, openTab(ivy): nil, openTab(gus): nil, openTab(fay): nil,
		}

		got := service.Delete("personal-ada")
		if got.Code() != "" || *got.DeletedMemberID != ada.ID {
			t.Fatalf("got %+v", got)
		}
		for _, socket := range []*apptest.Socket{here, there} {
			if code := socket.CloseCode(); code != 4403 {
				t.Errorf("a socket closed with %d", code)
			}
		}
		for _, row := range rows(t, database, `(?i)personal`) {
			if !strings.HasPrefix(row, "messages: ") {
				t.Errorf("left: %s", row)
			}
		}
		for _, row := range rows(t, database, a) {
			table, _, _ := strings.Cut(row, ":")
			if !slices.Contains([]string{"members", "conversations", "messages", "participants", "reports", "feed_entries", "publications", "blocks", "flags"}, table) {
				t.Errorf("left: %s", row)
			}
		}
		if left := rows(t, database, `Personal hello|their own text`); len(left) != 2 {
			t.Errorf("what is others' is gone: %q", left)
		}
		if left := rows(t, database, `^`+b+`\|00000000-0000-7000-8000-000000000001|`+b+`\|.*00000000-0000-7000-8000-000000000001`); !slices.ContainsFunc(left, func(row string) bool { return strings.HasPrefix(row, "participants: ") }) {
			t.Errorf("the other's side of the conversation is gone: %q", left)
		}

		// The others.
		for _, c := range []*apptest.Client{ben, cyd, dee, eve} {
			if inbox := inboxOf(c); len(inbox) != 0 {
				t.Errorf("%s still has %q", c.Handle, inbox)
			}
			var data struct {
				Node   *struct{ ID string }
				Viewer struct{ Connections, SentInvitations, ReceivedInvitations struct{ TotalCount int } }
				Member *struct{ ID string }
			}
			c.Get(&data, `query($id: ID!) { node(id: $id) { id } member(handle: "personal-ada") { id } viewer {
				connections { totalCount } sentInvitations { totalCount } receivedInvitations { totalCount } } }`, apptest.Vars{"id": ada.ID})
			if data.Node != nil || data.Member != nil {
				t.Errorf("others see %v and %v", data.Node, data.Member)
			}
			if v := data.Viewer; v.Connections.TotalCount+v.SentInvitations.TotalCount+v.ReceivedInvitations.TotalCount != 0 {
				t.Errorf("%s still has %+v", c.Handle, v)
			}
			expect(t, "inviting who is gone", c.Invite(ada.ID, ""), "MEMBER_NOT_FOUND")
			expect(t, "blocking who is gone", c.Block(ada.ID), "MEMBER_NOT_FOUND")
		}
		var written struct {
			Viewer struct {
				Conversations struct {
					Nodes []struct {
						CanSend  bool
						With     struct{ ID, Handle, Name string }
						Messages struct {
							Nodes []struct {
								Body   string
								Sender struct{ Name string }
							}
						}
					}
				}
			}
		}
		ben.Get(&written, `{ viewer { conversations { nodes { canSend with { id handle name } messages { nodes { body sender { name } } } } } } }`, nil)
		if list := written.Viewer.Conversations.Nodes; len(list) != 1 || list[0].CanSend || list[0].With.Name != "Former member" ||
			!strings.HasPrefix(list[0].With.Handle, "former-") || len(list[0].Messages.Nodes) != 1 ||
			list[0].Messages.Nodes[0].Body != "Personal hello" || list[0].Messages.Nodes[0].Sender.Name != "Former member" {
			t.Errorf("of the conversation is left %+v", list)
		}
		for o, want := range tabs {
			if heard := o.changes(t, s, "marker"); !slices.Equal(heard, want) {
				t.Errorf("%s heard %q, want %q", o.Handle, heard, want)
			}
		}

		// The same subject is somebody new, the old id is nobody's.
		again := s.WithToken(t, apptest.Token(t, member.Claims{Subject: "personal-ada", PreferredUsername: "personal-ada"}, time.Hour))
		var me struct {
			Viewer struct{ Member struct{ ID, Handle string } }
		}
		again.Get(&me, `{ viewer { member { id handle } } }`, nil)
		if me.Viewer.Member.ID == ada.ID || me.Viewer.Member.Handle != "personal-ada" {
			t.Errorf("the subject signed in as %+v", me.Viewer.Member)
		}
		if got := service.Delete("nobody"); got.Code() != "MEMBER_NOT_FOUND" || got.UserErrors[0].Field[0] != "subject" || got.DeletedMemberID != nil {
			t.Errorf("an unknown subject gave %+v", got)
		}
		if got := service.Delete("personal-ada"); got.Code() != "" || *got.DeletedMemberID != me.Viewer.Member.ID {
			t.Errorf("the new member: %+v", got)
		}
		if got := service.Delete("personal-ada"); got.Code() != "MEMBER_NOT_FOUND" {
			t.Errorf("again: %+v", got)
		}
	})
}

// A deletion against everything that others, and the member, do at the same time: nothing is left between them.
func TestRaceDelete(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s := apptest.Start(t, database)
		service := s.Service(t)
		var ids []string
		for round := range rounds {
			name := func(who string) string { return fmt.Sprint(who, round) }
			ada, ben, cyd, dee, eve := s.As(t, name("ada")), s.As(t, name("ben")), s.As(t, name("cyd")), s.As(t, name("dee")), s.As(t, name("eve"))
			toCyd, fromEve := ada.Invite(cyd.ID, ""), eve.Invite(ada.ID, "")
			var deleted apptest.Managed
			do := func(query string, vars apptest.Vars) func() {
				return func() { ada.Do(query, vars) } // it may well fail
			}
			together(
				func() { deleted = service.Delete(name("ada")) },
				func() { service.Delete(name("ada")) },
				func() { ben.Invite(ada.ID, "") },
				func() { cyd.Respond(toCyd.Invitation.ID, "ACCEPT") },
				do(`mutation($m: ID!) { inviteMember(input: {memberId: $m}) { invitation { id } } }`, apptest.Vars{"m": dee.ID}),
				do(`mutation($m: ID!) { respondToInvitation(input: {invitationId: $m, response: ACCEPT}) { invitation { id } } }`, apptest.Vars{"m": fromEve.Invitation.ID}),
				do(`mutation { updateMember(input: {name: "Personal"}) { member { id } } }`, nil),
				func() {
					service.Publish(apptest.Vars{"key": name("k"), "category": "LIKE", "subjects": []string{name("ben")}, "actorId": ada.ID, "title": "t"})
				},
			)
			if code := deleted.Code(); code != "" && code != "MEMBER_NOT_FOUND" { // the other was faster
				t.Fatalf("got %+v", deleted)
			}
			s.RunTasks(t)
			ids = append(ids, keyOf(t, ada.ID))
		}
		for _, row := range rows(t, database, strings.Join(ids, "|")) {
			table, _, _ := strings.Cut(row, ":")
			if !slices.Contains([]string{"members", "feed_entries", "publications"}, table) {
				t.Errorf("left: %s", row)
			}
		}
		// Of those who were deleted: who asked a moment later is a new member, and may call themselves so.
		if left := rows(t, database, `(`+strings.Join(ids, "|")+`).*\|Personal\|`); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	})
}
