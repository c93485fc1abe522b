package network

import (
	"context"
	"errors"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/message"
	"github.com/acquaint/acquaint/internal/notification"
)

// What a Store answers besides its own faults.
var (
	ErrNotFound = errors.New("no such thing")
	// ErrStale is what a use case gives up with when another was faster; Store.Transact runs it again.
	ErrStale = errors.New("changed meanwhile")
)

// Store is what the package asks of the tables.
type Store interface {
	// Transact runs do in one transaction, and again, a bounded number of times, when do gives ErrStale or the database
	// broke the transaction to settle a conflict. When do gives any other error nothing is written. It gives the hints of
	// the logs that were written to.
	Transact(ctx context.Context, do func(ctx context.Context, tx Tx) error) ([]notification.Hint, error)

	// TransactTogether is Transact for a use case that says before what it is about. The store may run it in one
	// transaction with others about other members.
	TransactTogether(ctx context.Context, about About, do func(ctx context.Context, tx Tx) error) ([]notification.Hint, error)

	// InvitationsByID gives those that there are, in any order, but not those between members of whom one has blocked the
	// other.
	InvitationsByID(ctx context.Context, ids []id.Invitation) ([]Invitation, error)
	// Received gives the invitations to a member in one state, newest first, and whether there are more.
	Received(ctx context.Context, member id.Member, state State, page InvitationPage) ([]Invitation, bool, error)
	CountReceived(ctx context.Context, member id.Member, state State) (int, error)
	// Sent gives the open invitations of a member, newest first, and whether there are more.
	Sent(ctx context.Context, member id.Member, page InvitationPage) ([]Invitation, bool, error)
	CountSent(ctx context.Context, member id.Member) (int, error)
	// Between gives what there is between a member and each of others, all of it as of one moment.
	Between(ctx context.Context, member id.Member, others []id.Member) (map[id.Member]Between, error)

	// Usage tells what a member has used of the limits: the invitations sent after since, and when the nth newest, and the
	// nth newest open one, were sent; 0 asks for none.
	Usage(ctx context.Context, sender id.Member, since time.Time, nth, nthOpen int) (Usage, error)
	// DueToExpire gives where up to limit open invitations stand, of those sent at a time or before, oldest first, after
	// a position, if any.
	DueToExpire(ctx context.Context, sent time.Time, after *InvitationPosition, limit int) ([]InvitationPosition, error)
	// FlagCounts gives, by id from after on, up to limit of the members who have flags after since, up to until, or
	// are warned.
	FlagCounts(ctx context.Context, since, until time.Time, after id.Member, limit int) ([]FlagCount, error)
	Restrict(ctx context.Context, sender id.Member, restriction Restriction) error

	// BlockedMembers gives whom a member has blocked, newest first, and whether there are more.
	BlockedMembers(ctx context.Context, member id.Member, page BlockPage) ([]Blocked, bool, error)
	CountBlockedMembers(ctx context.Context, member id.Member) (int, error)

	// Connections gives a member's, newest first, and whether there are more.
	Connections(ctx context.Context, member id.Member, page ConnectionPage) ([]Connection, bool, error)
	CountConnections(ctx context.Context, member id.Member) (int, error)
	// ConnectionsWith gives those of a member's connections that are among others.
	ConnectionsWith(ctx context.Context, member id.Member, others []id.Member) ([]Connection, error)
	// ConnectionsOf gives, for each of members, up to page.Limit connections, newest first, without those to members who are
	// hidden from the viewer, or erased.
	ConnectionsOf(ctx context.Context, viewer id.Member, members []id.Member, page ConnectionPage) (map[id.Member][]Connection, error)
	CountConnectionsOf(ctx context.Context, viewer id.Member, members []id.Member) (map[id.Member]int, error)
	// Hidden gives those of others whom a block, whoever's of the two, hides from the viewer.
	Hidden(ctx context.Context, viewer id.Member, others []id.Member) (map[id.Member]bool, error)
	// Mutual gives, for each of others, up to limit members who are connected to both, by id, from after on.
	Mutual(ctx context.Context, member id.Member, others []id.Member, after id.Member, limit int) (map[id.Member][]id.Member, error)
	CountMutual(ctx context.Context, member id.Member, others []id.Member) (map[id.Member]int, error)
	// Degrees gives 1, 2 or 3 for those of others that are so near to the member, and nothing for the rest.
	Degrees(ctx context.Context, member id.Member, others []id.Member) (map[id.Member]int, error)
}

