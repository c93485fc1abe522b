package model

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// Leaf appends the value of a field that is nothing but a value of its object, as JSON: nobody has to be asked for it.
type Leaf[T any] func(b []byte, of T) []byte

// NotificationLeaves are the leaves of each type of notification, by the names of the types and of their fields. They are
// for who writes events and pages without executing each field (graph/plan.go), straight from what the domain has: no
// object is made. Where a type or a field is not in here, they are executed. A leaf gives what execution gives, and a test compares the
// two.
var NotificationLeaves = map[string]map[string]Leaf[*notification.Notification]{
	"InvitationReceivedNotification": baseLeaves(map[string]Leaf[*notification.Notification]{
		"reminder": func(b []byte, n *notification.Notification) []byte { return strconv.AppendBool(b, n.Reminder) },
	}),
	"InvitationAcceptedNotification": baseLeaves(nil),
	"MessageNotification":            baseLeaves(nil),
	TypeHost:                         baseLeaves(nil),
}

// TypeHost is the name of the type that shows what the host application published.
const TypeHost = "HostNotification"

func typeOf(c notification.Category) string {
	switch NewNotification(notification.Notification{Category: c}).(type) {
	case *InvitationReceivedNotification:
		return "InvitationReceivedNotification"
	case *InvitationAcceptedNotification:
		return "InvitationAcceptedNotification"
	case *MessageNotification:
		return "MessageNotification"
	case *HostNotification:
		return TypeHost
	default:
		return ""
	}
}

// types are the names of the types by the categories that they show.
var types = func() map[notification.Category]string {
	out := make(map[notification.Category]string)
	for _, c := range notification.Categories() {
		if name := typeOf(c); name != "" {
			out[c] = name
		}
	}
	return out
}()

// TypeOf gives the name of the type that shows a category; "" for one that has no type.
func TypeOf(c notification.Category) string { return types[c] }

// MemberLeaves are those of a member.
var MemberLeaves = map[string]Leaf[*Member]{
	"id":       func(b []byte, m *Member) []byte { return appendString(b, m.ID) },
	"handle":   func(b []byte, m *Member) []byte { return appendString(b, m.Handle) },
	"name":     func(b []byte, m *Member) []byte { return appendString(b, m.Name) },
	"headline": func(b []byte, m *Member) []byte { return appendOptional(b, m.Headline) },
	"location": func(b []byte, m *Member) []byte { return appendOptional(b, m.Location) },
	"industry": func(b []byte, m *Member) []byte { return appendOptional(b, m.Industry) },
	"company":  func(b []byte, m *Member) []byte { return appendOptional(b, m.Company) },
	"photoUrl": func(b []byte, m *Member) []byte { return appendOptional(b, m.PhotoURL) },
}

// InvitationLeaves are those of an invitation.
var InvitationLeaves = map[string]Leaf[*Invitation]{
	"id":             func(b []byte, i *Invitation) []byte { return appendString(b, i.ID) },
	"note":           func(b []byte, i *Invitation) []byte { return appendOptional(b, i.Note) },
	"acquaintance":   func(b []byte, i *Invitation) []byte { return appendString(b, string(i.Acquaintance)) },
	"state":          func(b []byte, i *Invitation) []byte { return appendString(b, string(i.State)) },
	"sentAt":         func(b []byte, i *Invitation) []byte { return appendTime(b, i.SentAt) },
	"acceptedAt":     func(b []byte, i *Invitation) []byte { return appendOptionalTime(b, i.AcceptedAt) },
	"lastRemindedAt": func(b []byte, i *Invitation) []byte { return appendOptionalTime(b, i.LastRemindedAt) },
}

// MessageLeaves are those of a message.
var MessageLeaves = map[string]Leaf[*Message]{
	"id":     func(b []byte, m *Message) []byte { return appendString(b, m.ID) },
	"body":   func(b []byte, m *Message) []byte { return appendString(b, m.Body) },
	"sentAt": func(b []byte, m *Message) []byte { return appendTime(b, m.SentAt) },
}

