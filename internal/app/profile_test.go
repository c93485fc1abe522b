package app_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

type profileEntry struct {
	ID, Company, Title, School string
	Field, StartedOn, EndedOn  *string
}

type profile struct {
	ID                           string
	About, Email                 *string
	Positions, Education         []profileEntry
	Skills, Languages, Interests []string
}

const profileFields = `profile { id about email positions { id company title startedOn endedOn } education { id school field startedOn endedOn } skills languages interests }`

// profileOf is the viewer's own profile, and as it came over the wire.
func profileOf(c *apptest.Client) (profile, string) {
	var data struct {
		Viewer struct {
			Member struct{ Profile json.RawMessage }
		}
	}
	c.Get(&data, `{ viewer { member { `+profileFields+` } } }`, nil)
	var p profile
	if err := json.Unmarshal(data.Viewer.Member.Profile, &p); err != nil {
		panic(err)
	}
	return p, string(data.Viewer.Member.Profile)
}

func job(company, title, started string, ended ...string) apptest.Vars {
	p := apptest.Vars{"company": company, "title": title, "startedOn": started}
	if len(ended) > 0 {
		p["endedOn"] = ended[0]
	}
	return p
}

// A profile: empty before anything is told, changed part by part, cleared by null, lists replaced whole.
func TestProfile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada := s.As(t, "ada")
		_, suffix, _ := strings.Cut(ada.ID, "_")
		empty := `{"id":"prf_` + suffix + `","about":null,"email":null,"positions":[],"education":[],"skills":[],"languages":[],"interests":[]}`
		if _, raw := profileOf(ada); raw != empty {
			t.Errorf("untold: %s", raw)
		}
		expect(t, "nothing", ada.UpdateProfile(apptest.Vars{}), "")
		expect(t, "everything", ada.UpdateProfile(apptest.Vars{
			"about":     "  Line one,\nline two.\t ",
			"positions": []apptest.Vars{job(" Northwind ", "Engineer", "2019-03"), job("Tidewater", "Intern", "2018-01", "2018-01")},
			"education": []apptest.Vars{{"school": "Lakeside"}, {"school": "Lakeside", "field": "Graphs", "startedOn": "2010-09", "endedOn": "2015-06"}, {"school": "Evening school", "endedOn": "2100-12"}},
			"skills":    []string{"Go", "SQL", "go", " GO ", "Straße", "STRASSE"}, "languages": []string{"svenska", "Svenska"}, "interests": []string{"maps"},
		}), "")
		first, raw := profileOf(ada)
		if *first.About != "Line one,\nline two." || first.Positions[0].Company != "Northwind" || first.Positions[0].EndedOn != nil || *first.Positions[1].EndedOn != "2018-01" ||
			len(first.Education) != 3 || *first.Education[1].Field != "Graphs" || !slices.Equal(first.Skills, []string{"Go", "SQL", "Straße"}) ||
			!slices.Equal(first.Languages, []string{"svenska"}) || !slices.Equal(first.Interests, []string{"maps"}) {
			t.Errorf("told everything: %s", raw)
		}
		if !strings.HasPrefix(first.Positions[0].ID, "pos_") || !strings.HasPrefix(first.Education[0].ID, "edu_") {
			t.Errorf("the ids are %s and %s", first.Positions[0].ID, first.Education[0].ID)
		}
		// What is as it was keeps its id; the others get new ones, and what is not named stays.
		expect(t, "other positions", ada.UpdateProfile(apptest.Vars{
			"positions": []apptest.Vars{job("Tidewater", "Intern", "2018-01", "2018-01"), job("Northwind", "Engineer", "2019-03", "2024-12"), job("Tidewater", "Intern", "2018-01", "2018-01")},
		}), "")
		second, raw := profileOf(ada)
		if len(second.Positions) != 3 || second.Positions[0].ID != first.Positions[1].ID || *second.About != *first.About || len(second.Education) != 3 {
			t.Errorf("other positions: %s", raw)
		}
		seen := map[string]bool{first.Positions[0].ID: true}
		for _, p := range second.Positions {
			if seen[p.ID] {
				t.Errorf("%s twice: %s", p.ID, raw)
			}
			seen[p.ID] = true
		}
		expect(t, "clearing some", ada.UpdateProfile(apptest.Vars{"about": nil, "positions": nil, "skills": []string{}, "education": []apptest.Vars{}}), "")
		if third, raw := profileOf(ada); third.About != nil || len(third.Positions)+len(third.Skills)+len(third.Education) != 0 || len(third.Languages) != 1 {
			t.Errorf("cleared some: %s", raw)
		}
		expect(t, "clearing all", ada.UpdateProfile(nil), "")
		if _, raw := profileOf(ada); raw != empty {
			t.Errorf("cleared all: %s", raw)
		}
	})
}

