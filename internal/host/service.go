package host

import (
	"context"
	"errors"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
)

// What a Store answers besides its own faults.
var (
	ErrNotFound = errors.New("no such thing")
	// ErrStale is what a use case gives up with when another was faster; Store.Transact runs it again.
	ErrStale = network.ErrStale
)

// Store is what the package asks of the tables.
type Store interface {
	// Transact runs do in one transaction, and again when do gives ErrStale. It gives the hints of the logs that were
	// written to.
	Transact(ctx context.Context, do func(ctx context.Context, tx Tx) error) ([]notification.Hint, error)

	// MembersBySubject gives those that there are.
	MembersBySubject(ctx context.Context, subjects []string) (map[string]id.Member, error)
	PublicationsByID(ctx context.Context, ids []id.Publication) ([]Publication, error)

	// DeleteNotifications deletes up to limit of those in a member's inbox, and gives how many.
	DeleteNotifications(ctx context.Context, member id.Member, limit int) (int, error)
	// TiedTo gives up to limit members with whom a member shares anything that Tx.Sever takes apart.
	TiedTo(ctx context.Context, member id.Member, limit int) ([]id.Member, error)
	// Erasing gives up to limit members whose erasure was begun and not finished.
	Erasing(ctx context.Context, limit int) ([]id.Member, error)
}

// Tx is the tables in one transaction.
type Tx interface {
	notification.Tx

	// Publication gives the one with a key, or ErrNotFound.
	Publication(ctx context.Context, key string) (Publication, error)
	// InsertPublication gives false when there is one with the key, having waited for whoever was about to write it.
	InsertPublication(ctx context.Context, p Publication) (bool, error)
	// Standing tells what is to be known of members before the actor's deeds are told them; zero for no actor.
	Standing(ctx context.Context, members []id.Member, actor id.Member) (map[id.Member]Standing, error)

	// MemberBySubject gives ErrNotFound when there is none.
	MemberBySubject(ctx context.Context, subject string) (id.Member, error)
	// Anonymise makes a placeholder of a member, and notes that the rest is to be erased.
	Anonymise(ctx context.Context, member id.Member, as Placeholder, at time.Time) error
	// CloseInbox deletes a member's inbox, with what is left in it: from then on Lock does not find the member, and so
	// nothing new can happen between it and others.
	CloseInbox(ctx context.Context, member id.Member) error
	// Sever deletes what is between a member and each of others: the connection, invitations, the member's side of the
	// conversation, and the notifications of the others that the member was the actor of. It tells what there was; the
	// same transaction appends to the feeds of the others what that changes for them, as network.Tx.Disconnect asks for.
	Sever(ctx context.Context, member id.Member, others []id.Member) ([]Tie, error)
	// EraseRecords deletes what is left of a member's own: profile, preferences, feed, bars, flags, and texts in
	// reports and publications. Then nothing is left to erase.
	EraseRecords(ctx context.Context, member id.Member) error
}

// Standing is what is to be known of a member before an actor's deeds are told to it.
type Standing struct {
	Exists    bool // and is not erased
	Suspended bool
	Barred    bool // it has blocked the actor, or the actor it
}

// Access is told whose access has ended, after the commit.
type Access interface {
	End(members ...id.Member)
}

// Service is the use cases of the host application.
type Service struct {
	store  Store
	waker  notification.Waker
	access Access
	now    func() time.Time
	newID  id.Source
}

// NewService makes a Service.
func NewService(store Store, waker notification.Waker, access Access, now func() time.Time, newID id.Source) *Service {
	return &Service{store: store, waker: waker, access: access, now: now, newID: newID}
}

// Publications gives those of the ids that there are. Whoever has a notification of one may see it.
func (s *Service) Publications(ctx context.Context, ids []id.Publication) ([]Publication, error) {
	return s.store.PublicationsByID(ctx, ids)
}

// AccessEnded closes what a member has open on this node whose access was taken away; other nodes notice themselves.
func (s *Service) AccessEnded(member id.Member) { s.access.End(member) }

// transact runs a use case and, once it is committed, wakes those whose logs it wrote to.
func (s *Service) transact(ctx context.Context, do func(ctx context.Context, tx Tx) error) error {
	hints, err := s.store.Transact(ctx, do)
	if err == nil && len(hints) > 0 {
		s.waker.Wake(hints...)
	}
	return err
}
