package notification_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/refusal"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// The defaults, cell by cell.
func TestDefaultPreferences(t *testing.T) {
	t.Parallel()
	const off, realtime, daily, weekly = notification.Off, notification.RealTime, notification.Daily, notification.Weekly
	want := map[notification.Category][3]notification.Frequency{ // in-app, email, push
		notification.InvitationReceived: {realtime, realtime, realtime},
		notification.InvitationAccepted: {realtime, daily, realtime},
		notification.Message:            {realtime, daily, realtime},
		notification.Mention:            {realtime, weekly, off},
		notification.Comment:            {realtime, weekly, off},
		notification.Like:               {realtime, weekly, off},
		notification.GroupUpdate:        {realtime, weekly, off},
		notification.WorkAnniversary:    {realtime, weekly, off},
	}
	settings := notification.DefaultPreferences().Settings()
	if len(settings) != 3*len(want) {
		t.Fatalf("%d settings", len(settings))
	}
	for _, s := range settings {
		place := slices.Index([]notification.Channel{notification.InApp, notification.Email, notification.Push}, s.Channel)
		if got := want[s.Category][place]; s.Frequency != got {
			t.Errorf("%s by %s is %s, want %s", s.Category, s.Channel, s.Frequency, got)
		}
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	zone := func(s string) *string { return &s }
	at := func(d time.Duration) *time.Time { u := now.Add(d); return &u }
	setting := func(c notification.Category, ch notification.Channel, f notification.Frequency) []notification.Setting {
		return []notification.Setting{{Category: c, Channel: ch, Frequency: f}}
	}
	for _, c := range []struct {
		what    string
		change  notification.Change
		refused []string // the field
	}{
		{"nothing", notification.Change{}, nil},
		{"in-app off", notification.Change{Settings: setting(notification.Like, notification.InApp, notification.Off)}, nil},
		{"email daily", notification.Change{Settings: setting(notification.Like, notification.Email, notification.Daily)}, nil},
		{"push weekly", notification.Change{Settings: setting(notification.Like, notification.Push, notification.Weekly)}, nil},
		{"in-app daily", notification.Change{Settings: setting(notification.Like, notification.InApp, notification.Daily)}, []string{"settings", "0", "frequency"}},
		{"in-app weekly", notification.Change{Settings: setting(notification.Like, notification.InApp, notification.Weekly)}, []string{"settings", "0", "frequency"}},
		{"pause", notification.Change{PausedUntil: at(time.Hour)}, nil},
		{"pause and resume", notification.Change{PausedUntil: at(time.Hour), Resume: true}, []string{"resume"}},
		{"a time zone", notification.Change{TimeZone: zone("Europe/Berlin")}, nil},
		{"an unknown time zone", notification.Change{TimeZone: zone("Mars/Olympus")}, []string{"timeZone"}},
		{"no time zone", notification.Change{TimeZone: zone("")}, []string{"timeZone"}},
		{"Go's own word for a time zone", notification.Change{TimeZone: zone("Local")}, []string{"timeZone"}},
		{"this machine's time zone", notification.Change{TimeZone: zone("localtime")}, []string{"timeZone"}},
		{"a time zone by another path", notification.Change{TimeZone: zone("posix/Europe/Berlin")}, []string{"timeZone"}},
		{"a time zone of three parts", notification.Change{TimeZone: zone("America/Argentina/Buenos_Aires")}, nil},
		{"a path for a time zone", notification.Change{TimeZone: zone("../../etc/passwd")}, []string{"timeZone"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			_, err := notification.DefaultPreferences().Apply(c.change, now)
			var refused *refusal.Error
			errors.As(err, &refused)
			switch {
			case c.refused == nil && err != nil:
				t.Fatal(err)
			case c.refused != nil && (refused == nil || refused.Code != refusal.Invalid || !slices.Equal(refused.Field, c.refused)):
				t.Fatalf("got %v, want INVALID at %v", err, c.refused)
			}
		})
	}
}

// A change keeps what it does not name, leaves the value that it began with alone, and a refused one is refused whole.
func TestApplyKeepsTheRest(t *testing.T) {
	t.Parallel()
	first, err := notification.DefaultPreferences().Apply(notification.Change{
		Settings: []notification.Setting{{Category: notification.Like, Channel: notification.InApp, Frequency: notification.Off}},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	until := now.Add(time.Hour)
	second, err := first.Apply(notification.Change{
		Settings:    []notification.Setting{{Category: notification.Like, Channel: notification.Email, Frequency: notification.Off}},
		PausedUntil: &until,
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	if second.Frequency(notification.Like, notification.InApp) != notification.Off || !second.PausedUntil.Equal(until) {
		t.Errorf("lost something: %+v", second)
	}
	if first.Frequency(notification.Like, notification.Email) != notification.Weekly {
		t.Error("the value before the change changed with it")
	}
	if got, want := second.Muted(), notification.Like.Bit(); got != want {
		t.Errorf("muted %b, want %b", got, want)
	}
	resumed, err := second.Apply(notification.Change{Resume: true}, now)
	if err != nil || !resumed.PausedUntil.IsZero() {
		t.Errorf("still paused: %v %v", resumed.PausedUntil, err)
	}
}

// Who is told of what: the other side, and nobody else.
func TestPlan(t *testing.T) {
	t.Parallel()
	sender, recipient, invitation := id.Member{1}, id.Member{2}, id.Invitation{3}
	for kind, want := range map[notification.EventKind]notification.Draft{
		notification.InvitationWasSent:     {Member: recipient, Category: notification.InvitationReceived, Actor: sender, Invitation: invitation},
		notification.InvitationWasAccepted: {Member: sender, Category: notification.InvitationAccepted, Actor: recipient, Invitation: invitation},
	} {
		got := notification.Plan(notification.Event{Kind: kind, Sender: sender, Recipient: recipient, Invitation: invitation})
		if len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %+v, want %+v", kind, got, want)
		}
	}
	if got := notification.Plan(notification.Event{Kind: "anything else", Sender: sender, Recipient: recipient}); got != nil {
		t.Errorf("told of what nobody is to be told: %+v", got)
	}
}

// Every category has a bit of its own: two that shared one would be muted together.
func TestBits(t *testing.T) {
	t.Parallel()
	var seen int64
	for _, s := range notification.DefaultPreferences().Settings() {
		if s.Channel != notification.InApp {
			continue
		}
		bit := s.Category.Bit()
		if bit == 0 || seen&bit != 0 {
			t.Errorf("%s has the bit %b; %b are taken", s.Category, bit, seen)
		}
		seen |= bit
	}
	if notification.Category("unknown").Bit() != 0 {
		t.Error("an unknown category has a bit")
	}
}
