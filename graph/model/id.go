package model

import (
	"strings"

	"go.jetify.com/typeid"
	"go.jetify.com/typeid/base32"

	"github.com/acquaint/acquaint/internal/id"
)

// The prefixes of ids; the first five are of nodes.
const (
	prefixMember       = "mbr"
	prefixInvitation   = "inv"
	prefixNotification = "ntf"
	prefixConversation = "cnv"
	prefixMessage      = "msg"
	prefixViewer       = "vwr"
	prefixRelationship = "rel"
	prefixPreferences  = "npf"
	prefixAllowance    = "ial"
	prefixProfile      = "prf"
	prefixPosition     = "pos"
	prefixEducation    = "edu"
	prefixPrivacy      = "pvs"
	prefixReport       = "rpt"
)

// encode gives the form of an id that clients see: a TypeID, the type and the UUID in base 32.
func encode[T ~[16]byte](prefix string, key T) string {
	const length = 30
	return string(appendID(make([]byte, 0, length), prefix, key))
}

// appendID appends what encode gives. The prefixes above are valid, and every UUID is: the package would check both again.
func appendID[T ~[16]byte](b []byte, prefix string, key T) []byte {
	return append(append(append(b, prefix...), '_'), base32.Encode(key)...)
}

// decode gives the key of an id of that type; false for anything else.
func decode[T ~[16]byte](prefix, s string) (key T, ok bool) {
	t, err := typeid.FromString(s)
	if err != nil || t.Prefix() != prefix {
		return key, false
	}
	copy(key[:], t.UUIDBytes())
	return key, true
}

// MemberID gives the key of a member's id; false for anything else.
func MemberID(s string) (id.Member, bool) { return decode[id.Member](prefixMember, s) }

// MemberIDOf gives the id of a member.
func MemberIDOf(key id.Member) string { return encode(prefixMember, key) }

// InvitationID gives the key of an invitation's id; false for anything else.
func InvitationID(s string) (id.Invitation, bool) { return decode[id.Invitation](prefixInvitation, s) }

// NotificationID gives the key of a notification's id; false for anything else.
func NotificationID(s string) (id.Notification, bool) {
	return decode[id.Notification](prefixNotification, s)
}

// ConversationID gives the key of a conversation's id; false for anything else.
func ConversationID(s string) (id.Conversation, bool) {
	return decode[id.Conversation](prefixConversation, s)
}

// MessageID gives the key of a message's id; false for anything else.
func MessageID(s string) (id.Message, bool) { return decode[id.Message](prefixMessage, s) }

// relationshipID is of two members, in the eyes of the first.
func relationshipID(viewer, member id.Member) string {
	_, suffix, _ := strings.Cut(encode(prefixMember, member), "_")
	return encode(prefixRelationship, viewer) + "_" + suffix
}
