package store

import (
	"context"

	"github.com/acquaint/acquaint/internal/id"
)

// Nearness is a store whose statements about nearness change from one way to another at other bounds.
type Nearness struct {
	*Store

	Counted, Times, Further, Pairs, Large int
}

func (n Nearness) bounds() nearness { return nearness{n.Counted, n.Times, n.Further, n.Pairs, n.Large} }

// Mutual is that of Store.
func (n Nearness) Mutual(ctx context.Context, member id.Member, others []id.Member, after id.Member, limit int) (map[id.Member][]id.Member, error) {
	return n.mutual(ctx, n.bounds(), member, others, after, limit)
}

// CountMutual is that of Store.
func (n Nearness) CountMutual(ctx context.Context, member id.Member, others []id.Member) (map[id.Member]int, error) {
	return n.countMutual(ctx, n.bounds(), member, others)
}

// Degrees is that of Store.
func (n Nearness) Degrees(ctx context.Context, member id.Member, others []id.Member) (map[id.Member]int, error) {
	return n.degrees(ctx, n.bounds(), member, others)
}
