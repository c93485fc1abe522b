package network

import (
	"context"

	"github.com/acquaint/acquaint/internal/id"
)

// Connected tells with which of others the viewer is connected.
func (s *Service) Connected(ctx context.Context, viewer id.Member, others []id.Member) (map[id.Member]bool, error) {
	connections, err := s.store.ConnectionsWith(ctx, viewer, others)
	out := make(map[id.Member]bool, len(connections))
	for _, c := range connections {
		out[c.Peer] = true
	}
	return out, err
}

// ConnectionsOf gives a page of the connections of each of members, newest first, without those whom the viewer may not
// know of. Whether the viewer may see a member's connections at all is the caller's to ask.
func (s *Service) ConnectionsOf(ctx context.Context, viewer id.Member, members []id.Member, page ConnectionPage) (map[id.Member][]Connection, error) {
	return s.store.ConnectionsOf(ctx, viewer, members, page)
}

// CountConnectionsOf counts, for each of members, all that ConnectionsOf would give.
func (s *Service) CountConnectionsOf(ctx context.Context, viewer id.Member, members []id.Member) (map[id.Member]int, error) {
	return s.store.CountConnectionsOf(ctx, viewer, members)
}
