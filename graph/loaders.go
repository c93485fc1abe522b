package graph

import (
	"context"
	"errors"
	"time"

	"github.com/vikstrous/dataloadgen"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
)

// errNoSuch is what loaders give for a key that has nothing; dataloadgen has the same.
var errNoSuch = dataloadgen.ErrNotFound

// mutualKey asks for a page of the members connected both to the viewer and to another.
type mutualKey struct {
	other id.Member
	from  id.Member
	limit int
}

// loaders collect what the items of a list ask for, and ask for it in one query. They live as long as one response (of
// a mutation, as one of its fields), so that nothing is remembered that may have changed.
type loaders struct {
	members       *dataloadgen.Loader[id.Member, *model.Member]
	invitations   *dataloadgen.Loader[id.Invitation, *model.Invitation]
	relationships *dataloadgen.Loader[id.Member, network.Relationship]
	degrees       *dataloadgen.Loader[id.Member, int]
	mutual        *dataloadgen.Loader[mutualKey, []id.Member]
	mutualCounts  *dataloadgen.Loader[id.Member, int]
}

// batchMax is how many keys one query takes; the width of a page, as no list is wider.
const batchMax = pageMax

func (r *Resolver) newLoaders(viewer id.Member, wait time.Duration) *loaders {
	options := []dataloadgen.Option{dataloadgen.WithWait(wait), dataloadgen.WithBatchCapacity(batchMax)}
	return &loaders{
		members: dataloadgen.NewMappedLoader(func(ctx context.Context, ids []id.Member) (map[id.Member]*model.Member, error) {
			list, err := r.Members.ByIDs(ctx, ids)
			out := make(map[id.Member]*model.Member, len(list))
			for _, m := range list {
				out[m.ID] = model.NewMember(m)
			}
			return out, err
		}, options...),
		invitations: dataloadgen.NewMappedLoader(func(ctx context.Context, ids []id.Invitation) (map[id.Invitation]*model.Invitation, error) {
			list, err := r.Network.Invitations(ctx, viewer, ids)
			out := make(map[id.Invitation]*model.Invitation, len(list))
			for _, i := range list {
				out[i.ID] = model.NewInvitation(viewer, i)
			}
			return out, err
		}, options...),
		relationships: dataloadgen.NewMappedLoader(func(ctx context.Context, others []id.Member) (map[id.Member]network.Relationship, error) {
			return r.Network.Relationships(ctx, viewer, others)
		}, options...),
		degrees: dataloadgen.NewMappedLoader(func(ctx context.Context, others []id.Member) (map[id.Member]int, error) {
			return r.Network.Degrees(ctx, viewer, others)
		}, options...),
		mutual: dataloadgen.NewMappedLoader(func(ctx context.Context, keys []mutualKey) (map[mutualKey][]id.Member, error) {
			return r.loadMutual(ctx, viewer, keys)
		}, options...),
		mutualCounts: dataloadgen.NewMappedLoader(func(ctx context.Context, others []id.Member) (map[id.Member]int, error) {
			return r.Network.CountMutual(ctx, viewer, others)
		}, options...),
	}
}

// loadMutual asks once for all keys that differ in the member only, which are all of a list.
func (r *Resolver) loadMutual(ctx context.Context, viewer id.Member, keys []mutualKey) (map[mutualKey][]id.Member, error) {
	alike := make(map[mutualKey][]id.Member)
	for _, k := range keys {
		page := mutualKey{from: k.from, limit: k.limit}
		alike[page] = append(alike[page], k.other)
	}
	out := make(map[mutualKey][]id.Member, len(keys))
	for page, others := range alike {
		// One more than the page, to tell whether there are more.
		found, err := r.Network.Mutual(ctx, viewer, others, page.from, page.limit+1)
		if err != nil {
			return nil, err
		}
		for _, other := range others {
			out[mutualKey{other, page.from, page.limit}] = found[other]
		}
	}
	return out, nil
}

type loadersKey struct{}

func withLoaders(ctx context.Context, l *loaders) context.Context {
	return context.WithValue(ctx, loadersKey{}, l)
}

func loadersOf(ctx context.Context) *loaders {
	l, _ := ctx.Value(loadersKey{}).(*loaders)
	return l
}

// loadMember gives a member, or nil for one that is not there.
func loadMember(ctx context.Context, m id.Member) (*model.Member, error) {
	if m.IsZero() {
		return nil, nil
	}
	return orNil(loadersOf(ctx).members.Load(ctx, m))
}

// loadMembers gives members in the order of their keys, nil for those that are not there.
func loadMembers(ctx context.Context, keys []id.Member) ([]*model.Member, error) {
	found, err := loadersOf(ctx).members.LoadAll(ctx, keys)
	if err != nil && !onlyMissing(err) {
		return nil, err
	}
	return found, nil
}

// loadInvitation gives an invitation that the viewer may know of, or nil.
func loadInvitation(ctx context.Context, i id.Invitation) (*model.Invitation, error) {
	if i == (id.Invitation{}) {
		return nil, nil
	}
	return orNil(loadersOf(ctx).invitations.Load(ctx, i))
}

func orNil[T any](found *T, err error) (*T, error) {
	if errors.Is(err, errNoSuch) {
		return nil, nil
	}
	return found, err
}

// orZero gives the zero value for a key that has nothing.
func orZero[T any](found T, err error) (T, error) {
	if errors.Is(err, errNoSuch) {
		var zero T
		return zero, nil
	}
	return found, err
}

// onlyMissing reports whether a LoadAll failed for nothing but keys that are not there.
func onlyMissing(err error) bool {
	var several dataloadgen.ErrorSlice
	if !errors.As(err, &several) {
		return errors.Is(err, errNoSuch)
	}
	for _, e := range several {
		if e != nil && !errors.Is(e, errNoSuch) {
			return false
		}
	}
	return true
}