// About is what a use case is about: an invitation and its two members, or, without one, a pair of members, of whom the
// one invites the other.
type About struct {
	Invitation id.Invitation

	Sender, Recipient id.Member
	Since             time.Time // what Standing is going to be asked with
}

// Tx is the tables in one transaction. Use cases begin with Lock, so that all that concerns a pair of members happens one
// after the other, and cannot deadlock.
type Tx interface {
	message.Tx

	// InsertInvitation writes an open invitation. It gives false when the pair has one already.
	InsertInvitation(ctx context.Context, inv Invitation) (bool, error)
	// OpenInvitation gives the pair's open one, or ErrNotFound.
	OpenInvitation(ctx context.Context, a, b id.Member) (Invitation, error)
	// Invitation gives one by id, or ErrNotFound.
	Invitation(ctx context.Context, invitation id.Invitation) (Invitation, error)
	// ReplaceInvitation writes what may change of an invitation, and gives ErrStale when it is no longer as before.
	ReplaceInvitation(ctx context.Context, before, after Invitation) error

	// Standing tells all that a policy asks but whether the two share a connection. Invitations count as in the window
	// when they were sent after since.
	Standing(ctx context.Context, sender, recipient id.Member, since time.Time) (Standing, error)
	// HaveMutual reports whether the two share a connection.
	HaveMutual(ctx context.Context, a, b id.Member) (bool, error)
	// Usage is that of Store.
	Usage(ctx context.Context, sender id.Member, since time.Time, nth, nthOpen int) (Usage, error)
	// Bar adds to why the sender may not invite the recipient again; what is zero stays.
	Bar(ctx context.Context, sender, recipient id.Member, bar Bar) error
	// LiftBars takes away all that bars the two from inviting each other.
	LiftBars(ctx context.Context, a, b id.Member) error

	// Connect connects two members. The same transaction appends feed.ConnectionAdded to the feeds of both: a store counts
	// mutual connections by what the feeds tell.
	Connect(ctx context.Context, a, b id.Member, at time.Time) error
	// Disconnect gives false when the two were not connected. Else feed.ConnectionRemoved is appended, as by Connect.
	Disconnect(ctx context.Context, a, b id.Member) (bool, error)

	// Blocked reports whether one of the two has blocked the other.
	Blocked(ctx context.Context, a, b id.Member) (bool, error)
	// InsertBlock gives false when it was there.
	InsertBlock(ctx context.Context, blocker, blocked id.Member, at time.Time) (bool, error)
	// DeleteBlock gives false when there was none.
	DeleteBlock(ctx context.Context, blocker, blocked id.Member) (bool, error)

	// Flag notes that a recipient does not know a sender; again, it is as new.
	Flag(ctx context.Context, recipient, sender id.Member, at time.Time) error
	// FlagCount counts the flags against a sender after since, up to until.
	FlagCount(ctx context.Context, sender id.Member, since, until time.Time) (FlagCount, error)
	Restrict(ctx context.Context, sender id.Member, restriction Restriction) error

	// Retract takes back what told a member of an invitation.
	Retract(ctx context.Context, member id.Member, invitation id.Invitation) error
	// RetractFrom takes back all that told a member of something that another did.
	RetractFrom(ctx context.Context, member, actor id.Member) error
}

// InvitationPage is a part of a list of invitations, newest first: Limit of them after the position, if any.
type InvitationPage struct {
	After *InvitationPosition
	Limit int
}

// InvitationPosition is where an invitation stands in a list: of those received by ListedAt, of those sent by SentAt.
type InvitationPosition struct {
	At time.Time
	ID id.Invitation
}

// Connection is one side of a connection: the owner's, to the peer.
type Connection struct {
	Peer        id.Member
	ConnectedAt time.Time
}

// ConnectionPage is a part of a list of connections, newest first: Limit of them after the position, if any.
type ConnectionPage struct {
	After *Connection
	Limit int
}

// Blocked is a member whom another has blocked.
type Blocked struct {
	Member    id.Member
	BlockedAt time.Time
}

// BlockPage is a part of a list of blocked members, newest first: Limit of them after the position, if any.
type BlockPage struct {
	After *Blocked
	Limit int
}
