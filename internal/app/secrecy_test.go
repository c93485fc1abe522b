package app_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// marker is in whatever the clients of these tests say that is theirs alone.
const marker = "zqxmark"

// secretive is a server whose every word is kept, and who lives on it.
type secretive struct {
	*apptest.Server

	t         *testing.T
	log       *records
	collector *apptest.Collector
	tokens    []string
	ada, ben  *apptest.Client
}

func startSecretive(t *testing.T, database string) *secretive {
	t.Helper()
	s := &secretive{t: t, log: &records{}, collector: apptest.NewCollector(t)}
	s.Server = apptest.Start(t, database, apptest.WithMetrics, s.collector.Apply, func(c *app.Config) {
		c.Log = slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	s.ada, s.ben = s.enter("ada"), s.enter("ben")
	return s
}

// enter signs in a member all of whose claims are marked.
func (s *secretive) enter(who string) *apptest.Client {
	s.t.Helper()
	name := marker + "." + who
	token := apptest.Token(s.t, member.Claims{
		Subject: name + "-subject", Name: name + " name", Email: name + "@example.com", PreferredUsername: name,
		Picture: "https://example.com/" + name,
	}, time.Hour)
	s.tokens = append(s.tokens, token)
	c := s.WithToken(s.t, token)
	var me struct {
		Viewer struct{ Member struct{ ID string } }
	}
	c.Get(&me, `{ viewer { member { id } } }`, nil)
	c.ID = me.Viewer.Member.ID
	return c
}

// send sends a request as it is; what is answered may be anything.
func (s *secretive) send(method, target, body string, header ...string) string {
	s.t.Helper()
	request, err := http.NewRequest(method, s.URL+target, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	got, _ := io.ReadAll(answer.Body)
	return string(got)
}

func marked(what string) string { return marker + " " + what }

// live does what members and the host application do, with words of theirs in each place that takes some.
func (s *secretive) live() {
	s.t.Helper()
	var updated struct {
		UpdateMember struct{ UserErrors []apptest.UserError }
	}
	s.ada.Get(&updated, `mutation($i: UpdateMemberInput!) { updateMember(input: $i) { userErrors { code } } }`, apptest.Vars{"i": apptest.Vars{
		"headline": marked("headline"), "location": marked("place"), "profile": apptest.Vars{"about": marked("about")},
	}})
	if len(updated.UpdateMember.UserErrors) > 0 {
		s.t.Errorf("the profile was refused: %+v", updated)
	}
	live := s.ben.Connect().Subscribe(`subscription { notificationReceived { node { id ... on InvitationReceivedNotification { actor { name headline } invitation { note } } } } }`, nil)
	events := listen(s.t, s.Server, s.tokens[1], `subscription { messageReceived { body sender { name } } }`, nil).started()
	sent := s.ada.Invite(s.ben.ID, marked("note"))
	live.Message()
	s.ada.Invite(s.ben.ID, strings.Repeat(marked("long"), 200))
	s.ada.InviteByEmail(s.ben.ID, marker+"-guess@example.com")
	s.ben.RespondSaying(sent.Invitation.ID, "ACCEPT", marked("words"))
	s.ada.Send(s.ben.ID, marked("message"), marker+"-key")
	events.event()
	s.ada.Report(s.ben.ID, "SPAM", marked("details"))
	for _, handle := range []string{marker + ".ben", marker + "-nobody"} {
		s.ada.Do(`query($h: String!) { member(handle: $h) { name email: profile { email } } }`, apptest.Vars{"h": handle})
	}
	s.ada.Export()
	service := s.Service(s.t)
	service.Upsert(apptest.Vars{"subject": marker + "-third", "name": marked("third"), "email": marker + "-third@example.com", "headline": marked("h")})
	service.Publish(apptest.Vars{"key": marker + "-k", "category": "MENTION", "subjects": []string{marker + ".ben-subject"}, "title": marked("title"), "body": marked("body"), "url": "https://example.com/" + marker})
	service.Suspend(marker+"-third", true)
	service.Delete(marker + "-third")
}

// abuse sends what is refused, with words in it.
func (s *secretive) abuse() {
	s.t.Helper()
	bearer := "Bearer " + s.tokens[0]
	for _, body := range []string{
		marker, `{"query":"` + marker + `"}`, `{"query":"{ ` + marker + ` }"}`, `{"query":"{ viewer { ` + marker + ` } }"}`,
		`{"query":"query($a: Int!) { node(id: $a) { id } }","variables":{"a":"` + marker + `"}}`,
		`{"query":"query($a: NotificationCategory!) { ` + marker + ` }","variables":{"a":"` + marker + `"}}`,
		`{"query":"{ node(id: \"` + marker + `\") { id } }","operationName":"` + marker + `"}`,
		`{"query":"{ nodes(ids: [\"` + marker + `\", \"mem_` + marker + `\"]) { id } }"}`,
		`{"query":"{ viewer { receivedInvitations(after: \"` + marker + `\") { nodes { id } } } }"}`,
		`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + marker + `"}}}`,
		`{"documentId":"` + marker + `"}`, `[{"query":"` + marker + `"}]`, `{"query":"{ viewer { id } }","variables":"` + marker + `"}`,
		`{"query":"mutation { inviteMember(input: {memberId: \"` + marker + `\", note: \"` + marker + `\"}) { userErrors { code } } }"}`,
		`{"query":"{ member(handle: \"` + marker + strings.Repeat("(", 6000) + `\") { id } }"}`,
	} {
		s.send(http.MethodPost, "/graphql", body, "Authorization", bearer, "X-"+marker, marker)
		s.send(http.MethodPost, "/graphql", body, "Authorization", bearer, "Accept", "text/event-stream", "Last-Event-ID", marker)
	}
	for _, authorization := range []string{
		marker, "Bearer " + marker, "Basic " + marker, "Bearer " + s.tokens[0] + marker,
		"Bearer " + base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"`+marker+`","kid":"`+marker+`"}`)) + ".e30." + marker,
		"Bearer " + base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","kid":"`+marker+`"}`)) + "." +
			base64.RawURLEncoding.EncodeToString([]byte(`{"exp":"`+marker+`","aud":{"`+marker+`":1}}`)) + "." + marker,
		"Bearer " + marker + "." + marker + "." + marker,
		"Bearer " + apptest.Token(s.t, member.Claims{Subject: marker + strings.Repeat("x", 300)}, time.Hour),
		"Bearer " + apptest.Token(s.t, member.Claims{Subject: marker + "-late", Name: marker}, -time.Hour),
	} {
		answer := s.send(http.MethodPost, "/graphql", `{"query":"{ viewer { id } }"}`, "Authorization", authorization)
		if strings.Contains(answer, marker) {
			s.t.Errorf("the answer to a bad token has it: %s", answer)
		}
		w := dial(s.t, s.Server, nil)
		w.write(map[string]any{"type": "connection_init", "payload": map[string]string{"Authorization": authorization, marker: marker}})
		expectClosed(s.t, w, 4403)
	}
	s.send(http.MethodGet, "/graphql?query="+marker+"&variables=%"+marker, "", "Authorization", bearer, "Origin", "https://"+marker+".example")
	s.send(http.MethodGet, "/"+marker+"?"+marker+"="+marker, "")
	s.send(marker, "/graphql", marker, "Authorization", bearer, "X-Forwarded-For", marker, "traceparent", marker)
	for _, text := range []string{
		marker, `{"type":"` + marker + `"}`, `{"type":"subscribe","id":"` + marker + `"}`, `{"type":"ping","payload":{"` + marker + `":"` + marker + `"}}` + marker,
		`{"type":"subscribe","id":"1","payload":{"query":"` + marker + `"}}`, strings.Repeat(marker, 20_000),
	} {
		w := dial(s.t, s.Server, http.Header{"X-" + marker: {marker}})
		w.init(s.tokens[0])
		_ = w.ws.WriteMessage(websocket.TextMessage, []byte(text))
		_ = w.ws.WriteJSON(map[string]any{"type": marker}) // whatever came of it, this ends it
		for {
			if _, _, err := w.ws.ReadMessage(); err != nil {
				break
			}
		}
	}
	w := dial(s.t, s.Server, nil)
	w.init(s.tokens[0])
	for range 2 { // the same id twice
		w.write(map[string]any{"type": "subscribe", "id": marker, "payload": map[string]any{"query": subscribeNotifications}})
	}
	expectClosed(s.t, w, 4409)
}

