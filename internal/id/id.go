// Package id gives the things of the domain their identities: time-ordered UUIDs (version 7), a type for each kind so
// that the compiler keeps a member's apart from an invitation's. Clients see another form of them, which graph makes.
package id

import (
	"bytes"
	"encoding/hex"
)

// UUID is the 16 bytes of an identity.
type UUID [16]byte

// Source makes a new UUID, later ones greater. It is injected, so that tests can name their ids.
type Source func() UUID

// Member identifies a member.
type Member UUID

// Invitation identifies an invitation.
type Invitation UUID

// Notification identifies a notification.
type Notification UUID

// Conversation identifies a conversation.
type Conversation UUID

// Message identifies a message.
type Message UUID

// Publication identifies what the host application had members notified of.
type Publication UUID

// Report identifies a report.
type Report UUID

// Part identifies a position or a course of study in a profile.
type Part UUID

// IsZero reports whether no member is meant.
func (m Member) IsZero() bool { return m == Member{} }

// Less orders members by their ids; pairs are stored with the lesser first.
func (m Member) Less(other Member) bool { return bytes.Compare(m[:], other[:]) < 0 }

// String gives the id in hexadecimal, for logs.
func (m Member) String() string { return hex.EncodeToString(m[:]) }

// String gives the id in hexadecimal, for logs.
func (i Invitation) String() string { return hex.EncodeToString(i[:]) }
