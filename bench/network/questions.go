package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.jetify.com/typeid"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
)

// question is one thing that is measured. prepare gives what asks it the ith time, or nil where the network has no such
// thing.
type question struct {
	name, group string
	aim         float64 // milliseconds of p99 at most; 0 for none
	prepare     func(m *measurement) (func(i int) (sample, error), error)
}

// sample is one time of asking: over HTTP, and of the store alone.
type sample struct {
	http  func() (time.Duration, error)
	store func(ctx context.Context) error
}

// The groups, each a chart.
const (
	groupLists  = "lists"
	groupMutual = "mutual"
	groupDegree = "degree"
	groupOther  = "other"
)

// The aims, in milliseconds.
const (
	aimMutual = 10
	aimDegree = 5
)

// pageSize is how many a page has, and deep how far down a deep page is.
const (
	pageSize = 20
	deepStep = 100
	topMost  = 100 // the members with the most connections
)

func (m *measurement) questions() []question {
	return []question{
		{"nothing but the viewer", groupOther, 0, func(m *measurement) (func(int) (sample, error), error) {
			return m.each(m.anybody, func(viewer int) (sample, error) {
				return m.overHTTP(viewer, `{ viewer { member { id } } }`, nil, nil, nil)
			})
		}},
		{"inviteMember", groupOther, 0, (*measurement).invites},
		{"receivedInvitations, first page", groupLists, 0, m.received(false, 0)},
		{"receivedInvitations of who has thousands, first page", groupLists, 0, m.received(true, 0)},
		{"receivedInvitations of who has thousands, deep", groupLists, 0, m.received(true, receivedMost/2)}, //nolint:mnd // half way
		{"sentInvitations, first page", groupLists, 0, m.sent(false, 0)},
		{"sentInvitations of who has 1,000, first page", groupLists, 0, m.sent(true, 0)},
		{"sentInvitations of who has 1,000, deep", groupLists, 0, m.sent(true, openMost/2)}, //nolint:mnd // half way
		{"notifications, first page", groupLists, 0, m.notifications(false, 0)},
		{"notifications of who has thousands, first page", groupLists, 0, m.notifications(true, 0)},
		{"notifications of who has thousands, deep", groupLists, 0, m.notifications(true, receivedMost/2)}, //nolint:mnd // half way
		{"connections, first page", groupLists, 0, m.connections(false, 0)},
		{"connections of the largest, first page", groupLists, 0, m.connections(true, 0)},
		{"connections of the largest, deep", groupLists, 0, m.connections(true, largest/2)}, //nolint:mnd // half way
		{"mutual connections of two, page and count", groupMutual, aimMutual, m.mutualOf(m.near, true, true)},
		{"mutual connections of one and the largest, page and count", groupMutual, aimMutual, m.mutualOf(m.withLargest, true, true)},
		{"mutual connections of the two largest, page", groupMutual, aimMutual, m.mutualOf(m.largestTwo, true, false)},
		{"mutual connections of the two largest, count", groupMutual, aimMutual, m.mutualOf(m.largestTwo, false, true)},
		{"mutual connections of the two largest, page and count", groupMutual, aimMutual, m.mutualOf(m.largestTwo, true, true)},
		{"mutual connections of two of the hundred largest, page and count", groupMutual, aimMutual, m.mutualOf(m.topPair, true, true)},
		{"degree of random pairs", groupDegree, aimDegree, m.degreeOf(m.randomPair)},
		{"degree of one and the largest", groupDegree, aimDegree, m.degreeOf(m.withLargest)},
		{"degree of two of the hundred largest", groupDegree, aimDegree, m.degreeOf(m.topPair)},
		{"degree 3", groupDegree, aimDegree, m.degreeOf(m.atDegree(3))}, //nolint:mnd // a degree
		{"degree beyond 3", groupDegree, aimDegree, m.degreeOf(m.atDegree(0))},
		{"degree of two that no path connects", groupDegree, aimDegree, m.degreeOf(m.apart)},
		{"degree of the largest and one whom no path connects", groupDegree, aimDegree, m.degreeOf(m.largestApart)},
	}
}

