package model

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/acquaint/acquaint/internal/export"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
)

// exportFormat names the shape of the document; a field that is added does not change it.
const exportFormat = "acquaint.export/1"

// exported is the document of exportMyData. Ids are those of the API, times are in UTC, lists are oldest first, and what
// was not given is null. A person is null when there is nobody that the member may know of.
type exported struct {
	Format                  string                 `json:"format"`
	Account                 exportedAccount        `json:"account"`
	Profile                 *exportedProfile       `json:"profile"`
	PrivacySettings         exportedPrivacy        `json:"privacySettings"`
	NotificationPreferences exportedPreferences    `json:"notificationPreferences"`
	Connections             []exportedConnection   `json:"connections"`
	InvitationsSent         []exportedSent         `json:"invitationsSent"`
	InvitationsReceived     []exportedReceived     `json:"invitationsReceived"`
	BlockedMembers          []exportedBlock        `json:"blockedMembers"`
	Conversations           []exportedConversation `json:"conversations"`
	Notifications           []exportedNotification `json:"notifications"`
	Reports                 []exportedReport       `json:"reports"`
}

type exportedAccount struct {
	ID        string       `json:"id"`
	Subject   string       `json:"subject"`
	Handle    string       `json:"handle"`
	Name      string       `json:"name"`
	Email     *string      `json:"email"`
	Headline  *string      `json:"headline"`
	Location  *string      `json:"location"`
	Industry  *string      `json:"industry"`
	Company   *string      `json:"company"`
	PhotoURL  *string      `json:"photoUrl"`
	CreatedAt exportedTime `json:"createdAt"`
}

type exportedProfile struct {
	About     *string             `json:"about"`
	Positions []exportedPosition  `json:"positions"`
	Education []exportedEducation `json:"education"`
	Skills    []string            `json:"skills"`
	Languages []string            `json:"languages"`
	Interests []string            `json:"interests"`
}

type exportedPosition struct {
	Company   string  `json:"company"`
	Title     string  `json:"title"`
	StartedOn *string `json:"startedOn"`
	EndedOn   *string `json:"endedOn"`
}

type exportedEducation struct {
	School    string  `json:"school"`
	Field     *string `json:"field"`
	StartedOn *string `json:"startedOn"`
	EndedOn   *string `json:"endedOn"`
}

type exportedPrivacy struct {
	WhoCanInvite              string `json:"whoCanInvite"`
	WhoSeesConnections        string `json:"whoSeesConnections"`
	WhoSeesProfile            string `json:"whoSeesProfile"`
	ShareEmailWithConnections bool   `json:"shareEmailWithConnections"`
}

type exportedPreferences struct {
	Settings    []exportedSetting `json:"settings"`
	PausedUntil *exportedTime     `json:"pausedUntil"`
	TimeZone    string            `json:"timeZone"`
}

type exportedSetting struct {
	Category  NotificationCategory `json:"category"`
	Channel   string               `json:"channel"`
	Frequency string               `json:"frequency"`
}

type exportedPerson struct {
	ID     string `json:"id"`
	Handle string `json:"handle"`
	Name   string `json:"name"`
}

type exportedConnection struct {
	Member      *exportedPerson `json:"member"`
	ConnectedAt exportedTime    `json:"connectedAt"`
}

type exportedInvitation struct {
	ID             string        `json:"id"`
	Note           *string       `json:"note"`
	Acquaintance   string        `json:"acquaintance"`
	State          string        `json:"state"`
	SentAt         exportedTime  `json:"sentAt"`
	AcceptedAt     *exportedTime `json:"acceptedAt"`
	LastRemindedAt *exportedTime `json:"lastRemindedAt"`
}

type exportedSent struct {
	exportedInvitation

	Recipient *exportedPerson `json:"recipient"`
}

type exportedReceived struct {
	exportedInvitation

	Sender *exportedPerson `json:"sender"`
	// DontKnow is the member's own answer.
	DontKnow bool `json:"dontKnow"`
}

type exportedBlock struct {
	Member    *exportedPerson `json:"member"`
	BlockedAt exportedTime    `json:"blockedAt"`
}

type exportedConversation struct {
	ID       string            `json:"id"`
	With     *exportedPerson   `json:"with"`
	Messages []exportedMessage `json:"messages"`
}

type exportedMessage struct {
	ID     string       `json:"id"`
	Own    bool         `json:"own"` // by the member; else by the other
	Body   string       `json:"body"`
	SentAt exportedTime `json:"sentAt"`
}

type exportedNotification struct {
	ID           string               `json:"id"`
	Sequence     int64                `json:"sequence"`
	Category     NotificationCategory `json:"category"`
	Actor        *exportedPerson      `json:"actor"`
	InvitationID *string              `json:"invitationId"`
	MessageID    *string              `json:"messageId"`
	Title        *string              `json:"title"`
	Body         *string              `json:"body"`
	URL          *string              `json:"url"`
	CreatedAt    exportedTime         `json:"createdAt"`
	ReadAt       *exportedTime        `json:"readAt"`
}

type exportedReport struct {
	ID        string          `json:"id"`
	Member    *exportedPerson `json:"member"`
	Reason    string          `json:"reason"`
	Details   *string         `json:"details"`
	CreatedAt exportedTime    `json:"createdAt"`
}

// exportedTime is written as the API writes it.
type exportedTime time.Time

// MarshalJSON writes it.
func (t exportedTime) MarshalJSON() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, timeFormat), nil
}

func exportedTimeOf(t time.Time) *exportedTime {
	if t.IsZero() {
		return nil
	}
	out := exportedTime(t)
	return &out
}

