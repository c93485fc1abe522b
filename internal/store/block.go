package store

import (
	"context"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	entblock "github.com/acquaint/acquaint/ent/block"
	entmember "github.com/acquaint/acquaint/ent/member"
	"github.com/acquaint/acquaint/ent/predicate"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
)

// eitherWay is the condition that one of two members has blocked the other.
func eitherWay(a, b id.Member) predicate.Block {
	return entblock.Or(
		entblock.And(entblock.BlockerID(uuid.UUID(a)), entblock.BlockedID(uuid.UUID(b))),
		entblock.And(entblock.BlockerID(uuid.UUID(b)), entblock.BlockedID(uuid.UUID(a))),
	)
}

// Blocked implements network.Tx.
func (t *tx) Blocked(ctx context.Context, a, b id.Member) (bool, error) {
	return t.client.Block.Query().Where(eitherWay(a, b)).Exist(ctx)
}

// HasBlocked implements report.Tx.
func (t *tx) HasBlocked(ctx context.Context, blocker, blocked id.Member) (bool, error) {
	return t.client.Block.Query().Where(entblock.BlockerID(uuid.UUID(blocker)), entblock.BlockedID(uuid.UUID(blocked))).Exist(ctx)
}

// InsertBlock implements network.Tx. Both members are marked, so that those in no block need no look at the blocks.
func (t *tx) InsertBlock(ctx context.Context, blocker, blocked id.Member, at time.Time) (bool, error) {
	there, err := t.HasBlocked(ctx, blocker, blocked)
	if err != nil || there {
		return false, err
	}
	if err := t.client.Block.Create().
		SetBlockerID(uuid.UUID(blocker)).SetBlockedID(uuid.UUID(blocked)).SetBlockedAt(at).Exec(ctx); err != nil {
		return false, err
	}
	return true, t.client.Member.Update().
		Where(entmember.IDIn(uuid.UUID(blocker), uuid.UUID(blocked)), entmember.InBlock(false)).SetInBlock(true).Exec(ctx)
}

// DeleteBlock implements network.Tx.
func (t *tx) DeleteBlock(ctx context.Context, blocker, blocked id.Member) (bool, error) {
	n, err := t.client.Block.Delete().
		Where(entblock.BlockerID(uuid.UUID(blocker)), entblock.BlockedID(uuid.UUID(blocked))).Exec(ctx)
	return n > 0, err
}

// BlockedMembers implements network.Store.
func (s *Store) BlockedMembers(ctx context.Context, member id.Member, page network.BlockPage) ([]network.Blocked, bool, error) {
	query := s.client.Block.Query().Where(entblock.BlockerID(uuid.UUID(member)), entblock.HasBlockedWith(entmember.ErasedAtIsNil()))
	if page.After != nil {
		query.Where(func(sel *entsql.Selector) {
			sel.Where(entsql.CompositeLT([]string{sel.C(entblock.FieldBlockedAt), sel.C(entblock.FieldBlockedID)},
				page.After.BlockedAt, uuid.UUID(page.After.Member)))
		})
	}
	rows, err := query.Order(entblock.ByBlockedAt(entsql.OrderDesc()), upTo(page.Limit+1, entblock.FieldBlockedID, newestFirst)).All(ctx)
	if err != nil {
		return nil, false, err
	}
	list, more := cut(rows, page.Limit)
	out := make([]network.Blocked, len(list))
	for i, row := range list {
		out[i] = network.Blocked{Member: id.Member(row.BlockedID), BlockedAt: row.BlockedAt.UTC()}
	}
	return out, more, nil
}

// CountBlockedMembers implements network.Store.
func (s *Store) CountBlockedMembers(ctx context.Context, member id.Member) (int, error) {
	return s.client.Block.Query().Where(entblock.BlockerID(uuid.UUID(member)), entblock.HasBlockedWith(entmember.ErasedAtIsNil())).Count(ctx)
}