// What a profile may hold: a refusal names the entry and its field, and nothing of the whole update is made.
func TestProfileRefusals(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada := s.As(t, "ada")
		expect(t, "a profile", ada.UpdateProfile(apptest.Vars{"about": "me", "positions": []apptest.Vars{job("A", "B", "2001-01")}, "skills": []string{"Go"}}), "")
		_, before := profileOf(ada)
		jobs := func(entries ...apptest.Vars) apptest.Vars { return apptest.Vars{"positions": entries} }
		schools := func(entries ...apptest.Vars) apptest.Vars { return apptest.Vars{"education": entries} }
		many := func(n int) (all []string) {
			for i := range n {
				all = append(all, fmt.Sprint("s", i))
			}
			return all
		}
		manyOf := func(n int, e apptest.Vars) (all []apptest.Vars) { return slices.Repeat([]apptest.Vars{e}, n) }
		fine, long := job("A", "B", "2001-01"), strings.Repeat("é", 101)
		for _, c := range []struct {
			change apptest.Vars
			code   string
			field  string
		}{
			{apptest.Vars{"about": strings.Repeat("é", 2601)}, "TOO_LONG", "about"},
			{apptest.Vars{"about": "a\x07"}, "INVALID", "about"},
			{jobs(fine, job("", "B", "2001-01")), "BLANK", "positions 1 company"},
			{jobs(job("A", "\u200b", "2001-01")), "BLANK", "positions 0 title"},
			{jobs(job(long, "B", "2001-01")), "TOO_LONG", "positions 0 company"},
			{jobs(job("A", "B\nC", "2001-01")), "INVALID", "positions 0 title"},
			{jobs(job("A", "B", "")), "BLANK", "positions 0 startedOn"},
			{jobs(job("A", "B", "2001-1")), "INVALID", "positions 0 startedOn"},
			{jobs(job("A", "B", "2001-13")), "INVALID", "positions 0 startedOn"},
			{jobs(job("A", "B", "2001-00")), "INVALID", "positions 0 startedOn"},
			{jobs(job("A", "B", "2001-01-01")), "INVALID", "positions 0 startedOn"},
			{jobs(job("A", "B", "1899-12")), "INVALID", "positions 0 startedOn"},
			{jobs(job("A", "B", "2101-01")), "INVALID", "positions 0 startedOn"},
			{jobs(job("A", "B", "٢٠٠١-٠١")), "INVALID", "positions 0 startedOn"},
			{jobs(job("A", "B", "2001-01", "soon")), "INVALID", "positions 0 endedOn"},
			{jobs(fine, fine, job("A", "B", "2001-02", "2001-01")), "INVALID", "positions 2 endedOn"},
			{schools(apptest.Vars{"school": " "}), "BLANK", "education 0 school"},
			{schools(apptest.Vars{"school": "S", "field": long}), "TOO_LONG", "education 0 field"},
			{schools(apptest.Vars{"school": "S", "startedOn": "2001"}), "INVALID", "education 0 startedOn"},
			{schools(apptest.Vars{"school": "S", "startedOn": "2001-05", "endedOn": "2001-04"}), "INVALID", "education 0 endedOn"},
			{apptest.Vars{"skills": []string{"a", ""}}, "BLANK", "skills 1"},
			{apptest.Vars{"languages": []string{long}}, "TOO_LONG", "languages 0"},
			{apptest.Vars{"interests": []string{"a", "b", "c\x00"}}, "INVALID", "interests 2"},
			{apptest.Vars{"positions": manyOf(101, fine)}, "TOO_LONG", "positions"},
			{apptest.Vars{"education": manyOf(101, apptest.Vars{"school": "S"})}, "TOO_LONG", "education"},
			{apptest.Vars{"skills": many(101)}, "TOO_LONG", "skills"},
			{apptest.Vars{"languages": many(51)}, "TOO_LONG", "languages"},
			{apptest.Vars{"interests": many(101)}, "TOO_LONG", "interests"},
		} {
			if c.change["about"] == nil {
				c.change["about"] = "must not stay"
			}
			var data struct {
				UpdateMember struct {
					Member     *struct{ ID string }
					UserErrors []apptest.UserError
				}
			}
			ada.Get(&data, `mutation($p: ProfileInput) { updateMember(input: {headline: "must not stay", profile: $p}) { member { id } userErrors { code message field } } }`, apptest.Vars{"p": c.change})
			got := data.UpdateMember
			what := fmt.Sprint(c.field, " ", c.code)
			expect(t, what, apptest.Payload{UserErrors: got.UserErrors}, c.code)
			if want := append([]string{"profile"}, strings.Split(c.field, " ")...); got.Member != nil || !slices.Equal(got.UserErrors[0].Field, want) {
				t.Errorf("%s gave %v and blames %v, want %v", what, got.Member, got.UserErrors, want)
			}
		}
		// Another part is refused: the profile stays, too.
		var data struct {
			UpdateMember struct{ UserErrors []apptest.UserError }
		}
		s.As(t, "taken")
		for _, handle := range []string{"x", "taken"} { // one before the tables are asked, one by them
			ada.Get(&data, `mutation($h: String) { updateMember(input: {handle: $h, profile: {about: "must not stay"}}) { userErrors { code field } } }`, apptest.Vars{"h": handle})
			if len(data.UpdateMember.UserErrors) != 1 {
				t.Errorf("the handle %s gave %v", handle, data.UpdateMember.UserErrors)
			}
		}
		if _, after := profileOf(ada); after != before || !strings.Contains(state(ada), `"headline":null`) {
			t.Errorf("something changed:\n%s\n%s", before, after)
		}
		// The most of everything is fine.
		expect(t, "the most", ada.UpdateProfile(apptest.Vars{
			"about": strings.Repeat("é", 2600), "positions": manyOf(100, job(long[:200], long[:200], "1900-01", "2100-12")), "education": manyOf(100, apptest.Vars{"school": "S"}),
			"skills": many(100), "languages": many(50), "interests": many(100),
		}), "")
	})
}

