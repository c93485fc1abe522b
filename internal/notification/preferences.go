package notification

import (
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"time"

	"github.com/acquaint/acquaint/internal/refusal"
)

// Preferences are what a member chose about notifications.
type Preferences struct {
	// Changed holds what differs from the defaults; read it through Frequency.
	Changed     map[Category]map[Channel]Frequency
	PausedUntil time.Time // zero when not paused
	TimeZone    string    // an IANA name; "UTC" until the member says
}

// Setting is one cell of the preferences.
type Setting struct {
	Category  Category
	Channel   Channel
	Frequency Frequency
}

// DefaultPreferences are those of a member who chose nothing.
func DefaultPreferences() Preferences { return Preferences{TimeZone: "UTC"} }

// Frequency is how soon a category goes to a channel.
func (p Preferences) Frequency(category Category, channel Channel) Frequency {
	if f, ok := p.Changed[category][channel]; ok {
		return f
	}
	return defaultFrequency(category, channel)
}

// Settings are all the cells, in the order of the categories and channels.
func (p Preferences) Settings() []Setting {
	all := make([]Setting, 0, len(categories)*len(channels))
	for _, category := range categories {
		for _, channel := range channels {
			all = append(all, Setting{category, channel, p.Frequency(category, channel)})
		}
	}
	return all
}

// Muted is the mask of the categories whose in-app channel is off.
func (p Preferences) Muted() int64 {
	var mask int64
	for _, category := range categories {
		if p.Frequency(category, InApp) == Off {
			mask |= category.Bit()
		}
	}
	return mask
}

// defaultFrequency: in-app always at once; email at once for what waits for an answer, daily for what concerns one
// person, else weekly; push at once where a person addressed the member, else off.
func defaultFrequency(category Category, channel Channel) Frequency {
	switch channel {
	case InApp:
		return RealTime
	case Email:
		switch category {
		case InvitationReceived:
			return RealTime
		case InvitationAccepted, Message:
			return Daily
		default:
			return Weekly
		}
	case Push:
		switch category {
		case InvitationReceived, InvitationAccepted, Message:
			return RealTime
		default:
			return Off
		}
	default:
		return Off
	}
}

// Change is a partial update of preferences; what is nil or empty stays.
type Change struct {
	Settings    []Setting
	PausedUntil *time.Time // pauses until then; a time that has passed ends the pause
	Resume      bool       // ends the pause
	TimeZone    *string
}

// Apply gives the preferences after a change, or refuses it whole.
func (p Preferences) Apply(change Change, now time.Time) (Preferences, error) {
	changed := make(map[Category]map[Channel]Frequency, len(p.Changed))
	for category, byChannel := range p.Changed {
		changed[category] = make(map[Channel]Frequency, len(byChannel))
		maps.Copy(changed[category], byChannel)
	}
	for i, s := range change.Settings {
		if s.Channel == InApp && s.Frequency != Off && s.Frequency != RealTime {
			return p, refusal.New(refusal.Invalid, "The in-app channel takes OFF or REALTIME.",
				"settings", strconv.Itoa(i), "frequency")
		}
		if changed[s.Category] == nil {
			changed[s.Category] = make(map[Channel]Frequency)
		}
		changed[s.Category][s.Channel] = s.Frequency
	}
	p.Changed = changed

	if change.PausedUntil != nil && change.Resume {
		return p, refusal.New(refusal.Invalid, "Either pause or resume, not both.", "resume")
	}
	if change.Resume {
		p.PausedUntil = time.Time{}
	}
	if change.PausedUntil != nil {
		p.PausedUntil = *change.PausedUntil
	}
	if !p.PausedUntil.After(now) {
		p.PausedUntil = time.Time{}
	}

	if change.TimeZone != nil {
		if err := checkTimeZone(*change.TimeZone); err != nil {
			return p, err
		}
		p.TimeZone = *change.TimeZone
	}
	return p, nil
}

// ianaName is how the names of the IANA time zone database look. Go takes others, too, which mean something to this
// machine only: "Local", "localtime", "posix/Europe/Berlin".
var ianaName = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$`)

func checkTimeZone(name string) error {
	if ianaName.MatchString(name) && name != "Local" && name != "Factory" {
		if _, err := time.LoadLocation(name); err == nil {
			return nil
		}
	}
	return refusal.New(refusal.Invalid, fmt.Sprintf("%q is no IANA time zone such as Europe/Berlin.", shorten(name)), "timeZone")
}

func shorten(s string) string {
	const enough = 40
	if r := []rune(s); len(r) > enough {
		return string(r[:enough]) + "…"
	}
	return s
}
