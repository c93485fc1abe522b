package app_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// state is all that a bad request could have changed.
func state(c *apptest.Client) string {
	return string(c.Do(`{ viewer { member { id handle name headline location industry company photoUrl }
		sentInvitations { nodes { id state note } } receivedInvitations { nodes { id state } } connections { nodes { id } }
		notifications { nodes { id readAt } } unreadNotificationCount notificationPreferences { pausedUntil timeZone settings { category channel frequency } } } }`, nil).Raw)
}

// Ids that are unknown, of another type or no ids at all get the same answer as what does not exist, and change nothing.
func TestBadIDs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		invitation := ben.Invite(ada.ID, "").Invitation.ID
		before := state(ada)
		unknown := "mbr_01jzzzzzzzzzzzzzzzzzzzzzzz"
		huge := strings.Repeat("a", 100_000)
		for _, id := range []string{
			"", " ", "x", "mbr_", "mbr", "_", unknown, strings.ToUpper(ben.ID), ben.ID + "0", ben.ID[:29], " " + ben.ID,
			invitation, strings.Replace(invitation, "inv_", "vwr_", 1), "mbr_" + strings.Repeat("u", 26), "mbr_zzzzzzzzzzzzzzzzzzzzzzzzzz",
			"a\x00b", "\u202e", "😀", "../../etc/passwd", "' OR 1=1 --", huge, strings.ReplaceAll(ben.ID, "mbr_", "inv_")[:30],
		} {
			expect(t, "invite "+short(id), ada.Invite(id, "hello"), "MEMBER_NOT_FOUND")
			expect(t, "remove "+short(id), ada.Remove(id), "MEMBER_NOT_FOUND")
			var data struct{ Node *struct{ ID string } }
			if id != invitation {
				expect(t, "respond "+short(id), ada.Respond(id, "ACCEPT"), "INVITATION_NOT_FOUND")
				expect(t, "withdraw "+short(id), ada.Withdraw(id), "INVITATION_NOT_FOUND")
				ada.Get(&data, `query($id: ID!) { node(id: $id) { id } }`, apptest.Vars{"id": id})
				if data.Node != nil {
					t.Errorf("%s is %v", short(id), data.Node)
				}
			}
			var found struct{ Member *struct{ ID string } }
			ada.Get(&found, `query($h: String!) { member(handle: $h) { id } }`, apptest.Vars{"h": id})
			if found.Member != nil {
				t.Errorf("the handle %s is %v", short(id), found.Member)
			}
		}
		if after := state(ada); after != before {
			t.Errorf("something changed:\n%s\n%s", before, after)
		}
	})
}

func short(s string) string {
	if len(s) > 40 {
		return fmt.Sprintf("%q… (%d bytes)", s[:40], len(s))
	}
	return fmt.Sprintf("%q", s)
}