// fails has the database refuse what members write, in its own words, which show the row.
func (s *secretive) fails(database string, statements, undo []string) {
	s.t.Helper()
	apptest.ChangeTables(s.t, database, statements...)
	body, err := json.Marshal(map[string]any{"query": apptest.SendQuery, "variables": apptest.Vars{"i": apptest.Vars{"memberId": s.ben.ID, "body": marked("refused")}}})
	if err != nil {
		s.t.Fatal(err)
	}
	answer := s.send(http.MethodPost, "/graphql", string(body), "Authorization", "Bearer "+s.tokens[0])
	if !strings.Contains(answer, "INTERNAL_SERVER_ERROR") || strings.Contains(answer, marker) {
		s.t.Errorf("the answer to a fault is %s", answer)
	}
	w := dial(s.t, s.Server, nil)
	w.init(s.tokens[0])
	if _, code := w.ask("1", map[string]any{"query": apptest.SendQuery, "variables": apptest.Vars{"i": apptest.Vars{"memberId": s.ben.ID, "body": marked("refused")}}}); code != "INTERNAL_SERVER_ERROR" {
		s.t.Errorf("a fault on a socket has the code %q", code)
	}
	w.ws.Close()
	apptest.ChangeTables(s.t, database, undo...)
}

// Nothing of what members say, and no token, is in the log, the metrics or the traces, whatever is logged and whatever
// goes wrong.
func TestNothingOfMembersIsTold(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s := startSecretive(t, database)
		s.live()
		s.abuse()
		if strings.HasPrefix(database, "sqlite:") {
			s.fails(database, []string{`CREATE TRIGGER refuse BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'refused'); END`}, []string{`DROP TRIGGER refuse`})
		} else {
			// The detail of the first shows the row, and the message of the second quotes the value.
			s.fails(database, []string{`ALTER TABLE messages ADD CONSTRAINT refuse CHECK (length(body) < 3) NOT VALID`}, []string{`ALTER TABLE messages DROP CONSTRAINT refuse`})
			s.fails(database, []string{`ALTER TABLE messages ADD CONSTRAINT refuse CHECK (body::integer > 0) NOT VALID`}, []string{`ALTER TABLE messages DROP CONSTRAINT refuse`})
		}
		metrics := s.MetricsText(t)
		s.Stop(t)
		told := s.log.String()
		for what, text := range map[string]string{"log": told, "metrics": metrics, "traces": s.collector.Raw()} {
			lower := strings.ToLower(text)
			if at := strings.Index(lower, marker); at >= 0 {
				t.Errorf("the %s has what a client said: …%s…", what, text[max(0, at-300):min(len(text), at+100)])
			}
			for _, token := range s.tokens {
				for part := range strings.SplitSeq(token, ".") {
					if !strings.HasPrefix(part, "eyJhbGci") && strings.Contains(text, part) {
						t.Errorf("the %s has a part of a token: %s", what, part)
					}
				}
			}
			if strings.Contains(text, apptest.Secret) {
				t.Errorf("the %s has the secret", what)
			}
		}
		// It would be in vain if nothing were told.
		for _, want := range []string{
			`"msg":"request"`, `"msg":"operation"`, `"msg":"request failed"`, `"msg":"refused a token"`, `"operation":"sendMessage"`, `"level":"DEBUG"`,
			`"outcome":"INTERNAL_SERVER_ERROR"`, `"outcome":"GRAPHQL_PARSE_FAILED"`, `"outcome":"user_error"`,
		} {
			if !strings.Contains(told, want) {
				t.Errorf("the log has no %s", want)
			}
		}
		if n := len(s.collector.Spans()); n < 100 {
			t.Errorf("only %d spans", n)
		}
	})
}