// PublicationLeaves are those that a HostNotification has of its publication.
var PublicationLeaves = map[string]Leaf[*host.Publication]{
	"title": func(b []byte, p *host.Publication) []byte { return appendString(b, p.Title) },
	"body":  func(b []byte, p *host.Publication) []byte { return appendOptional(b, Optional(p.Body)) },
	"url":   func(b []byte, p *host.Publication) []byte { return appendOptional(b, Optional(p.URL)) },
}

// ViewerLeaves are those of a viewer.
var ViewerLeaves = map[string]Leaf[id.Member]{
	"id": func(b []byte, m id.Member) []byte { return append(appendID(append(b, '"'), prefixViewer, m), '"') },
}

// PageInfoLeaves are those of what is told of a page.
var PageInfoLeaves = map[string]Leaf[*PageInfo]{
	"hasNextPage":     func(b []byte, p *PageInfo) []byte { return strconv.AppendBool(b, p.HasNextPage) },
	"hasPreviousPage": func(b []byte, p *PageInfo) []byte { return strconv.AppendBool(b, p.HasPreviousPage) },
	"startCursor":     func(b []byte, p *PageInfo) []byte { return appendOptional(b, p.StartCursor) },
	"endCursor":       func(b []byte, p *PageInfo) []byte { return appendOptional(b, p.EndCursor) },
}

// baseLeaves adds what all notifications have.
func baseLeaves(own map[string]Leaf[*notification.Notification]) map[string]Leaf[*notification.Notification] {
	out := map[string]Leaf[*notification.Notification]{
		"id": func(b []byte, n *notification.Notification) []byte {
			return append(appendID(append(b, '"'), prefixNotification, n.ID), '"')
		},
		"sequence":  func(b []byte, n *notification.Notification) []byte { return strconv.AppendInt(b, n.Sequence, 10) },
		"category":  func(b []byte, n *notification.Notification) []byte { return appendCategory(b, n.Category) },
		"createdAt": func(b []byte, n *notification.Notification) []byte { return appendTime(b, n.CreatedAt) },
		"readAt": func(b []byte, n *notification.Notification) []byte {
			if n.ReadAt.IsZero() {
				return append(b, "null"...)
			}
			return appendTime(b, n.ReadAt)
		},
	}
	maps.Copy(out, own)
	return out
}

// appendCategory appends a category as NewCategory shows it, letter by letter: they are ASCII.
func appendCategory(b []byte, c notification.Category) []byte {
	b = append(b, '"')
	for i := range len(c) {
		letter := c[i]
		if 'a' <= letter && letter <= 'z' {
			letter -= 'a' - 'A'
		}
		b = append(b, letter)
	}
	return append(b, '"')
}

func appendOptional(b []byte, s *string) []byte {
	if s == nil {
		return append(b, "null"...)
	}
	return appendString(b, *s)
}

// asItIs are the letters that stand in JSON as they are.
var asItIs = func() (out [256]bool) {
	for c := ' '; c <= '~'; c++ {
		out[c] = !strings.ContainsRune(`"\<>&`, c)
	}
	return out
}()

// appendString appends a string as gqlgen writes it.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if !asItIs[s[i]] {
			w := appender(b)
			graphql.MarshalString(s).MarshalGQL(&w)
			return w
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// appender is a writer to the end of a slice.
type appender []byte

// Write implements io.Writer.
func (a *appender) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}

// WriteString implements io.StringWriter.
func (a *appender) WriteString(s string) (int, error) {
	*a = append(*a, s...)
	return len(s), nil
}

func appendOptionalTime(b []byte, t *time.Time) []byte {
	if t == nil {
		return append(b, "null"...)
	}
	return appendTime(b, *t)
}

func appendTime(b []byte, t time.Time) []byte { return t.UTC().AppendFormat(b, timeFormat) }
