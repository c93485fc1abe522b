package model

import (
	"maps"
	"reflect"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/acquaint/acquaint/internal/id"
)

// Leaf gives the value of a field that is nothing but a value of its object: nobody has to be asked for it.
type Leaf[T any] func(T) graphql.Marshaler

// NotificationType is a type of notification: its type in Go, and its leaves by the names of their fields.
type NotificationType struct {
	Type   reflect.Type
	Leaves map[string]Leaf[Notification]
}

// NotificationTypes are the types of notifications by their names. They are for who writes events without executing each
// (graph/plan.go); where a type or a field is not in here, events are executed. A leaf gives what execution gives, and a
// test compares the two.
var NotificationTypes = map[string]NotificationType{
	"InvitationReceivedNotification": {reflect.TypeFor[*InvitationReceivedNotification](), baseLeaves(map[string]Leaf[Notification]{
		"reminder": func(n Notification) graphql.Marshaler {
			return graphql.MarshalBoolean(n.(*InvitationReceivedNotification).Reminder) //nolint:forcetypeassert // of this type
		},
	})},
	"InvitationAcceptedNotification": {reflect.TypeFor[*InvitationAcceptedNotification](), baseLeaves(nil)},
	"MessageNotification":            {reflect.TypeFor[*MessageNotification](), baseLeaves(nil)},
	"HostNotification":               {reflect.TypeFor[*HostNotification](), baseLeaves(nil)},
}

// EdgeLeaves are those of an edge.
var EdgeLeaves = map[string]Leaf[*NotificationEdge]{
	"cursor": func(e *NotificationEdge) graphql.Marshaler { return graphql.MarshalString(e.Cursor) },
}

// MemberLeaves are those of a member.
var MemberLeaves = map[string]Leaf[*Member]{
	"id":       func(m *Member) graphql.Marshaler { return graphql.MarshalID(m.ID) },
	"handle":   func(m *Member) graphql.Marshaler { return graphql.MarshalString(m.Handle) },
	"name":     func(m *Member) graphql.Marshaler { return graphql.MarshalString(m.Name) },
	"headline": func(m *Member) graphql.Marshaler { return textOrNull(m.Headline) },
	"location": func(m *Member) graphql.Marshaler { return textOrNull(m.Location) },
	"industry": func(m *Member) graphql.Marshaler { return textOrNull(m.Industry) },
	"company":  func(m *Member) graphql.Marshaler { return textOrNull(m.Company) },
	"photoUrl": func(m *Member) graphql.Marshaler { return textOrNull(m.PhotoURL) },
}

// baseLeaves adds what all notifications have.
func baseLeaves(own map[string]Leaf[Notification]) map[string]Leaf[Notification] {
	out := make(map[string]Leaf[Notification])
	for name, leaf := range map[string]Leaf[*notificationBase]{
		"id":        func(n *notificationBase) graphql.Marshaler { return graphql.MarshalID(n.ID) },
		"sequence":  func(n *notificationBase) graphql.Marshaler { return MarshalInt64(n.Sequence) },
		"category":  func(n *notificationBase) graphql.Marshaler { return n.Category },
		"createdAt": func(n *notificationBase) graphql.Marshaler { return MarshalTime(n.CreatedAt) },
		"readAt":    func(n *notificationBase) graphql.Marshaler { return timeOrNull(n.ReadAt) },
	} {
		out[name] = func(n Notification) graphql.Marshaler { return leaf(baseOf(n)) }
	}
	maps.Copy(out, own)
	return out
}

// baseOf gives what all notifications have; they all embed it.
func baseOf(n Notification) *notificationBase {
	return n.(interface{ base() *notificationBase }).base() //nolint:forcetypeassert // see above
}

func (n *notificationBase) base() *notificationBase { return n }

// ActorOf gives the key of who did what a notification tells of; zero for nobody.
func ActorOf(n Notification) id.Member { return baseOf(n).ActorKey }

func textOrNull(s *string) graphql.Marshaler {
	if s == nil {
		return graphql.Null
	}
	return graphql.MarshalString(*s)
}

func timeOrNull(t *time.Time) graphql.Marshaler {
	if t == nil {
		return graphql.Null
	}
	return MarshalTime(*t)
}
