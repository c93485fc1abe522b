package app_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// exportedPerson is somebody in an export.
type exportedPerson struct{ ID, Handle, Name string }

// exported is what a test reads of an export.
type exported struct {
	Format  string
	Account struct {
		ID, Subject, Handle, Name, CreatedAt string
		Email, Headline, PhotoURL            *string
	}
	Profile         *struct{ About string }
	PrivacySettings struct{ WhoCanInvite string }

	NotificationPreferences struct {
		TimeZone string
		Settings []struct{ Category, Channel, Frequency string }
	}
	Connections []struct {
		Member      *exportedPerson
		ConnectedAt string
	}
	InvitationsSent []struct {
		ID, State, SentAt string
		Note              *string
		Recipient         *exportedPerson
	}
	InvitationsReceived []struct {
		ID, State string
		DontKnow  bool
		Sender    *exportedPerson
	}
	BlockedMembers []struct{ Member *exportedPerson }
	Conversations  []struct {
		With     *exportedPerson
		Messages []struct {
			Own  bool
			Body string
		}
	}
	Notifications []struct {
		Category   string
		Actor      *exportedPerson
		Title, URL *string
	}
	Reports []struct {
		Member          *exportedPerson
		Reason, Details string
	}
}

func exportOf(t *testing.T, c *apptest.Client) (out exported, raw string) {
	t.Helper()
	raw = c.Export()
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return out, raw
}

// The export has all that is the member's, and nothing of what others think or keep to themselves.
func TestExportMyData(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s := apptest.Start(t, database)
		service := s.Service(t)
		for _, name := range []string{"ben", "cyd", "dee", "eve", "fay", "gus"} {
			service.Upsert(apptest.Vars{"subject": name, "handle": name, "email": name + "@secret.example"})
		}
		ada := s.WithToken(t, apptest.Token(t, member.Claims{Subject: "ada", Name: "Ada <3", Email: "ada@example.org", PreferredUsername: "ada"}, time.Hour))
		ada.ID = service.Upsert(apptest.Vars{"subject": "ada", "name": "Ada <3", "handle": "ada", "email": "ada@example.org"}).Member.ID
		ben, cyd, dee, eve, fay, gus := s.As(t, "ben"), s.As(t, "cyd"), s.As(t, "dee"), s.As(t, "eve"), s.As(t, "fay"), s.As(t, "gus")
		apptest.Connect(ada, ben)
		toCyd := ada.Invite(cyd.ID, "a note")
		expect(t, "decline", cyd.Respond(toCyd.Invitation.ID, "DECLINE"), "")
		toDee := ada.Invite(dee.ID, "")
		expect(t, "flag", dee.Respond(toDee.Invitation.ID, "DONT_KNOW"), "")
		fromEve := eve.Invite(ada.ID, "hello")
		expect(t, "flag", ada.Respond(fromEve.Invitation.ID, "DONT_KNOW"), "")
		ada.Block(fay.ID)
		expect(t, "report", ada.Report(gus.ID, "SPAM", "my words"), "")
		expect(t, "report", gus.Report(ada.ID, "SPAM", "their words"), "")
		service.Publish(apptest.Vars{"key": "k", "category": "LIKE", "subjects": []string{"ada"}, "actorSubject": "gus", "title": "Gus likes it", "url": "https://x.example"})
		a, b := keyOf(t, ada.ID), keyOf(t, ben.ID)
		write(t, database,
			`INSERT INTO conversations (id, pair_lo, pair_hi, last_number) VALUES ('00000000-0000-7000-8000-000000000001', '`+min(a, b)+`', '`+max(a, b)+`', 2)`,
			`INSERT INTO participants (member_id, conversation_id, other_id, last_message_at) VALUES ('`+a+`', '00000000-0000-7000-8000-000000000001', '`+b+`', '2026-01-01 00:00:00+00:00')`,
			`INSERT INTO participants (member_id, conversation_id, other_id, last_message_at) VALUES ('`+b+`', '00000000-0000-7000-8000-000000000001', '`+a+`', '2026-01-01 00:00:00+00:00')`,
			`INSERT INTO messages (id, conversation_id, number, sender_id, body, sent_at) VALUES ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000001', 1, '`+a+`', 'mine', '2026-01-01 00:00:00+00:00')`,
			`INSERT INTO messages (id, conversation_id, number, sender_id, body, sent_at) VALUES ('00000000-0000-7000-8000-000000000003', '00000000-0000-7000-8000-000000000001', 2, '`+b+`', 'theirs', '2026-01-01 00:00:00+00:00')`,
			`INSERT INTO profiles (member_id, about, positions, education, skills, languages, interests) VALUES ('`+a+`', 'About me', '[]', '[]', '[]', '[]', '[]')`,
		)

		got, raw := exportOf(t, ada)
		if got.Format != "acquaint.export/1" || got.Account.ID != ada.ID || got.Account.Subject != "ada" || got.Account.Name != "Ada <3" ||
			*got.Account.Email != "ada@example.org" || got.Account.Headline != nil || got.Profile.About != "About me" ||
			got.PrivacySettings.WhoCanInvite != "EVERYONE" || len(got.NotificationPreferences.Settings) != 24 {
			t.Errorf("%s", raw)
		}
		if len(got.Connections) != 1 || *got.Connections[0].Member != (exportedPerson{ben.ID, "ben", "ben"}) {
			t.Errorf("connections: %+v", got.Connections)
		}
		states := ""
		for _, i := range got.InvitationsSent {
			states += i.Recipient.Handle + " " + i.State + ", "
		}
		if states != "ben ACCEPTED, cyd PENDING, dee PENDING, " || *got.InvitationsSent[1].Note != "a note" {
			t.Errorf("sent: %s", states)
		}
		if r := got.InvitationsReceived; len(r) != 1 || r[0].State != "IGNORED" || !r[0].DontKnow || r[0].Sender.Handle != "eve" {
			t.Errorf("received: %+v", r)
		}
		if len(got.BlockedMembers) != 1 || got.BlockedMembers[0].Member.Handle != "fay" {
			t.Errorf("blocked: %+v", got.BlockedMembers)
		}
		if c := got.Conversations; len(c) != 1 || c[0].With.Handle != "ben" || len(c[0].Messages) != 2 || !c[0].Messages[0].Own || c[0].Messages[1].Own || c[0].Messages[1].Body != "theirs" {
			t.Errorf("conversations: %+v", c)
		}
		categories := ""
		for _, n := range got.Notifications {
			categories += n.Category + " " + n.Actor.Handle + ", "
		}
		if categories != "INVITATION_ACCEPTED ben, INVITATION_RECEIVED eve, LIKE gus, " || *got.Notifications[2].Title != "Gus likes it" {
			t.Errorf("notifications: %s", categories)
		}
		if len(got.Reports) != 1 || got.Reports[0].Member.Handle != "gus" || got.Reports[0].Details != "my words" {
			t.Errorf("reports: %+v", got.Reports)
		}
		for _, secret := range []string{"secret.example", "DECLINED", "their words"} {
			if strings.Contains(raw, secret) {
				t.Errorf("the export tells %q: %s", secret, raw)
			}
		}
		// Who has blocked the member is nobody that the export names.
		gus.Block(ada.ID)
		if _, raw := exportOf(t, ada); strings.Contains(raw, `"gus"`) || strings.Contains(raw, gus.ID) {
			t.Errorf("the export names whoever has blocked the member: %s", raw)
		}
		if _, raw := exportOf(t, s.As(t, "new")); !strings.Contains(raw, `"profile":null`) || !strings.Contains(raw, `"connections":[]`) {
			t.Errorf("the export of somebody new: %s", raw)
		}
	})
}