// NewExport writes the document.
func NewExport(d export.Data) (string, error) {
	m := d.Account
	out := exported{
		Format: exportFormat,
		Account: exportedAccount{
			ID: encode(prefixMember, m.ID), Subject: d.Subject, Handle: m.Handle, Name: m.Name, Email: Optional(m.Email),
			Headline: Optional(m.Headline), Location: Optional(m.Location), Industry: Optional(m.Industry),
			Company: Optional(m.Company), PhotoURL: Optional(m.PhotoURL), CreatedAt: exportedTime(m.CreatedAt),
		},
		Profile: exportProfile(d.Profile),
		PrivacySettings: exportedPrivacy{
			upper(d.Privacy.WhoCanInvite), upper(d.Privacy.WhoSeesConnections), upper(d.Privacy.WhoSeesProfile), d.Privacy.ShareEmail,
		},
		NotificationPreferences: exportPreferences(d.Preferences),
		Connections:             []exportedConnection{}, InvitationsSent: []exportedSent{}, InvitationsReceived: []exportedReceived{},
		BlockedMembers: []exportedBlock{}, Conversations: []exportedConversation{},
		Notifications: []exportedNotification{}, Reports: []exportedReport{},
	}
	person := func(key id.Member) *exportedPerson {
		found, ok := d.People[key]
		if !ok {
			return nil
		}
		return &exportedPerson{encode(prefixMember, found.ID), found.Handle, found.Name}
	}
	for _, c := range d.Connections {
		out.Connections = append(out.Connections, exportedConnection{person(c.Peer), exportedTime(c.ConnectedAt)})
	}
	for _, inv := range d.Invitations {
		if inv.Sender == m.ID {
			out.InvitationsSent = append(out.InvitationsSent, exportedSent{exportInvitation(inv), person(inv.Recipient)})
		} else {
			out.InvitationsReceived = append(out.InvitationsReceived, exportedReceived{exportInvitation(inv), person(inv.Sender), inv.Flagged})
		}
	}
	for _, b := range d.Blocked {
		out.BlockedMembers = append(out.BlockedMembers, exportedBlock{person(b.Member), exportedTime(b.BlockedAt)})
	}
	for _, c := range d.Conversations {
		into := exportedConversation{encode(prefixConversation, c.ID), person(c.With), []exportedMessage{}}
		for _, text := range c.Messages {
			into.Messages = append(into.Messages, exportedMessage{
				encode(prefixMessage, text.ID), text.Sender == m.ID, text.Body, exportedTime(text.SentAt),
			})
		}
		out.Conversations = append(out.Conversations, into)
	}
	for _, n := range d.Notifications {
		out.Notifications = append(out.Notifications, exportNotification(n, d, person(n.Actor)))
	}
	for _, r := range d.Reports {
		out.Reports = append(out.Reports, exportedReport{
			encode(prefixReport, r.ID), person(r.Reported), upper(string(r.Reason)), Optional(r.Details), exportedTime(r.CreatedAt),
		})
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(out)
	return strings.TrimSuffix(b.String(), "\n"), err
}

func exportProfile(p *export.Profile) *exportedProfile {
	if p == nil {
		return nil
	}
	out := &exportedProfile{
		About: Optional(p.About), Positions: []exportedPosition{}, Education: []exportedEducation{},
		Skills: append([]string{}, p.Skills...), Languages: append([]string{}, p.Languages...), Interests: append([]string{}, p.Interests...),
	}
	for _, e := range p.Positions {
		out.Positions = append(out.Positions, exportedPosition{e.Company, e.Title, Optional(e.StartedOn), Optional(e.EndedOn)})
	}
	for _, e := range p.Education {
		out.Education = append(out.Education, exportedEducation{e.School, Optional(e.Field), Optional(e.StartedOn), Optional(e.EndedOn)})
	}
	return out
}

func exportPreferences(p notification.Preferences) exportedPreferences {
	out := exportedPreferences{Settings: []exportedSetting{}, PausedUntil: exportedTimeOf(p.PausedUntil), TimeZone: p.TimeZone}
	for _, s := range p.Settings() {
		out.Settings = append(out.Settings, exportedSetting{NewCategory(s.Category), upper(string(s.Channel)), upper(string(s.Frequency))})
	}
	return out
}

func exportInvitation(inv network.Invitation) exportedInvitation {
	return exportedInvitation{
		ID: encode(prefixInvitation, inv.ID), Note: Optional(inv.Note), Acquaintance: upper(string(inv.Acquaintance)),
		State: upper(string(inv.State)), SentAt: exportedTime(inv.SentAt), AcceptedAt: exportedTimeOf(inv.AcceptedAt),
		LastRemindedAt: exportedTimeOf(inv.RemindedAt),
	}
}

func exportNotification(n notification.Notification, d export.Data, actor *exportedPerson) exportedNotification {
	out := exportedNotification{
		ID: encode(prefixNotification, n.ID), Sequence: n.Sequence, Category: NewCategory(n.Category), Actor: actor,
		CreatedAt: exportedTime(n.CreatedAt), ReadAt: exportedTimeOf(n.ReadAt),
	}
	if n.Invitation != (id.Invitation{}) {
		key := encode(prefixInvitation, n.Invitation)
		out.InvitationID = &key
	}
	if n.Message != (id.Message{}) {
		key := encode(prefixMessage, n.Message)
		out.MessageID = &key
	}
	if p, ok := d.Publications[n.Publication]; ok {
		out.Title, out.Body, out.URL = &p.Title, Optional(p.Body), Optional(p.URL)
	}
	return out
}

func upper(s string) string { return strings.ToUpper(s) }
