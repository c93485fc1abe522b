package model

import (
	"strings"
	"time"

	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
)

// Viewer is what only the signed-in member sees; all of it is loaded by resolvers.
type Viewer struct {
	ID  string
	Key id.Member
}

// NewViewer makes the viewer of a member.
func NewViewer(key id.Member) *Viewer { return &Viewer{ID: encode(prefixViewer, key), Key: key} }

// Member is a member as others see it.
type Member struct {
	ID       string
	Key      id.Member
	Handle   string
	Name     string
	Headline *string
	Location *string
	Industry *string
	Company  *string
	PhotoURL *string

	// What decides who sees more, and what not everybody sees; none of it is a field of the schema.
	Privacy member.Privacy
	Email   string
	InBlock bool
	Erased  bool
	Blocked bool // shown to who blocked the member
}

// IsNode marks a Node.
func (*Member) IsNode() {}

// NewMember shows a member.
func NewMember(m member.Member) *Member {
	return &Member{
		ID: encode(prefixMember, m.ID), Key: m.ID, Handle: m.Handle, Name: m.Name, Headline: Optional(m.Headline),
		Location: Optional(m.Location), Industry: Optional(m.Industry), Company: Optional(m.Company), PhotoURL: Optional(m.PhotoURL),
		Privacy: m.Privacy, Email: m.Email, InBlock: m.InBlock, Erased: m.Erased,
	}
}

// NewPublic shows of a member what is public. Its Privacy is empty: never ask member.See of it for anything but Public.
func NewPublic(m member.Public) Member {
	return Member{
		ID: encode(prefixMember, m.ID), Key: m.ID, Handle: m.Handle, Name: m.Name, Headline: Optional(m.Headline),
		Location: Optional(m.Location), Industry: Optional(m.Industry), Company: Optional(m.Company), PhotoURL: Optional(m.PhotoURL),
		InBlock: m.InBlock, Erased: m.Erased,
	}
}

// AsBlocked is the member as the one who blocked it sees it, in the list of the blocked.
func (m *Member) AsBlocked() *Member {
	out := *m
	out.Blocked = true
	return &out
}

// Relationship is how the viewer stands to a member.
type Relationship struct {
	ID          string
	Other       id.Member
	Status      RelationshipStatus
	ConnectedAt *time.Time
	Invitation  *Invitation
	Apart       bool // the two are not to know how near they are
}

// NewRelationship shows how the viewer stands to a member.
func NewRelationship(viewer, other id.Member, r network.Relationship) *Relationship {
	out := &Relationship{
		ID: relationshipID(viewer, other), Other: other,
		Status: RelationshipStatus(strings.ToUpper(string(r.Status))), ConnectedAt: optionalTime(r.ConnectedAt),
	}
	if r.Invitation != nil {
		out.Invitation = NewInvitation(viewer, *r.Invitation)
	}
	return out
}

// NewAllowance shows what the viewer may still send.
func NewAllowance(key id.Member, a network.Allowance) *InvitationAllowance {
	return &InvitationAllowance{
		ID: encode(prefixAllowance, key), Remaining: a.Remaining, RenewsAt: optionalTime(a.RenewsAt),
		RestrictedUntil: optionalTime(a.RestrictedUntil), Warned: a.Warned,
	}
}

// NetworkChange is a change of the viewer's network; what it tells of is loaded by resolvers.
type NetworkChange struct {
	Kind          NetworkChangeKind
	MemberKey     id.Member     // zero for none
	InvitationKey id.Invitation // zero for none
}

// NewNetworkChange shows an entry of the viewer's feed; nil for one that is no change of the network.
func NewNetworkChange(e feed.Entry) *NetworkChange {
	kind := NetworkChangeKind(strings.ToUpper(string(e.Kind)))
	if !kind.IsValid() {
		return nil
	}
	return &NetworkChange{Kind: kind, MemberKey: e.Other, InvitationKey: e.Invitation}
}

// Invitation is an invitation as the viewer may see it.
type Invitation struct {
	ID             string
	SenderKey      id.Member
	RecipientKey   id.Member
	Note           *string
	Acquaintance   Acquaintance
	State          InvitationState
	SentAt         time.Time
	AcceptedAt     *time.Time
	LastRemindedAt *time.Time
	// ConversationKey is what the recipient has written in; zero for none.
	ConversationKey id.Conversation
}