// Silence: the exports of a sender, in worlds that differ only in what the recipient did, are alike to the byte.
func TestExportSilence(t *testing.T) {
	t.Parallel()
	for _, d := range storetest.Databases() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			var first string
			for _, w := range worlds(t) {
				var clock apptest.Clock
				s := apptest.Start(t, d.New(t), func(c *app.Config) { c.Now, c.Policy.FlagEvaluation = clock.Now, 0 })
				sender, recipient := s.As(t, "sender"), s.As(t, "recipient")
				invitation := sender.Invite(recipient.ID, "hello").Invitation.ID
				w.treat(recipient, invitation)
				seen := rename(sender.Export())
				clock.Advance(8 * 24 * time.Hour)
				expect(t, "reminding", sender.Remind(invitation), "")
				seen += "\n" + rename(sender.Export())
				expect(t, "withdrawing", sender.Withdraw(invitation), "")
				expect(t, "inviting again", sender.Invite(recipient.ID, ""), "REINVITE_NOT_ALLOWED")
				seen += "\n" + rename(sender.Export())
				if first == "" {
					first = seen
				}
				if seen != first {
					t.Errorf("a sender's export tells %q from %q:\n%s", w.name, "left alone", difference(first, seen))
				}
				s.Stop(t)
			}
		})
	}
}

// An export is of one moment: what happens meanwhile is in it whole or not at all.
func TestRaceExport(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		for round := range rounds {
			ada, ben := s.As(t, fmt.Sprint("ada", round)), s.As(t, fmt.Sprint("ben", round))
			invitation := ada.Invite(ben.ID, "").Invitation.ID
			var raw string
			together(func() { ben.Respond(invitation, "ACCEPT") }, func() { raw = ada.Export() })
			var got exported
			if err := json.Unmarshal([]byte(raw), &got); err != nil {
				t.Fatal(err)
			}
			accepted := got.InvitationsSent[0].State == "ACCEPTED"
			if accepted != (len(got.Connections) == 1) || accepted != (len(got.Notifications) == 1) {
				t.Errorf("in between: %s", raw)
			}
		}
	})
}