// Arguments that make no sense are errors of the client's, with a code, and nothing inside is shown.
func TestBadArguments(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada, ben := s.As(t, "ada"), s.As(t, "ben")
		apptest.Connect(ada, ben)
		invites(t, s, ada, "x", 2)
		var data struct {
			Viewer struct {
				Connections, ReceivedInvitations, Notifications struct{ PageInfo pageInfo }
			}
		}
		ada.Get(&data, `{ viewer { connections { pageInfo { endCursor } } receivedInvitations { pageInfo { endCursor } } notifications { pageInfo { endCursor } } } }`, nil)
		cursors := map[string]string{
			"connections": *data.Viewer.Connections.PageInfo.EndCursor, "receivedInvitations": *data.Viewer.ReceivedInvitations.PageInfo.EndCursor,
			"notifications": *data.Viewer.Notifications.PageInfo.EndCursor,
		}
		lists := []string{"connections", "receivedInvitations", "sentInvitations", "notifications"}
		for _, list := range lists {
			for _, args := range []string{
				`first: -1`, `first: 101`, `first: 2147483647`, `first: 2147483648`, `after: ""`, `after: "x"`, `after: "AAAA"`, `after: "====" `,
				fmt.Sprintf(`after: %q`, strings.Repeat("A", 10_000)), `after: "\u0000"`, "after: \"\u202e\"",
			} {
				badArgument(t, ada, `{ viewer { `+list+`(`+args+`) { totalCount nodes { id } } } }`)
			}
			for from, cursor := range cursors {
				if from != list && (from != "receivedInvitations" || list != "sentInvitations") {
					badArgument(t, ada, fmt.Sprintf(`{ viewer { %s(after: %q) { nodes { id } } } }`, list, cursor))
				}
			}
		}
		for _, args := range []string{`last: -1`, `last: 101`, `before: "x"`, `first: 1, last: 1`} {
			badArgument(t, ada, `{ viewer { notifications(`+args+`) { totalCount } } }`)
		}
		badArgument(t, ada, fmt.Sprintf(`{ nodes(ids: [%s]) { id } }`, strings.Repeat(`"x" `, 101)))
		for _, instant := range []string{"tomorrow", "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00Z", "2099-01-01T00:00:00,5Z", "2099-02-30T00:00:00Z", ""} {
			badArgument(t, ada, fmt.Sprintf(`mutation { updateNotificationPreferences(input: {pausedUntil: %q}) { userErrors { code } } }`, instant))
		}
		for _, micros := range []int64{math.MinInt64, math.MaxInt64, -300_000_000_000_000_000, 300_000_000_000_000_000} {
			for kind, list := range map[byte]string{1: "receivedInvitations", 2: "connections"} {
				forged := base64.RawURLEncoding.EncodeToString(append(binary.BigEndian.AppendUint64([]byte{kind}, uint64(micros)), make([]byte, 16)...))
				badArgument(t, ada, fmt.Sprintf(`{ viewer { %s(after: %q) { nodes { id } } } }`, list, forged))
			}
		}
		badArgument(t, ada, `mutation { markNotificationsRead(input: {through: "x"}) { unreadNotificationCount } }`)
		// The most, and nothing at all, are fine.
		var fine struct{}
		ada.Get(&fine, `{ viewer { connections(first: 100) { nodes { id } } notifications(last: 0) { nodes { id } } } nodes(ids: []) { id } }`, nil)
	})
}

func badArgument(t *testing.T, c *apptest.Client, query string) {
	t.Helper()
	r := c.Do(query, nil)
	if r.Code() != "BAD_USER_INPUT" {
		t.Errorf("%s\ngave %s, want BAD_USER_INPUT", short(query), short(string(r.Raw)))
	}
}

const updateMember = `mutation($i: UpdateMemberInput!) { updateMember(input: $i) { member { handle name headline location industry company photoUrl } userErrors { code message field } } }`

type memberTexts struct {
	Handle, Name                                    string
	Headline, Location, Industry, Company, PhotoURL *string
}

// What members say of themselves: each text within its length, trimmed; a refusal names its field and changes nothing.
func TestUpdateMember(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada := s.As(t, "ada")
		s.As(t, "taken")
		update := func(input apptest.Vars) (*memberTexts, apptest.Payload) {
			var data struct {
				UpdateMember struct {
					Member     *memberTexts
					UserErrors []apptest.UserError
				}
			}
			ada.Get(&data, updateMember, apptest.Vars{"i": input})
			return data.UpdateMember.Member, apptest.Payload{UserErrors: data.UpdateMember.UserErrors}
		}
		before := state(ada)
		for _, c := range []struct {
			field string
			value any
			code  string
		}{
			{"handle", "ab", "TOO_SHORT"}, {"handle", strings.Repeat("a", 65), "TOO_LONG"}, {"handle", "", "BLANK"}, {"handle", nil, "BLANK"},
			{"handle", "with space", "INVALID"}, {"handle", "zoë", "INVALID"}, {"handle", "a\x00bc", "INVALID"}, {"handle", "taken", "TAKEN"}, {"handle", "TAKEN", "TAKEN"},
			{"name", "", "BLANK"}, {"name", "  ", "BLANK"}, {"name", nil, "BLANK"}, {"name", "\u200b", "BLANK"}, {"name", strings.Repeat("x", 101), "TOO_LONG"}, {"name", "a\nb", "INVALID"},
			{"headline", strings.Repeat("x", 221), "TOO_LONG"}, {"headline", "a\x07", "INVALID"},
			{"location", strings.Repeat("x", 101), "TOO_LONG"}, {"industry", strings.Repeat("x", 101), "TOO_LONG"}, {"company", strings.Repeat("x", 101), "TOO_LONG"},
			{"photoUrl", "javascript:alert(1)", "INVALID"}, {"photoUrl", "/relative.png", "INVALID"}, {"photoUrl", "https://", "INVALID"},
			{"photoUrl", "https://example.org/" + strings.Repeat("x", 2048), "TOO_LONG"},
		} {
			m, got := update(apptest.Vars{"headline": "must not stay", c.field: c.value})
			expect(t, fmt.Sprintf("%s %v", c.field, c.value), got, c.code)
			if m != nil || len(got.UserErrors) == 1 && !slices.Equal(got.UserErrors[0].Field, []string{c.field}) {
				t.Errorf("%s %v gave %v and blames %v", c.field, c.value, m, got.UserErrors)
			}
			if after := state(ada); after != before {
				t.Fatalf("%s %v changed something:\n%s\n%s", c.field, c.value, before, after)
			}
		}
		m, got := update(apptest.Vars{
			"handle": "Ada.Lovelace_1", "name": "  Ada 愛 \u202elovelace ", "headline": " Counts ", "location": "London",
			"industry": "Computing", "company": "Analytical", "photoUrl": "https://example.org/ada.png",
		})
		expect(t, "a full update", got, "")
		if m.Handle != "ada.lovelace_1" || m.Name != "Ada 愛 \u202elovelace" || *m.Headline != "Counts" {
			t.Errorf("a full update gave %+v", m)
		}
		m, _ = update(apptest.Vars{"headline": nil, "location": ""})
		if m.Headline != nil || m.Location != nil || *m.Company != "Analytical" || m.Handle != "ada.lovelace_1" {
			t.Errorf("clearing two gave %+v", m)
		}
		var found struct{ Member *struct{ ID string } }
		ada.Get(&found, `{ member(handle: "ADA.Lovelace_1") { id } }`, nil)
		if found.Member == nil || found.Member.ID != ada.ID {
			t.Errorf("not found by the new handle: %v", found.Member)
		}
	})
}