func (m *measurement) anybody() int { return m.random.IntN(m.members) }

// each asks with another member each time.
func (*measurement) each(whom func() int, ask func(member int) (sample, error)) (func(int) (sample, error), error) {
	return func(int) (sample, error) { return ask(whom()) }, nil
}

// overHTTP makes a sample of an operation. check looks at what came.
func (m *measurement) overHTTP(viewer int, query string, variables map[string]any, into any, check func() error) (sample, error) {
	token, err := m.token(viewer)
	if err != nil {
		return sample{}, err
	}
	if into == nil {
		into = &struct{}{}
	}
	return sample{http: func() (time.Duration, error) {
		took, err := m.client.Call(token, query, variables, into)
		if err == nil && check != nil {
			err = check()
		}
		return took, err
	}}, nil
}

func (m *measurement) idOf(member int) id.Member { return id.Member(m.member(member)) }

// global is a member's id as clients see it.
func (m *measurement) global(member int) (string, error) {
	u := m.member(member)
	t, err := typeid.FromUUIDBytesWithPrefix("mbr", u[:])
	return t.String(), err
}

func (m *measurement) invites() (func(int) (sample, error), error) {
	return func(int) (sample, error) {
		a, b := 0, 0
		for pair := [2]int{}; a == b || m.connected(a, b) || m.invited[pair]; pair = [2]int{min(a, b), max(a, b)} {
			a, b = rand.IntN(m.members), rand.IntN(m.members) //nolint:gosec // another pair in a database that was measured before
		}
		m.invited[[2]int{min(a, b), max(a, b)}] = true
		to, err := m.global(b)
		if err != nil {
			return sample{}, err
		}
		var data struct {
			InviteMember struct{ UserErrors []struct{ Code string } }
		}
		return m.overHTTP(a, `mutation($m: ID!) { inviteMember(input: {memberId: $m}) { invitation { id } userErrors { code } } }`,
			map[string]any{"m": to}, &data, func() error {
				if len(data.InviteMember.UserErrors) > 0 {
					return fmt.Errorf("refused: %v", data.InviteMember.UserErrors)
				}
				return nil
			})
	}, nil
}

// list is a page as it comes.
type list struct {
	PageInfo struct {
		HasNextPage bool
		EndCursor   string
	}
	Nodes []struct{ ID string }
}

// pages makes the samples of a list: of members, from a depth on.
func (m *measurement) pages(members []int, depth int, field, nodes string, alone func(ctx context.Context, viewer id.Member) error,
) (func(int) (sample, error), error) {
	query := `query($first: Int!, $after: String) { viewer { list: ` + field + `(first: $first, after: $after) { pageInfo { hasNextPage endCursor } nodes { ` +
		nodes + ` } } } }`
	cursors := make(map[int]any)
	return func(i int) (sample, error) {
		viewer := members[i%len(members)]
		var data struct{ Viewer struct{ List list } }
		cursor, known := cursors[viewer]
		if !known {
			token, err := m.token(viewer)
			if err != nil {
				return sample{}, err
			}
			for down := 0; down < depth; down += deepStep {
				if _, err := m.client.Call(token, query, map[string]any{"first": deepStep, "after": cursor}, &data); err != nil {
					return sample{}, err
				}
				if !data.Viewer.List.PageInfo.HasNextPage {
					break
				}
				cursor = data.Viewer.List.PageInfo.EndCursor
			}
			cursors[viewer] = cursor
		}
		s, err := m.overHTTP(viewer, query, map[string]any{"first": pageSize, "after": cursor}, &data, nil)
		if depth == 0 {
			s.store = func(ctx context.Context) error { return alone(ctx, m.idOf(viewer)) }
		}
		return s, err
	}, nil
}

