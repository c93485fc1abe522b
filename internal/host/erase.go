package host

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/network"
)

// How much of an erasure one transaction does: notifications of the member, and others whom the member had to do with.
const (
	eraseNotifications = 1000
	eraseOthers        = 100
	eraseMembers       = 100
	// erasePatience is how long deleteMember itself works at an erasure; the rest is the periodic task's.
	erasePatience = 4 * time.Second
)

// Placeholder is what others see of a member who was erased.
type Placeholder struct{ Subject, Handle, Name string }

// Tie is what there was between an erased member and another.
type Tie struct {
	Other     id.Member
	Connected bool
	Open      *network.Invitation // nil for none
}

// Delete erases the member of a subject. When it returns, the member has no access and nothing of theirs can be seen; of
// a member with very many connections some may still be there, and go within minutes. The next token of the subject
// makes a new member.
func (s *Service) Delete(ctx context.Context, subject string) (id.Member, error) {
	var erased id.Member
	err := s.transact(ctx, func(ctx context.Context, tx Tx) error {
		found, err := tx.MemberBySubject(ctx, subject)
		if err == nil {
			if _, err := tx.Lock(ctx, found); err != nil {
				return err
			}
			erased, err = tx.MemberBySubject(ctx, subject) // another may have been faster
		}
		if errors.Is(err, ErrNotFound) {
			return member.NoSuchSubject()
		}
		if err != nil {
			return err
		}
		return tx.Anonymise(ctx, erased, s.placeholder(), s.now())
	})
	if err != nil {
		return id.Member{}, err
	}
	s.access.End(erased)
	enough := time.Now().Add(erasePatience)
	err = s.erase(ctx, erased, func() error {
		if time.Now().After(enough) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return erased, err
}

// errEnough ends an erasure that the periodic task goes on with.
var errEnough = errors.New("enough for now")

// placeholder makes one that nobody can guess, as neither its subject nor its handle may be taken by another.
func (s *Service) placeholder() Placeholder {
	random := s.newID()
	return Placeholder{
		Subject: "erased:" + hex.EncodeToString(random[:]),
		Handle:  "former-" + hex.EncodeToString(random[8:]),
		Name:    "Former member",
	}
}

// FinishErasures goes on with the erasures that were interrupted. It calls renew between batches.
func (s *Service) FinishErasures(ctx context.Context, renew func() error) error {
	for {
		list, err := s.store.Erasing(ctx, eraseMembers)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, m := range list {
			if err := s.erase(ctx, m, renew); err != nil {
				return err
			}
		}
	}
}

// erase does what is left of an erasure, in batches, with goOn between them. It can be interrupted anywhere, and done by
// several at once.
func (s *Service) erase(ctx context.Context, erased id.Member, goOn func() error) error {
	for {
		n, err := s.store.DeleteNotifications(ctx, erased, eraseNotifications)
		if err != nil {
			return err
		}
		if err := goOn(); err != nil {
			return err
		}
		if n < eraseNotifications {
			break
		}
	}
	err := s.transact(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.Lock(ctx, erased); err != nil {
			return err
		}
		return tx.CloseInbox(ctx, erased)
	})
	if err != nil {
		return err
	}
	for {
		others, err := s.store.TiedTo(ctx, erased, eraseOthers)
		if err != nil {
			return err
		}
		if len(others) == 0 {
			break
		}
		if err := s.sever(ctx, erased, others); err != nil {
			return err
		}
		if err := goOn(); err != nil {
			return err
		}
	}
	return s.transact(ctx, func(ctx context.Context, tx Tx) error { return tx.EraseRecords(ctx, erased) })
}

// sever takes apart what is between an erased member and others, and keeps the open tabs of those true.
func (s *Service) sever(ctx context.Context, erased id.Member, others []id.Member) error {
	return s.transact(ctx, func(ctx context.Context, tx Tx) error {
		// Some may be erased themselves; the one being erased cannot be locked any more, and so nobody else can change
		// anything between it and the others.
		if _, err := tx.Lock(ctx, append([]id.Member(nil), others...)...); err != nil {
			return err
		}
		ties, err := tx.Sever(ctx, erased, others)
		if err != nil {
			return err
		}
		for _, tie := range ties {
			for _, kind := range changes(erased, tie) {
				draft := feed.Draft{Member: tie.Other, Kind: kind, Other: erased}
				if err := tx.Append(ctx, s.newID(), draft); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// changes says what of the end of a tie makes the other's open tabs untrue. A recipient who had declined has nothing open;
// a sender has, whatever the erased recipient had done.
func changes(erased id.Member, tie Tie) []feed.Kind {
	var out []feed.Kind
	if tie.Open != nil && (tie.Open.Recipient == erased || tie.Open.State != network.Declined) {
		out = append(out, feed.InvitationClosed)
	}
	if tie.Connected {
		out = append(out, feed.ConnectionRemoved)
	}
	return out
}
