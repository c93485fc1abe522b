package notification

import (
	"context"
	"time"

	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/refusal"
)

// Page is a part of an inbox, newest first. After and Before are sequences, 0 for none; Backward asks for the last Limit
// before Before instead of the first Limit after After.
type Page struct {
	After, Before int64
	Limit         int
	Backward      bool
	Actors        bool // are asked for, too
}

// Listing is a page, newest first.
type Listing struct {
	Notifications []Notification
	More          bool // there are some beyond it in the direction of paging
	// Actors are those of the page, if they were asked for. They are as they are: who may see whom nobody has looked at.
	Actors map[id.Member]member.Public
}

// Store is what the package asks of the tables.
type Store interface {
	Notifications(ctx context.Context, member id.Member, page Page) (Listing, error)
	// NotificationsByID gives those of the ids that are in the member's inbox; of an id that comes twice, one or two.
	NotificationsByID(ctx context.Context, member id.Member, ids []id.Notification) ([]Notification, error)
	CountNotifications(ctx context.Context, member id.Member) (int, error)
	CountUnread(ctx context.Context, member id.Member) (int, error)
	// MarkRead marks those of the ids that are in the inbox; unknown ones are passed over. If that changes any, it tells
	// the member's feed, in an entry of that id, and gives the hint of it.
	MarkRead(ctx context.Context, member id.Member, ids []id.Notification, now time.Time, entry id.UUID) ([]Hint, error)
	// MarkReadThrough does so with all that have a sequence up to and including that one.
	MarkReadThrough(ctx context.Context, member id.Member, through int64, now time.Time, entry id.UUID) ([]Hint, error)
	// Preferences gives the defaults for a member who chose nothing.
	Preferences(ctx context.Context, member id.Member) (Preferences, error)
	// ChangePreferences applies change to the preferences under the lock of the member's inbox, so that what is
	// committed holds for every notification numbered after it.
	ChangePreferences(ctx context.Context, member id.Member, change func(Preferences) (Preferences, error)) (Preferences, error)
}

// Tx is the logs of members in one transaction, of whatever domain.
type Tx interface {
	// Lock locks the logs of members until the end, in an order of its own, so that two use cases that concern the same
	// member run one after the other. It is the first thing that a use case does. It gives false when one of the
	// members does not exist.
	Lock(ctx context.Context, members ...id.Member) (bool, error)
	// Notify writes a draft with the next number of the member's inbox. It writes nothing, and spends no number, when
	// the member's preferences keep the category out of the inbox.
	Notify(ctx context.Context, nid id.Notification, draft Draft, at time.Time) error
	// Append writes a draft with the next number of the member's feed.
	Append(ctx context.Context, entry id.UUID, draft feed.Draft) error
}

// Service serves a member's inbox and preferences.
type Service struct {
	store Store
	waker Waker
	now   func() time.Time
	newID id.Source
}

// NewService makes a Service over a store, a clock and a source of ids. It wakes the streams of members who end a pause
// or mark something as read.
func NewService(store Store, waker Waker, now func() time.Time, newID id.Source) *Service {
	return &Service{store: store, waker: waker, now: now, newID: newID}
}

// List gives a page of the viewer's inbox.
func (s *Service) List(ctx context.Context, viewer id.Member, page Page) (Listing, error) {
	return s.store.Notifications(ctx, viewer, page)
}

// ByID gives those of the ids that are in the viewer's inbox.
func (s *Service) ByID(ctx context.Context, viewer id.Member, ids []id.Notification) ([]Notification, error) {
	return s.store.NotificationsByID(ctx, viewer, ids)
}

// Count is the number of notifications in the viewer's inbox.
func (s *Service) Count(ctx context.Context, viewer id.Member) (int, error) {
	return s.store.CountNotifications(ctx, viewer)
}

// Unread is the number of those not marked as read.
func (s *Service) Unread(ctx context.Context, viewer id.Member) (int, error) {
	return s.store.CountUnread(ctx, viewer)
}

// Mark says which notifications to mark as read: some by id, or all up to and including a sequence; exactly one of the
// two is given.
type Mark struct {
	IDs     []id.Notification
	HasIDs  bool
	Through *int64
}

// MarkRead marks notifications as read and gives the number still unread. Both or neither way of naming them is
// refused as INVALID.
func (s *Service) MarkRead(ctx context.Context, viewer id.Member, mark Mark) (int, error) {
	var (
		hints []Hint
		err   error
	)
	switch {
	case mark.HasIDs == (mark.Through != nil):
		return 0, refusal.New(refusal.Invalid, "Give either ids or through.")
	case mark.HasIDs:
		hints, err = s.store.MarkRead(ctx, viewer, mark.IDs, s.now(), s.newID())
	default:
		hints, err = s.store.MarkReadThrough(ctx, viewer, *mark.Through, s.now(), s.newID())
	}
	if err != nil {
		return 0, err
	}
	if len(hints) > 0 {
		s.waker.Wake(hints...)
	}
	return s.store.CountUnread(ctx, viewer)
}

// Preferences are the viewer's, with a pause that is over left out.
func (s *Service) Preferences(ctx context.Context, viewer id.Member) (Preferences, error) {
	p, err := s.store.Preferences(ctx, viewer)
	if err == nil && !p.PausedUntil.After(s.now()) {
		p.PausedUntil = time.Time{}
	}
	return p, err
}

// UpdatePreferences changes the viewer's preferences; a change refused in part is refused whole.
func (s *Service) UpdatePreferences(ctx context.Context, viewer id.Member, change Change) (Preferences, error) {
	after, err := s.store.ChangePreferences(ctx, viewer, func(p Preferences) (Preferences, error) {
		return p.Apply(change, s.now())
	})
	if err == nil && (change.Resume || change.PausedUntil != nil) {
		s.waker.Wake(Hint{Member: viewer}) // a stream may wait for the end of the pause
	}
	return after, err
}