type preparing = func(m *measurement) (func(int) (sample, error), error)

// some gives a few ordinary members.
func (m *measurement) some() []int {
	out := make([]int, m.samples)
	for i := range out {
		out[i] = m.random.IntN(m.island)
	}
	return out
}

func (*measurement) received(many bool, depth int) preparing {
	return func(m *measurement) (func(int) (sample, error), error) {
		members := m.recipients
		if !many {
			members = m.some()
		}
		return m.pages(members, min(depth, m.members/manyPart/2), "receivedInvitations", "id sentAt sender { id name }", //nolint:mnd // half way
			func(ctx context.Context, viewer id.Member) error {
				_, _, err := m.tables.Received(ctx, viewer, network.Pending, network.InvitationPage{Limit: pageSize})
				return err
			})
	}
}

func (*measurement) sent(many bool, depth int) preparing {
	return func(m *measurement) (func(int) (sample, error), error) {
		members := m.senders
		if !many {
			members = m.some()
		}
		return m.pages(members, min(depth, m.members/manyPart/2), "sentInvitations", "id sentAt recipient { id name }", //nolint:mnd // half way
			func(ctx context.Context, viewer id.Member) error {
				_, _, err := m.tables.Sent(ctx, viewer, network.InvitationPage{Limit: pageSize})
				return err
			})
	}
}

func (*measurement) notifications(many bool, depth int) preparing {
	return func(m *measurement) (func(int) (sample, error), error) {
		members := m.recipients
		if !many {
			members = m.some()
		}
		return m.pages(members, min(depth, m.members/manyPart/2), "notifications", "id category createdAt actor { id name }", //nolint:mnd // half way
			func(ctx context.Context, viewer id.Member) error {
				_, err := m.tables.Notifications(ctx, viewer, notification.Page{Limit: pageSize})
				return err
			})
	}
}

func (*measurement) connections(many bool, depth int) preparing {
	return func(m *measurement) (func(int) (sample, error), error) {
		members := m.hubs[:]
		if !many {
			members = m.some()
		}
		return m.pages(members, min(depth, len(m.of(m.hubs[0]))/2), "connections", "id name", //nolint:mnd // half way
			func(ctx context.Context, viewer id.Member) error {
				_, _, err := m.tables.Connections(ctx, viewer, network.ConnectionPage{Limit: pageSize})
				return err
			})
	}
}

// errNone is a way to choose a pair's that finds none.
var errNone = errors.New("there is no such pair")

type choosing = func() (viewer, other int, err error)

// samples makes the samples of a question about a pair.
func (m *measurement) pairs(choose choosing, ask func(viewer, other int) (sample, error)) (func(int) (sample, error), error) {
	if _, _, err := choose(); errors.Is(err, errNone) {
		return nil, nil //nolint:nilnil // there is no such thing in this network
	}
	return func(int) (sample, error) {
		viewer, other, err := choose()
		if err != nil {
			return sample{}, err
		}
		return ask(viewer, other)
	}, nil
}

func (*measurement) mutualOf(choose choosing, page, count bool) preparing {
	return func(m *measurement) (func(int) (sample, error), error) {
		fields := ""
		if page {
			fields = "nodes { id name } "
		}
		if count {
			fields += "totalCount"
		}
		query := `query($id: ID!) { node(id: $id) { ... on Member { mutualConnections(first: 20) { ` + fields + ` } } } }`
		return m.pairs(choose, func(viewer, other int) (sample, error) {
			to, err := m.global(other)
			if err != nil {
				return sample{}, err
			}
			var data struct {
				Node struct{ MutualConnections struct{ TotalCount int } }
			}
			s, err := m.overHTTP(viewer, query, map[string]any{"id": to}, &data, func() error {
				if want := m.mutual(viewer, other); count && data.Node.MutualConnections.TotalCount != want {
					return fmt.Errorf("%d and %d share %d, not %d", viewer, other, want, data.Node.MutualConnections.TotalCount)
				}
				return nil
			})
			s.store = func(ctx context.Context) error {
				var errs error
				if page {
					_, err := m.tables.Mutual(ctx, m.idOf(viewer), []id.Member{m.idOf(other)}, id.Member{}, pageSize+1)
					errs = errors.Join(errs, err)
				}
				if count {
					_, err := m.tables.CountMutual(ctx, m.idOf(viewer), []id.Member{m.idOf(other)})
					errs = errors.Join(errs, err)
				}
				return errs
			}
			return s, err
		})
	}
}