// Two tabs that change different parts of one profile at once: neither loses what the other wrote.
func TestProfileRaces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada := s.As(t, "ada")
		for round := range 5 {
			text := fmt.Sprint("round ", round)
			parts := []apptest.Vars{
				{"about": text}, {"positions": []apptest.Vars{job(text, "T", "2001-01")}}, {"education": []apptest.Vars{{"school": text}}},
				{"skills": []string{text}}, {"languages": []string{text}}, {"interests": []string{text}},
			}
			var together sync.WaitGroup
			for _, part := range parts {
				together.Go(func() {
					if got := ada.UpdateProfile(part); got.Code() != "" {
						t.Errorf("%v gave %s", part, got.Code())
					}
				})
			}
			together.Wait()
			if _, raw := profileOf(ada); strings.Count(raw, text) != len(parts) {
				t.Errorf("%s: %s", text, raw)
			}
		}
	})
}

// The privacy settings: the defaults, a change that keeps the rest, null as if left out, and each its own.
func TestPrivacySettings(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		settings := func(c *apptest.Client) string {
			var data struct {
				Viewer struct{ PrivacySettings json.RawMessage }
			}
			c.Get(&data, `{ viewer { privacySettings { id whoCanInvite whoSeesConnections whoSeesProfile shareEmailWithConnections } } }`, nil)
			return string(data.Viewer.PrivacySettings)
		}
		_, suffix, _ := strings.Cut(ada.ID, "_")
		want := func(invite, connections, profile string, email bool) string {
			return fmt.Sprintf(`{"id":"pvs_%s","whoCanInvite":%q,"whoSeesConnections":%q,"whoSeesProfile":%q,"shareEmailWithConnections":%v}`, suffix, invite, connections, profile, email)
		}
		bens := settings(ben)
		for _, step := range []struct {
			change apptest.Vars
			want   string
		}{
			{apptest.Vars{}, want("EVERYONE", "CONNECTIONS", "EVERYONE", false)},
			{apptest.Vars{"whoCanInvite": "KNOWS_EMAIL"}, want("KNOWS_EMAIL", "CONNECTIONS", "EVERYONE", false)},
			{apptest.Vars{"whoSeesConnections": "ONLY_ME", "shareEmailWithConnections": true}, want("KNOWS_EMAIL", "ONLY_ME", "EVERYONE", true)},
			{apptest.Vars{"whoSeesProfile": "CONNECTIONS", "shareEmailWithConnections": nil, "whoCanInvite": nil}, want("KNOWS_EMAIL", "ONLY_ME", "CONNECTIONS", true)},
			{apptest.Vars{"whoCanInvite": "MUTUAL_CONNECTIONS", "whoSeesConnections": "CONNECTIONS", "whoSeesProfile": "EVERYONE", "shareEmailWithConnections": false}, want("MUTUAL_CONNECTIONS", "CONNECTIONS", "EVERYONE", false)},
			{apptest.Vars{"whoCanInvite": "NOBODY"}, want("NOBODY", "CONNECTIONS", "EVERYONE", false)},
		} {
			var data struct {
				UpdatePrivacySettings struct {
					PrivacySettings json.RawMessage
					UserErrors      []apptest.UserError
				}
			}
			ada.Get(&data, `mutation($i: UpdatePrivacySettingsInput!) { updatePrivacySettings(input: $i) { privacySettings { id whoCanInvite whoSeesConnections whoSeesProfile shareEmailWithConnections } userErrors { code } } }`, apptest.Vars{"i": step.change})
			if got := data.UpdatePrivacySettings; string(got.PrivacySettings) != step.want || len(got.UserErrors) != 0 || settings(ada) != step.want {
				t.Errorf("%v gave %s and then %s, want %s", step.change, got.PrivacySettings, settings(ada), step.want)
			}
		}
		if after := settings(ben); after != bens || !strings.Contains(bens, `"EVERYONE","whoSeesConnections":"CONNECTIONS","whoSeesProfile":"EVERYONE","shareEmailWithConnections":false`) {
			t.Errorf("another's: %s, then %s", bens, after)
		}
		if r := ada.Do(`mutation { updatePrivacySettings(input: {whoCanInvite: FRIENDS}) { userErrors { code } } }`, nil); r.Code() != "GRAPHQL_VALIDATION_FAILED" {
			t.Errorf("no such audience: %s", r.Raw)
		}
	})
}

