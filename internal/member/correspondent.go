package member

import (
	"context"

	"github.com/acquaint/acquaint/internal/id"
)

// Correspondents gives those of the members that there are, in any order, also who was deleted: what they wrote stays
// with those whom they wrote to, under the name that is left of them. It is for the two of a conversation only.
func (s *Service) Correspondents(ctx context.Context, ids []id.Member) ([]Member, error) {
	return s.store.MembersByID(ctx, ids)
}
