package graph

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vikstrous/dataloadgen"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
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
// a mutation, as one of its fields), so that nothing is remembered that may have changed. Each is made when it is first
// asked, as most responses ask few of them, and an event on a socket often none.
type loaders struct {
	resolver *Resolver
	viewer   id.Member
	wait     time.Duration

	members       lazily[id.Member, *model.Member]
	invitations   lazily[id.Invitation, *model.Invitation]
	publications  lazily[id.Publication, host.Publication]
	relationships lazily[id.Member, network.Relationship]
	degrees       lazily[id.Member, int]
	mutual        lazily[mutualKey, []id.Member]
	mutualCounts  lazily[id.Member, int]
	hiddens       lazily[id.Member, bool]
	connecteds    lazily[id.Member, bool]
	profiles      lazily[id.Member, member.Profile]
	peers         lazily[peersKey, []network.Connection]
	peerCounts    lazily[id.Member, int]

	conversing // what conversations ask for
}

// peersKey asks for a page of a member's connections.
type peersKey struct {
	of    id.Member
	after network.Connection // zero for the beginning
	limit int
}

// batchMax is how many keys one query takes; the width of a page, as no list is wider.
const batchMax = pageMax

// lazily is a loader that is made when it is first asked. What is asked for below a list waits a little for what the
// other items ask; what is asked for elsewhere has nobody to wait for, and each wait is a good part of a short answer.
type lazily[K comparable, V any] struct {
	once           sync.Once
	fetch          func(context.Context, []K) (map[K]V, error)
	together, soon *dataloadgen.Loader[K, V]

	mu    sync.Mutex
	known map[K]V // what was asked for together, without waiting
}

func (l *lazily[K, V]) get(of *loaders, fetch func(context.Context, []K) (map[K]V, error)) *lazily[K, V] {
	l.once.Do(func() {
		made := func(wait time.Duration) *dataloadgen.Loader[K, V] {
			return dataloadgen.NewMappedLoader(fetch, dataloadgen.WithWait(wait), dataloadgen.WithBatchCapacity(batchMax))
		}
		l.fetch, l.together, l.soon = fetch, made(of.wait), made(0)
	})
	return l
}

// Load gives what is found for a key, or errNoSuch.
func (l *lazily[K, V]) Load(ctx context.Context, key K) (V, error) {
	if belowList(ctx) {
		return l.together.Load(ctx, key)
	}
	found, err := l.soon.Load(ctx, key)
	if err == nil {
		l.together.Prime(key, found) // a list further down need not ask again
	}
	return found, err
}

// begin has a key loaded that is going to be asked for, while something else is, unless it is below a list, where there
// would be many that turn out not to be needed.
func (l *lazily[K, V]) begin(ctx context.Context, key K) {
	if !belowList(ctx) {
		l.soon.LoadThunk(ctx, key)
	}
}

// LoadAll gives what is found for keys, in their order, with an error for each that has nothing. Where there is nobody to
// wait for, all of them are asked for in one query: a loader that does not wait might ask for the first alone.
func (l *lazily[K, V]) LoadAll(ctx context.Context, keys []K) ([]V, error) {
	if belowList(ctx) {
		return l.together.LoadAll(ctx, keys)
	}
	l.mu.Lock()
	known := maps.Clone(l.known)
	l.mu.Unlock()
	missing, asked := make([]K, 0, len(keys)), make(map[K]bool, len(keys))
	for _, key := range keys {
		if _, ok := known[key]; !ok && !asked[key] {
			missing, asked[key] = append(missing, key), true
		}
	}
	if len(missing) > 0 {
		fetched, err := l.fetch(ctx, missing)
		if err != nil {
			return nil, err
		}
		l.prime(fetched)
		if known == nil {
			known = fetched
		} else {
			maps.Copy(known, fetched)
		}
	}
	found, errs, all := make([]V, len(keys)), make(dataloadgen.ErrorSlice, len(keys)), true
	for i, key := range keys {
		var ok bool
		if found[i], ok = known[key]; !ok {
			errs[i], all = errNoSuch, false
		}
	}
	if all {
		return found, nil
	}
	return found, errs
}

// prime has what is known at hand, for whoever asks.
func (l *lazily[K, V]) prime(known map[K]V) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil {
		l.known = make(map[K]V, len(known))
	}
	for key, v := range known {
		l.known[key] = v
		l.together.Prime(key, v)
		l.soon.Prime(key, v)
	}
}

// belowList reports whether a field is one of many alike: it, or what it is part of, is an item of a list.
func belowList(ctx context.Context) bool {
	for field := graphql.GetFieldContext(ctx); field != nil; field = field.Parent {
		if field.Index != nil {
			return true
		}
	}
	return false
}

func (l *loaders) member() *lazily[id.Member, *model.Member] {
	return l.members.get(l, func(ctx context.Context, ids []id.Member) (map[id.Member]*model.Member, error) {
		return l.resolver.membersFor(ctx, l.viewer, ids)
	})
}

func (l *loaders) hidden() *lazily[id.Member, bool] {
	return l.hiddens.get(l, func(ctx context.Context, others []id.Member) (map[id.Member]bool, error) {
		return l.resolver.Network.Hidden(ctx, l.viewer, others)
	})
}

func (l *loaders) connected() *lazily[id.Member, bool] {
	return l.connecteds.get(l, func(ctx context.Context, others []id.Member) (map[id.Member]bool, error) {
		return l.resolver.Network.Connected(ctx, l.viewer, others)
	})
}