// IsNode marks a Node.
func (*Invitation) IsNode() {}

// NewInvitation shows an invitation to one of its two sides.
func NewInvitation(viewer id.Member, i network.Invitation) *Invitation {
	return &Invitation{
		ID: encode(prefixInvitation, i.ID), SenderKey: i.Sender, RecipientKey: i.Recipient, Note: Optional(i.Note),
		Acquaintance: Acquaintance(strings.ToUpper(string(i.Acquaintance))),
		State:        InvitationState(strings.ToUpper(string(i.StateFor(viewer)))),
		SentAt:       i.SentAt, AcceptedAt: optionalTime(i.AcceptedAt),
		LastRemindedAt: optionalTime(i.RemindedFor(viewer)), ConversationKey: i.Conversation,
	}
}

// notificationBase is what all notifications have.
type notificationBase struct {
	ID            string
	Sequence      int64
	Category      NotificationCategory
	ActorKey      id.Member // zero for nobody
	CreatedAt     time.Time
	ReadAt        *time.Time
	InvitationKey id.Invitation // zero for none
	MessageKey    id.Message    // zero for none
}

// IsNode marks a Node.
func (*notificationBase) IsNode() {}

// IsNotification marks a Notification.
func (*notificationBase) IsNotification() {}

// InvitationReceivedNotification tells the viewer of an invitation.
type InvitationReceivedNotification struct {
	notificationBase

	Reminder bool
}

// InvitationAcceptedNotification tells the viewer that an invitation of theirs was accepted.
type InvitationAcceptedNotification struct{ notificationBase }

// HostNotification tells the viewer of what the host application published.
type HostNotification struct {
	notificationBase

	PublicationKey id.Publication
}

// NewNotification shows a notification as the type of its category; nil for a category that has no type.
func NewNotification(n notification.Notification) Notification {
	base := notificationBase{
		ID: encode(prefixNotification, n.ID), Sequence: n.Sequence, Category: NewCategory(n.Category),
		ActorKey: n.Actor, CreatedAt: n.CreatedAt, ReadAt: optionalTime(n.ReadAt), InvitationKey: n.Invitation,
		MessageKey: n.Message,
	}
	switch n.Category {
	case notification.InvitationReceived:
		return &InvitationReceivedNotification{notificationBase: base, Reminder: n.Reminder}
	case notification.InvitationAccepted:
		return &InvitationAcceptedNotification{base}
	case notification.Mention, notification.Comment, notification.Like, notification.GroupUpdate, notification.WorkAnniversary:
		return &HostNotification{base, n.Publication}
	case notification.Message:
		return &MessageNotification{base}
	default:
		return nil
	}
}

// NewCategory shows a category.
func NewCategory(c notification.Category) NotificationCategory {
	return NotificationCategory(strings.ToUpper(string(c)))
}

// CategoryOf is the domain's category.
func CategoryOf(c NotificationCategory) notification.Category {
	return notification.Category(strings.ToLower(string(c)))
}

// NewPreferences shows a member's preferences.
func NewPreferences(key id.Member, p notification.Preferences) *NotificationPreferences {
	settings := p.Settings()
	out := &NotificationPreferences{
		ID: encode(prefixPreferences, key), Settings: make([]NotificationSetting, len(settings)),
		PausedUntil: optionalTime(p.PausedUntil), TimeZone: p.TimeZone,
	}
	for i, s := range settings {
		out.Settings[i] = NotificationSetting{
			Category: NewCategory(s.Category), Channel: NotificationChannel(strings.ToUpper(string(s.Channel))),
			Frequency: NotificationFrequency(strings.ToUpper(string(s.Frequency))),
		}
	}
	return out
}

// SettingOf is the domain's setting.
func SettingOf(s NotificationSettingInput) notification.Setting {
	return notification.Setting{
		Category: CategoryOf(s.Category), Channel: notification.Channel(strings.ToLower(string(s.Channel))),
		Frequency: notification.Frequency(strings.ToLower(string(s.Frequency))),
	}
}

// Optional shows the empty text as null.
func Optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// IDOf gives the id of a notification, whatever its type.
func IDOf(n Notification) string {
	return n.(interface{ id() string }).id() //nolint:forcetypeassert // all embed notificationBase
}

func (n *notificationBase) id() string { return n.ID }
