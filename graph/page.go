package graph

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
)

// The size of a page: where none is asked for, and the most.
const (
	pageDefault = 20
	pageMax     = 100
)

// pageSize reads first or last.
func pageSize(name string, n *int) (int, error) {
	switch {
	case n == nil:
		return pageDefault, nil
	case *n < 0:
		return 0, errBadInput(name + " must not be negative.")
	case *n > pageMax:
		return 0, errBadInput(fmt.Sprintf("%s is at most %d.", name, pageMax))
	}
	return *n, nil
}

// The kinds of cursors, so that one of another list is refused.
const (
	cursorInvitation byte = iota + 1
	cursorConnection
	cursorMember
	cursorNotification
	cursorBlock
	cursorConversation
	cursorMessage
)

var errCursor = errBadInput("This is no cursor of this list.")

const instantSize, keySize = 8, 16

// encodeCursor makes a cursor of its kind and the key of its item in the order of the list.
func encodeCursor(kind byte, parts ...[]byte) string {
	raw := []byte{kind}
	for _, p := range parts {
		raw = append(raw, p...)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// decodeCursor gives the key in a cursor of that kind and size.
func decodeCursor(kind byte, size int, cursor string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) != 1+size || raw[0] != kind {
		return nil, errCursor
	}
	return raw[1:], nil
}

func instantBytes(t time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(t.UnixMicro()))
}

// instantOf reads an instant of a cursor, which may have been tampered with: only those that databases know are taken.
func instantOf(b []byte) (time.Time, error) {
	t := time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC() //nolint:gosec // back and forth without loss
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, errCursor
	}
	return t, nil
}

// invitationCursor is of an invitation in the viewer's lists: those sent are ordered by when they were sent, those
// received by when they were listed.
func invitationCursor(viewer id.Member, i network.Invitation) string {
	at := i.ListedAt
	if viewer == i.Sender {
		at = i.SentAt
	}
	return encodeCursor(cursorInvitation, instantBytes(at), i.ID[:])
}

// invitationPage reads the arguments of a list of invitations.
func invitationPage(first *int, after *string) (network.InvitationPage, error) {
	limit, err := pageSize("first", first)
	page := network.InvitationPage{Limit: limit}
	if err != nil || after == nil {
		return page, err
	}
	key, err := decodeCursor(cursorInvitation, instantSize+keySize, *after)
	if err != nil {
		return page, err
	}
	at, err := instantOf(key[:instantSize])
	page.After = &network.InvitationPosition{At: at, ID: id.Invitation(key[instantSize:])}
	return page, err
}

func connectionCursor(c network.Connection) string {
	return encodeCursor(cursorConnection, instantBytes(c.ConnectedAt), c.Peer[:])
}

// connectionPage reads the arguments of a list of connections.
func connectionPage(first *int, after *string) (network.ConnectionPage, error) {
	limit, err := pageSize("first", first)
	page := network.ConnectionPage{Limit: limit}
	if err != nil || after == nil {
		return page, err
	}
	key, err := decodeCursor(cursorConnection, instantSize+keySize, *after)
	if err != nil {
		return page, err
	}
	connectedAt, err := instantOf(key[:instantSize])
	page.After = &network.Connection{ConnectedAt: connectedAt, Peer: id.Member(key[instantSize:])}
	return page, err
}

func blockCursor(b network.Blocked) string {
	return encodeCursor(cursorBlock, instantBytes(b.BlockedAt), b.Member[:])
}

// blockPage reads the arguments of the list of blocked members.
func blockPage(first *int, after *string) (network.BlockPage, error) {
	limit, err := pageSize("first", first)
	page := network.BlockPage{Limit: limit}
	if err != nil || after == nil {
		return page, err
	}
	key, err := decodeCursor(cursorBlock, instantSize+keySize, *after)
	if err != nil {
		return page, err
	}
	blockedAt, err := instantOf(key[:instantSize])
	page.After = &network.Blocked{BlockedAt: blockedAt, Member: id.Member(key[instantSize:])}
	return page, err
}

func memberCursor(m id.Member) string { return encodeCursor(cursorMember, m[:]) }

// memberPage reads the arguments of a list of members in the order of their ids.
func memberPage(first *int, after *string) (from id.Member, limit int, err error) {
	limit, err = pageSize("first", first)
	if err != nil || after == nil {
		return from, limit, err
	}
	key, err := decodeCursor(cursorMember, keySize, *after)
	if err != nil {
		return from, limit, err
	}
	return id.Member(key), limit, nil
}

func notificationCursor(sequence int64) string {
	return encodeCursor(cursorNotification, binary.BigEndian.AppendUint64(nil, uint64(sequence))) //nolint:gosec // never negative
}

// appendNotificationCursor appends what notificationCursor gives.
func appendNotificationCursor(b []byte, sequence int64) []byte {
	var raw [1 + instantSize]byte
	raw[0] = cursorNotification
	binary.BigEndian.PutUint64(raw[1:], uint64(sequence)) //nolint:gosec // never negative
	return base64.RawURLEncoding.AppendEncode(b, raw[:])
}

func sequenceOf(cursor string) (int64, error) {
	key, err := decodeCursor(cursorNotification, instantSize, cursor)
	if err != nil {
		return 0, err
	}
	sequence := int64(binary.BigEndian.Uint64(key)) //nolint:gosec // checked
	if sequence < 1 {
		return 0, errCursor
	}
	return sequence, nil
}

// notificationPage reads the arguments of the inbox, which pages both ways.
func notificationPage(first *int, after *string, last *int, before *string) (notification.Page, error) {
	page := notification.Page{}
	var err error
	page.Limit, page.Backward, err = bothWays(first, after, last, before)
	if err == nil && after != nil {
		page.After, err = sequenceOf(*after)
	}
	if err == nil && before != nil {
		page.Before, err = sequenceOf(*before)
	}
	return page, err
}

// bothWays reads the arguments of a list that pages both ways: the size of the page, and whether it is the last before
// a cursor.
func bothWays(first *int, after *string, last *int, before *string) (limit int, backward bool, err error) {
	switch {
	case last != nil && first != nil:
		return 0, false, errBadInput("Give first or last, not both.")
	case last != nil || before != nil && after == nil && first == nil:
		limit, err = pageSize("last", last)
		return limit, true, err
	default:
		limit, err = pageSize("first", first)
		return limit, false, err
	}
}

// pageInfoBothWays tells of a page of a list that pages both ways.
func pageInfoBothWays(cursors []string, more, backward, after, before bool) *model.PageInfo {
	if !backward {
		return pageInfo(cursors, more, after)
	}
	info := pageInfo(cursors, before, false)
	info.HasPreviousPage = more
	return info
}

// pageInfo tells of a page that was read forward.
func pageInfo(cursors []string, more, after bool) *model.PageInfo {
	info := &model.PageInfo{HasNextPage: more, HasPreviousPage: after}
	if len(cursors) > 0 {
		info.StartCursor, info.EndCursor = &cursors[0], &cursors[len(cursors)-1]
	}
	return info
}
