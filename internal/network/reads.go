package network

import (
	"context"

	"github.com/acquaint/acquaint/internal/id"
)

// Invitations gives those of the ids that the viewer may know of.
func (s *Service) Invitations(ctx context.Context, viewer id.Member, ids []id.Invitation) ([]Invitation, error) {
	all, err := s.store.InvitationsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	visible := all[:0]
	for _, inv := range all {
		if inv.VisibleTo(viewer) {
			visible = append(visible, inv)
		}
	}
	return visible, nil
}

// Received gives the viewer's inbox (Pending) or archive (Ignored), newest first, and whether there are more.
func (s *Service) Received(ctx context.Context, viewer id.Member, state State, page InvitationPage) ([]Invitation, bool, error) {
	return s.store.Received(ctx, viewer, state, page)
}

// CountReceived counts the whole of the viewer's inbox or archive.
func (s *Service) CountReceived(ctx context.Context, viewer id.Member, state State) (int, error) {
	return s.store.CountReceived(ctx, viewer, state)
}

// Sent gives the viewer's invitations that are pending in the viewer's eyes, newest first, and whether there are more.
func (s *Service) Sent(ctx context.Context, viewer id.Member, page InvitationPage) ([]Invitation, bool, error) {
	return s.store.Sent(ctx, viewer, page)
}

// CountSent counts them all.
func (s *Service) CountSent(ctx context.Context, viewer id.Member) (int, error) {
	return s.store.CountSent(ctx, viewer)
}

// Connections gives the viewer's, newest first, and whether there are more.
func (s *Service) Connections(ctx context.Context, viewer id.Member, page ConnectionPage) ([]Connection, bool, error) {
	return s.store.Connections(ctx, viewer, page)
}

// CountConnections counts them all.
func (s *Service) CountConnections(ctx context.Context, viewer id.Member) (int, error) {
	return s.store.CountConnections(ctx, viewer)
}

// Relationships tells how the viewer stands to each of others.
func (s *Service) Relationships(ctx context.Context, viewer id.Member, others []id.Member) (map[id.Member]Relationship, error) {
	between, err := s.store.Between(ctx, viewer, others)
	if err != nil {
		return nil, err
	}
	out := make(map[id.Member]Relationship, len(others))
	for _, other := range others {
		out[other] = Relate(viewer, other, between[other])
	}
	return out, nil
}

// Degrees gives how far each of others is from the viewer, 1 to 3, and nothing for those further away and the viewer.
func (s *Service) Degrees(ctx context.Context, viewer id.Member, others []id.Member) (map[id.Member]int, error) {
	return s.store.Degrees(ctx, viewer, others)
}

// Mutual gives, for each of others, up to limit members connected to both it and the viewer, in the order of their ids.
func (s *Service) Mutual(ctx context.Context, viewer id.Member, others []id.Member, after id.Member, limit int) (map[id.Member][]id.Member, error) {
	return s.store.Mutual(ctx, viewer, others, after, limit)
}

// CountMutual counts, for each of others, the members connected to both it and the viewer.
func (s *Service) CountMutual(ctx context.Context, viewer id.Member, others []id.Member) (map[id.Member]int, error) {
	return s.store.CountMutual(ctx, viewer, others)
}
