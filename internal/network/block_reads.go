package network

import (
	"context"

	"github.com/acquaint/acquaint/internal/id"
)

// Hidden tells which of others are hidden from the viewer, and the viewer from them, as one of the two has blocked the
// other.
func (s *Service) Hidden(ctx context.Context, viewer id.Member, others []id.Member) (map[id.Member]bool, error) {
	return s.store.Hidden(ctx, viewer, others)
}
