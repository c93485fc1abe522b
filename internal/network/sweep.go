package network

import (
	"context"
	"errors"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/refusal"
)

// sweepBatch is how many invitations or members a periodic task looks at before it renews its lease.
const sweepBatch = 100

// ExpireDue closes the invitations that have been open for as long as they may, oldest first, each in a transaction of
// its own: those who use it meanwhile wait for one of them at most. It calls renew between batches, and gives how many
// expired.
func (s *Service) ExpireDue(ctx context.Context, renew func() error) (int, error) {
	expired := 0
	var after *InvitationPosition
	for {
		due, err := s.store.DueToExpire(ctx, s.now().Add(-s.policy.InvitationExpiry), after, sweepBatch)
		if err != nil || len(due) == 0 {
			return expired, err
		}
		after = &due[len(due)-1] // beyond it, whether or not all of these expired
		for _, d := range due {
			err := s.transact(ctx, func(ctx context.Context, tx Tx) error {
				inv, err := s.lockInvitation(ctx, tx, d.ID)
				if err != nil {
					return err
				}
				_, err = s.act(ctx, tx, inv, ByTime, Expire)
				return err
			})
			if refused := (*refusal.Error)(nil); errors.As(err, &refused) { // closed otherwise meanwhile, or about to be deleted
				continue
			}
			if err != nil {
				return expired, err
			}
			expired++
		}
		if err := renew(); err != nil {
			return expired, err
		}
	}
}

// EvaluateFlags lets the flags of all recipients take effect, together. It calls renew between batches.
func (s *Service) EvaluateFlags(ctx context.Context, renew func() error) error {
	now := s.now() // the same for all: that is what together means
	var after id.Member
	for {
		flags, err := s.store.FlagCounts(ctx, now.Add(-s.policy.FlagWindow), now, after, sweepBatch)
		if err != nil || len(flags) == 0 {
			return err
		}
		for _, f := range flags {
			if r := s.policy.Evaluate(f, now); r != f.Before {
				if err := s.store.Restrict(ctx, f.Sender, r); err != nil {
					return err
				}
			}
		}
		after = flags[len(flags)-1].Sender
		if err := renew(); err != nil {
			return err
		}
	}
}

// evaluate lets the flags against one member take effect, in the transaction of a flag.
func (s *Service) evaluate(ctx context.Context, tx Tx, sender id.Member, now time.Time) error {
	flags, err := tx.FlagCount(ctx, sender, now.Add(-s.policy.FlagWindow), now)
	if err != nil {
		return err
	}
	if r := s.policy.Evaluate(flags, now); r != flags.Before {
		return tx.Restrict(ctx, sender, r)
	}
	return nil
}
