package network

import (
	"context"
	"errors"

	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/refusal"
)

// Block keeps another member from the viewer, and the viewer from that member: it ends the connection, closes the open
// invitation, takes back what told either of the other, and hides each from the other. Nobody is notified. Again it
// changes nothing. Whoever has blocked the viewer cannot be found, and so not blocked in turn.
func (s *Service) Block(ctx context.Context, viewer, other id.Member) error {
	if viewer == other {
		return refusal.New(refusal.Invalid, "You cannot block yourself.", "memberId")
	}
	return s.transact(ctx, func(ctx context.Context, tx Tx) error {
		if err := lock(ctx, tx, viewer, other); err != nil {
			return err
		}
		blocked, err := tx.Blocked(ctx, viewer, other)
		if err != nil {
			return err
		}
		now := s.now()
		inserted, err := tx.InsertBlock(ctx, viewer, other, now)
		if err != nil || !inserted {
			return err
		}
		if blocked { // by the other
			return errMemberNotFound()
		}
		for _, side := range [][2]id.Member{{viewer, other}, {other, viewer}} {
			if err := tx.RetractFrom(ctx, side[0], side[1]); err != nil {
				return err
			}
		}
		open, err := tx.OpenInvitation(ctx, viewer, other)
		switch {
		case err == nil:
			if _, err := s.act(ctx, tx, open, open.ActorFor(viewer), Block); err != nil {
				return err
			}
		case !errors.Is(err, ErrNotFound):
			return err
		}
		removed, err := tx.Disconnect(ctx, viewer, other)
		if err != nil || !removed {
			return err
		}
		return s.record(ctx, tx, feed.Draft{Member: viewer, Kind: feed.ConnectionRemoved, Other: other},
			feed.Draft{Member: other, Kind: feed.ConnectionRemoved, Other: viewer})
	})
}

// Unblock lifts the viewer's block of another member. It brings nothing back; without a block it changes nothing.
func (s *Service) Unblock(ctx context.Context, viewer, other id.Member) error {
	return s.transact(ctx, func(ctx context.Context, tx Tx) error {
		if err := lock(ctx, tx, viewer, other); err != nil {
			return err
		}
		deleted, err := tx.DeleteBlock(ctx, viewer, other)
		if err != nil || deleted {
			return err
		}
		blocked, err := tx.Blocked(ctx, viewer, other)
		if err == nil && blocked { // by the other
			err = errMemberNotFound()
		}
		return err
	})
}

// BlockedMembers gives whom the viewer has blocked, newest first, and whether there are more.
func (s *Service) BlockedMembers(ctx context.Context, viewer id.Member, page BlockPage) ([]Blocked, bool, error) {
	return s.store.BlockedMembers(ctx, viewer, page)
}

// CountBlockedMembers counts them all.
func (s *Service) CountBlockedMembers(ctx context.Context, viewer id.Member) (int, error) {
	return s.store.CountBlockedMembers(ctx, viewer)
}