func (l *loaders) profile() *lazily[id.Member, member.Profile] {
	return l.profiles.get(l, func(ctx context.Context, ids []id.Member) (map[id.Member]member.Profile, error) {
		return l.resolver.Members.Profiles(ctx, ids)
	})
}

func (l *loaders) peerPage() *lazily[peersKey, []network.Connection] {
	return l.peers.get(l, func(ctx context.Context, keys []peersKey) (map[peersKey][]network.Connection, error) {
		return l.resolver.loadPeers(ctx, l.viewer, keys)
	})
}

func (l *loaders) peerCount() *lazily[id.Member, int] {
	return l.peerCounts.get(l, func(ctx context.Context, ids []id.Member) (map[id.Member]int, error) {
		return l.resolver.Network.CountConnectionsOf(ctx, l.viewer, ids)
	})
}

func (l *loaders) invitation() *lazily[id.Invitation, *model.Invitation] {
	return l.invitations.get(l, func(ctx context.Context, ids []id.Invitation) (map[id.Invitation]*model.Invitation, error) {
		list, err := l.resolver.Network.Invitations(ctx, l.viewer, ids)
		if err == nil {
			list, err = amongVisible(ctx, list)
		}
		out := make(map[id.Invitation]*model.Invitation, len(list))
		for _, i := range list {
			out[i.ID] = model.NewInvitation(l.viewer, i)
		}
		return out, err
	})
}

func (l *loaders) publication() *lazily[id.Publication, host.Publication] {
	return l.publications.get(l, func(ctx context.Context, ids []id.Publication) (map[id.Publication]host.Publication, error) {
		list, err := l.resolver.Host.Publications(ctx, ids)
		out := make(map[id.Publication]host.Publication, len(list))
		for _, p := range list {
			out[p.ID] = p
		}
		return out, err
	})
}

func (l *loaders) relationship() *lazily[id.Member, network.Relationship] {
	return l.relationships.get(l, func(ctx context.Context, others []id.Member) (map[id.Member]network.Relationship, error) {
		return l.resolver.Network.Relationships(ctx, l.viewer, others)
	})
}

func (l *loaders) degree() *lazily[id.Member, int] {
	return l.degrees.get(l, func(ctx context.Context, others []id.Member) (map[id.Member]int, error) {
		return l.resolver.Network.Degrees(ctx, l.viewer, others)
	})
}

func (l *loaders) mutualPage() *lazily[mutualKey, []id.Member] {
	return l.mutual.get(l, func(ctx context.Context, keys []mutualKey) (map[mutualKey][]id.Member, error) {
		return l.resolver.loadMutual(ctx, l.viewer, keys)
	})
}

func (l *loaders) mutualCount() *lazily[id.Member, int] {
	return l.mutualCounts.get(l, func(ctx context.Context, others []id.Member) (map[id.Member]int, error) {
		return l.resolver.Network.CountMutual(ctx, l.viewer, others)
	})
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

// loadPeers asks once for all keys that differ in the member only, which are all of a list.
func (r *Resolver) loadPeers(ctx context.Context, viewer id.Member, keys []peersKey) (map[peersKey][]network.Connection, error) {
	alike := make(map[peersKey][]id.Member)
	for _, k := range keys {
		page := peersKey{after: k.after, limit: k.limit}
		alike[page] = append(alike[page], k.of)
	}
	out := make(map[peersKey][]network.Connection, len(keys))
	for page, members := range alike {
		ask := network.ConnectionPage{Limit: page.limit + 1} // one more, to tell whether there are more
		if page.after != (network.Connection{}) {
			ask.After = &page.after
		}
		found, err := r.Network.ConnectionsOf(ctx, viewer, members, ask)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			out[peersKey{m, page.after, page.limit}] = found[m]
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

// loadMember gives a member, or nil for one that the viewer may not know of.
func loadMember(ctx context.Context, m id.Member) (*model.Member, error) {
	if m.IsZero() {
		return nil, nil
	}
	return orNil(loadersOf(ctx).member().Load(ctx, m))
}

// loadMembers gives members in the order of their keys, nil for those that the viewer may not know of.
func loadMembers(ctx context.Context, keys []id.Member) ([]*model.Member, error) {
	found, err := loadersOf(ctx).member().LoadAll(ctx, keys)
	if err != nil && !onlyMissing(err) {
		return nil, err
	}
	return found, nil
}

// loadActors has those at hand who did what notifications tell of: each need not wait for the others then. Who cannot be
// loaded, or is hidden, is asked for once more below the list.
func loadActors(ctx context.Context, list []notification.Notification) {
	actors := make([]id.Member, 0, len(list))
	for _, n := range list {
		if !n.Actor.IsZero() && !slices.Contains(actors, n.Actor) {
			actors = append(actors, n.Actor)
		}
	}
	if len(actors) > 0 {
		_, _ = loadMembers(ctx, actors)
	}
}

// loadInvitation gives an invitation that the viewer may know of, or nil.
func loadInvitation(ctx context.Context, i id.Invitation) (*model.Invitation, error) {
	if i == (id.Invitation{}) {
		return nil, nil
	}
	return orNil(loadersOf(ctx).invitation().Load(ctx, i))
}

// loadInvitations gives invitations in the order of their keys, nil for those that the viewer may not know of.
func loadInvitations(ctx context.Context, keys []id.Invitation) ([]*model.Invitation, error) {
	found, err := loadersOf(ctx).invitation().LoadAll(ctx, keys)
	if err != nil && !onlyMissing(err) {
		return nil, err
	}
	return found, nil
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
