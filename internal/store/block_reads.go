package store

import (
	"context"

	"github.com/google/uuid"

	entblock "github.com/acquaint/acquaint/ent/block"
	"github.com/acquaint/acquaint/internal/id"
)

// Hidden implements network.Store.
func (s *Store) Hidden(ctx context.Context, viewer id.Member, others []id.Member) (map[id.Member]bool, error) {
	them := uuids(others)
	rows, err := s.client.Block.Query().Where(entblock.Or(
		entblock.And(entblock.BlockerID(uuid.UUID(viewer)), entblock.BlockedIDIn(them...)),
		entblock.And(entblock.BlockedID(uuid.UUID(viewer)), entblock.BlockerIDIn(them...)),
	)).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[id.Member]bool, len(rows))
	for _, row := range rows {
		other := id.Member(row.BlockedID)
		if other == viewer {
			other = id.Member(row.BlockerID)
		}
		out[other] = true
	}
	return out, nil
}