// Another's connections page like one's own, newest first; who is hidden from the viewer leaves no gap, and is not
// counted; one's own are the same list as viewer.connections.
func TestConnectionsOfOthers(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		clock := &apptest.Clock{}
		s := apptest.Start(t, database, func(c *app.Config) { c.Now = clock.Now })
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		apptest.Connect(ada, ben)
		want, all := []string{ada.ID}, []string{ada.ID}
		for i := range 12 {
			clock.Advance(time.Minute)
			friend := s.As(t, fmt.Sprint("friend", i))
			apptest.Connect(ben, friend)
			all = append(all, friend.ID)
			switch i {
			case 0, 1, 6:
				apptest.Hide(t, database, friend, ada)
			case 7, 11:
				apptest.Hide(t, database, ada, friend)
			default:
				want = append(want, friend.ID)
			}
		}
		slices.Reverse(want)
		slices.Reverse(all)
		read := func(c *apptest.Client, of string) func(int, *string) listPage {
			return func(first int, after *string) listPage {
				var data struct{ Node struct{ List listPage } }
				c.Get(&data, `query($id: ID!, $first: Int, $after: String) { node(id: $id) { ... on Member { list: connections(first: $first, after: $after)`+pageFields+`} } }`,
					apptest.Vars{"id": of, "first": first, "after": after})
				return data.Node.List
			}
		}
		for _, n := range []int{1, 2, 3, len(want) - 1, len(want), 100} {
			if got := walk(t, n, func() {}, read(ada, ben.ID)); !slices.Equal(got, want) {
				t.Errorf("in pages of %d: %v, want %v", n, got, want)
			}
			if n < len(want) {
				if page := read(ada, ben.ID)(n, nil); len(page.Edges) != n || page.TotalCount != len(want) {
					t.Errorf("a page of %d has %d of %d", n, len(page.Edges), page.TotalCount)
				}
			}
			if got := walk(t, n, func() {}, read(ben, ben.ID)); !slices.Equal(got, all) {
				t.Errorf("one's own in pages of %d: %v, want %v", n, got, all)
			}
		}
		var own struct{ Viewer struct{ List listPage } }
		ben.Get(&own, `{ viewer { list: connections(first: 5)`+pageFields+`} }`, nil)
		if page := read(ben, ben.ID)(5, nil); fmt.Sprintf("%+v", page.Edges) != fmt.Sprintf("%+v", own.Viewer.List.Edges) || page.TotalCount != own.Viewer.List.TotalCount {
			t.Errorf("one's own is %+v as a member's and %+v as the viewer's", page, own.Viewer.List)
		}
		if page := read(ada, ben.ID)(0, nil); len(page.Edges) != 0 || page.TotalCount != len(want) || !page.PageInfo.HasNextPage {
			t.Errorf("first 0: %+v", page)
		}
		// Arguments are refused alike, whether the list may be seen or not.
		apptest.Connect(ada, s.As(t, "another"))
		for _, of := range []string{ben.ID, s.As(t, "stranger").ID} {
			for _, args := range []string{`first: -1`, `first: 101`, `after: "x"`} {
				badArgument(t, ada, fmt.Sprintf(`{ node(id: %q) { ... on Member { connections(%s) { totalCount } } } }`, of, args))
			}
		}
	})
}

