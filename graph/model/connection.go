package model

import "context"

// Count counts a whole list; it is asked only for a totalCount that somebody wants.
type Count func(context.Context) (int, error)

// MemberConnection is a page of members.
type MemberConnection struct {
	Edges    []MemberEdge
	PageInfo *PageInfo
	Count    Count
}

// Nodes are the members of the page.
func (c *MemberConnection) Nodes() []*Member {
	return nodes(c.Edges, func(e MemberEdge) *Member { return e.Node })
}

// TotalCount counts the whole list.
func (c *MemberConnection) TotalCount(ctx context.Context) (int, error) { return c.Count(ctx) }

// NetworkConnection is a page of the viewer's connections.
type NetworkConnection struct {
	Edges    []NetworkEdge
	PageInfo *PageInfo
	Count    Count
}

// Nodes are the members of the page.
func (c *NetworkConnection) Nodes() []*Member {
	return nodes(c.Edges, func(e NetworkEdge) *Member { return e.Node })
}

// TotalCount counts the whole list.
func (c *NetworkConnection) TotalCount(ctx context.Context) (int, error) { return c.Count(ctx) }

// InvitationConnection is a page of invitations.
type InvitationConnection struct {
	Edges    []InvitationEdge
	PageInfo *PageInfo
	Count    Count
}

// Nodes are the invitations of the page.
func (c *InvitationConnection) Nodes() []*Invitation {
	return nodes(c.Edges, func(e InvitationEdge) *Invitation { return e.Node })
}

// TotalCount counts the whole list.
func (c *InvitationConnection) TotalCount(ctx context.Context) (int, error) { return c.Count(ctx) }

// NotificationConnection is a page of the viewer's inbox.
type NotificationConnection struct {
	Edges    []NotificationEdge
	PageInfo *PageInfo
	Count    Count
}

// Nodes are the notifications of the page.
func (c *NotificationConnection) Nodes() []Notification {
	return nodes(c.Edges, func(e NotificationEdge) Notification { return e.Node })
}

// TotalCount counts the whole list.
func (c *NotificationConnection) TotalCount(ctx context.Context) (int, error) { return c.Count(ctx) }

func nodes[E, N any](edges []E, node func(E) N) []N {
	out := make([]N, len(edges))
	for i, e := range edges {
		out[i] = node(e)
	}
	return out
}