// Handles come from preferred_username, else the name, else a random one, made to fit and unique; a missing name is the
// handle.
func TestFirstSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		for i, c := range []struct {
			claims       member.Claims
			handle, name string // a handle that ends in * is a beginning
		}{
			{member.Claims{PreferredUsername: "Grace.Hopper", Name: "Grace Hopper"}, "grace.hopper", "Grace Hopper"},
			{member.Claims{PreferredUsername: "Grace.Hopper", Name: "Another"}, "grace.hopper-*", "Another"},
			{member.Claims{Name: "Zoë van Dijk"}, "zoe-van-dijk", "Zoë van Dijk"},
			{member.Claims{PreferredUsername: "x", Name: "Too Short"}, "too-short", "Too Short"},
			{member.Claims{PreferredUsername: "李", Name: "李文"}, "member-*", "李文"},
			{member.Claims{PreferredUsername: strings.Repeat("long", 50)}, strings.Repeat("long", 16), strings.Repeat("long", 16)},
			{member.Claims{}, "member-*", ""},
			{member.Claims{Name: "\x00\x01", PreferredUsername: "controlled"}, "controlled", "controlled"},
			{member.Claims{Name: strings.Repeat("n", 150), PreferredUsername: "longname"}, "longname", strings.Repeat("n", 100)},
		} {
			c.claims.Subject = fmt.Sprint("subject", i)
			client := s.WithToken(t, apptest.Token(t, c.claims, 1e9*3600))
			var me struct {
				Viewer struct{ Member struct{ Handle, Name string } }
			}
			client.Get(&me, `{ viewer { member { handle name } } }`, nil)
			got := me.Viewer.Member
			want, begins := strings.CutSuffix(c.handle, "*")
			if c.name == "" {
				c.name = got.Handle
			}
			if begins && !strings.HasPrefix(got.Handle, want) || !begins && got.Handle != want || got.Name != c.name {
				t.Errorf("%+v became %+v", c.claims, got)
			}
			if n := len(got.Handle); n < 3 || n > 64 {
				t.Errorf("%q has %d characters", got.Handle, n)
			}
		}
	})
}

