package notification

import "slices"

// Category is what a notification is about; each is a row of the preferences.
type Category string

// The categories. A new one is added here, to categories, to the defaults in preferences.go, and to the schema.
const (
	InvitationReceived Category = "invitation_received"
	InvitationAccepted Category = "invitation_accepted"
	Message            Category = "message"
	Mention            Category = "mention"
	Comment            Category = "comment"
	Like               Category = "like"
	GroupUpdate        Category = "group_update"
	WorkAnniversary    Category = "work_anniversary"
)

// categories in the order in which clients are shown them. The place of each is its bit in a stored mask: append only.
var categories = []Category{
	InvitationReceived, InvitationAccepted, Message, Mention, Comment, Like, GroupUpdate, WorkAnniversary,
}

// Categories are all of them.
func Categories() []Category { return slices.Clone(categories) }

// Bit is the category's bit in a mask of categories; 0 for an unknown one.
func (c Category) Bit() int64 {
	for i, known := range categories {
		if c == known {
			return 1 << i
		}
	}
	return 0
}

// Channel is where a notification goes.
type Channel string

// The channels.
const (
	InApp Channel = "in_app"
	Email Channel = "email"
	Push  Channel = "push"
)

var channels = []Channel{InApp, Email, Push}

// Frequency is how soon a notification goes there.
type Frequency string

// The frequencies. InApp takes Off or RealTime only.
const (
	Off      Frequency = "off"
	RealTime Frequency = "realtime"
	Daily    Frequency = "daily"
	Weekly   Frequency = "weekly"
)