func (*measurement) degreeOf(choose choosing) preparing {
	return func(m *measurement) (func(int) (sample, error), error) {
		const query = `query($id: ID!) { node(id: $id) { ... on Member { relationship { degree } } } }`
		return m.pairs(choose, func(viewer, other int) (sample, error) {
			to, err := m.global(other)
			if err != nil {
				return sample{}, err
			}
			var data struct {
				Node struct{ Relationship struct{ Degree *int } }
			}
			want := m.degree(viewer, other)
			s, err := m.overHTTP(viewer, query, map[string]any{"id": to}, &data, func() error {
				got := 0
				if data.Node.Relationship.Degree != nil {
					got = *data.Node.Relationship.Degree
				}
				if got != want {
					return fmt.Errorf("%d and %d are at %d, not %d", viewer, other, want, got)
				}
				return nil
			})
			s.store = func(ctx context.Context) error {
				_, err := m.tables.Degrees(ctx, m.idOf(viewer), []id.Member{m.idOf(other)})
				return err
			}
			return s, err
		})
	}
}

// The ways to choose a pair.

// near gives a member and a connection of a connection.
func (m *measurement) near() (viewer, other int, err error) {
	for {
		viewer = m.random.IntN(m.island)
		peers := m.of(viewer)
		if len(peers) == 0 {
			continue
		}
		further := m.of(int(peers[m.random.IntN(len(peers))]))
		other = int(further[m.random.IntN(len(further))])
		if other != viewer {
			return viewer, other, nil
		}
	}
}

func (m *measurement) withLargest() (viewer, other int, err error) {
	for {
		viewer, other = m.random.IntN(m.island), m.hubs[m.random.IntN(len(m.hubs))]
		if viewer != other {
			return viewer, other, nil
		}
	}
}

func (m *measurement) largestTwo() (viewer, other int, err error) {
	first := m.random.IntN(len(m.hubs))
	return m.hubs[first], m.hubs[1-first], nil
}

func (m *measurement) randomPair() (viewer, other int, err error) {
	for {
		viewer, other = m.random.IntN(m.island), m.random.IntN(m.island)
		if viewer != other {
			return viewer, other, nil
		}
	}
}

func (m *measurement) topPair() (viewer, other int, err error) {
	for {
		viewer, other = m.ranked[m.random.IntN(topMost)], m.ranked[m.random.IntN(topMost)]
		if viewer != other {
			return viewer, other, nil
		}
	}
}

// triesMost is after how many pairs of another degree there is taken to be none.
const triesMost = 1000

func (m *measurement) atDegree(degree int) choosing {
	return func() (viewer, other int, err error) {
		for range triesMost {
			viewer, other, _ = m.randomPair()
			if m.degree(viewer, other) == degree {
				return viewer, other, nil
			}
		}
		return 0, 0, errNone
	}
}

// apart gives one on the mainland and one on the island.
func (m *measurement) apart() (viewer, other int, err error) {
	return m.random.IntN(m.island), m.island + m.random.IntN(m.members-m.island), nil
}

func (m *measurement) largestApart() (viewer, other int, err error) {
	_, other, _ = m.apart()
	return m.hubs[m.random.IntN(len(m.hubs))], other, nil
}