// Preferences: the defaults, a change that keeps the rest and is still there, and refusals that change nothing.
func TestPreferences(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada := s.As(t, "ada")
		before := state(ada)
		if !strings.Contains(before, `{"category":"INVITATION_ACCEPTED","channel":"EMAIL","frequency":"DAILY"}`) || !strings.Contains(before, `"pausedUntil":null,"timeZone":"UTC"`) {
			t.Errorf("the defaults: %s", before)
		}
		for _, input := range []apptest.Vars{
			inApp("LIKE", "DAILY"), inApp("LIKE", "WEEKLY"), {"timeZone": "Mars/Olympus"}, {"timeZone": ""},
			{"pausedUntil": "2099-01-01T00:00:00Z", "resume": true},
			{"timeZone": "Europe/Berlin", "settings": inApp("LIKE", "DAILY")["settings"]}, // refused whole
		} {
			var data struct {
				UpdateNotificationPreferences struct {
					NotificationPreferences *struct{ TimeZone string }
					UserErrors              []apptest.UserError
				}
			}
			ada.Get(&data, setPreferences, apptest.Vars{"i": input})
			p := data.UpdateNotificationPreferences
			expect(t, fmt.Sprint(input), apptest.Payload{UserErrors: p.UserErrors}, "INVALID")
			if after := state(ada); after != before || p.NotificationPreferences != nil {
				t.Errorf("%v changed something:\n%s\n%s", input, before, after)
			}
		}
		prefer(t, ada, apptest.Vars{"timeZone": "Asia/Tokyo", "settings": []apptest.Vars{{"category": "LIKE", "channel": "EMAIL", "frequency": "OFF"}}})
		prefer(t, ada, apptest.Vars{"pausedUntil": "2099-01-01T09:00:00.5+09:00"})
		after := state(ada)
		for _, want := range []string{`{"category":"LIKE","channel":"EMAIL","frequency":"OFF"}`, `"pausedUntil":"2099-01-01T00:00:00.500Z","timeZone":"Asia/Tokyo"`} {
			if !strings.Contains(after, want) {
				t.Errorf("%s is not in %s", want, after)
			}
		}
	})
}

// Where introspection is off it is refused, to anybody, and __typename is not.
func TestIntrospectionOff(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, storetest.EmptySQLite(t), func(c *app.Config) { c.Introspection = false })
	ada, nobody := s.As(t, "ada"), s.WithToken(t, "")
	for _, query := range []string{`{ __schema { queryType { name } } }`, `{ __type(name: "Member") { name } }`, `{ ...f } fragment f on Query { __schema { queryType { name } } }`} {
		if r := ada.Do(query, nil); r.Code() != "FORBIDDEN" || string(r.Data) != "null" {
			t.Errorf("%s gave %s", query, r.Raw)
		}
		if r := nobody.Do(query, nil); r.Code() != "UNAUTHENTICATED" || string(r.Data) != "null" {
			t.Errorf("without a token %s gave %s", query, r.Raw)
		}
	}
	if r := nobody.Do(`{ __typename }`, nil); r.Code() != "" {
		t.Errorf("__typename gave %s", r.Raw)
	}
}

// Documents that are no GraphQL, or too much of it, are refused with their code, and the server goes on.
func TestBadDocuments(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		ada := s.As(t, "ada")
		for query, code := range map[string]string{
			`{`: "GRAPHQL_PARSE_FAILED", `{ nothing }`: "GRAPHQL_VALIDATION_FAILED", `query { viewer { member { nam } } }`: "GRAPHQL_VALIDATION_FAILED",
			strings.Repeat("{a", 400_000): "COMPLEXITY_LIMIT_EXCEEDED", `query($x: Int!) { viewer { connections(first: $x) { totalCount } } }`: "GRAPHQL_VALIDATION_FAILED",
			`mutation { respondToInvitation(input: {invitationId: "x", response: MAYBE}) { userErrors { code } } }`: "GRAPHQL_VALIDATION_FAILED",
			`{ viewer { connections(first: 99999999999999999999) { totalCount } } }`:                                "GRAPHQL_VALIDATION_FAILED",
		} {
			r := ada.Do(query, nil)
			if r.Code() != code || r.Data != nil || strings.Contains(string(r.Raw), "Did you mean") {
				t.Errorf("%s gave %s, want %s", short(query), short(string(r.Raw)), code)
			}
		}
		nobody := s.WithToken(t, "")
		for query, code := range map[string]string{
			`{ __typename }`: "", `{ __schema { queryType { name } } }`: "", `{ __type(name: "Member") { name } }`: "",
			`{ viewer { id } }`: "UNAUTHENTICATED", `{ __typename member(handle: "ada") { id } }`: "UNAUTHENTICATED",
			`{ node(id: "x") { id } }`: "UNAUTHENTICATED", `mutation { removeConnection(input: {memberId: "x"}) { userErrors { code } } }`: "UNAUTHENTICATED",
			`query { ...f } fragment f on Query { viewer { id } }`: "UNAUTHENTICATED",
		} {
			if r := nobody.Do(query, nil); r.Code() != code || code != "" && string(r.Data) != "null" {
				t.Errorf("without a token %s gave %s, want %q", query, r.Raw, code)
			}
		}
	})
}