// No query per item: profiles, emails and connections of a page of twenty members, all of them in some block, cost a few
// statements.
func TestNoQueryPerProfile(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s := apptest.Start(t, database)
		ada, eve := withEmail(t, s, "ada"), s.As(t, "eve")
		for i := range 20 {
			friend := withEmail(t, s, fmt.Sprint("friend", i))
			apptest.Connect(friend, ada)
			expect(t, "settings", friend.SetPrivacy(apptest.Vars{"shareEmailWithConnections": true, "whoSeesProfile": "CONNECTIONS"}), "")
			expect(t, "profile", friend.UpdateProfile(apptest.Vars{"about": "me"}), "")
			apptest.Hide(t, database, friend, eve) // every one of them is worth a look
		}
		var (
			mu         sync.Mutex
			statements []string
		)
		s.Stop(t)
		s = apptest.Start(t, database, func(c *app.Config) {
			c.BrokerSweep = time.Hour
			c.BatchWait = 100 * time.Millisecond // on a busy machine a short one would split a batch
			c.DocumentLimits.Complexity = 1 << 20
			c.Observe = func(query string, _ []any) {
				mu.Lock()
				defer mu.Unlock()
				statements = append(statements, query)
			}
		})
		ada = ada.On(s)
		const members, most = 20, 13 // without a split batch they are 6 and 9
		for _, fields := range []string{
			`profile { about positions { id } email }`,
			`connections(first: 3) { totalCount nodes { id profile { about email } } }`,
		} {
			mu.Lock()
			statements = nil
			mu.Unlock()
			var data struct {
				Viewer struct {
					Connections struct{ Nodes []map[string]any }
				}
			}
			ada.Get(&data, `query($n: Int) { viewer { connections(first: $n) { nodes { id `+fields+` } } } }`, apptest.Vars{"n": members})
			if n := len(data.Viewer.Connections.Nodes); n != members {
				t.Errorf("%d members", n)
			}
			mu.Lock()
			if len(statements) > most {
				t.Errorf("%s\ncosts %d statements, want at most %d", fields, len(statements), most)
				for _, q := range statements {
					t.Log(q)
				}
			}
			mu.Unlock()
		}
	})
}

// A subscription shows no more than a query: what is left of one who is hidden now is shown without them.
func TestHiddenOnSubscriptions(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s := apptest.Start(t, database)
		ada, ben, cleo := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cleo")
		ada.Invite(ben.ID, "from ada")
		apptest.Hide(t, database, ada, ben)
		cleo.Invite(ben.ID, "from cleo")
		events := ben.Connect().Subscribe(subscribeNotifications, apptest.Vars{"after": ""})
		var event edgeEvent
		events.Next(&event)
		if event.Edge.Node.Actor != nil || event.Edge.Node.Invitation != nil {
			t.Errorf("shown: %+v", event.Edge.Node)
		}
		events.Next(&event)
		if event.Edge.Node.Actor == nil || event.Edge.Node.Actor.ID != cleo.ID || *event.Edge.Node.Invitation.Note != "from cleo" {
			t.Errorf("not shown: %+v", event.Edge.Node)
		}
	})
}
