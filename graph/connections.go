package graph

import (
	"context"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
)

// memberConnection makes the page of members that were read forward.
func memberConnection(members []*model.Member, more bool, after *string, count model.Count) *model.MemberConnection {
	out := &model.MemberConnection{Edges: make([]model.MemberEdge, 0, len(members)), Count: count}
	cursors := make([]string, 0, len(members))
	for _, m := range members {
		if m == nil {
			continue
		}
		cursors = append(cursors, memberCursor(m.Key))
		out.Edges = append(out.Edges, model.MemberEdge{Cursor: memberCursor(m.Key), Node: m})
	}
	out.PageInfo = pageInfo(cursors, more, after != nil)
	return out
}

// peerConnection makes the page of a member's connections that were read forward. Of others' only the members are shown.
func peerConnection(ctx context.Context, list []network.Connection, more bool, after *string, count model.Count) (*model.MemberConnection, error) {
	members, err := loadMembers(ctx, peersOf(list))
	if err != nil {
		return nil, err
	}
	out := &model.MemberConnection{Edges: make([]model.MemberEdge, 0, len(list)), Count: count}
	cursors := make([]string, 0, len(list))
	for i, c := range list {
		if members[i] == nil {
			continue
		}
		cursors = append(cursors, connectionCursor(c))
		out.Edges = append(out.Edges, model.MemberEdge{Cursor: connectionCursor(c), Node: members[i]})
	}
	out.PageInfo = pageInfo(cursors, more, after != nil)
	return out, nil
}

// peersOf gives the members at the other ends.
func peersOf(list []network.Connection) []id.Member {
	keys := make([]id.Member, len(list))
	for i, c := range list {
		keys[i] = c.Peer
	}
	return keys
}

// invitationConnection makes the page of invitations that were read forward. One whose other side has become hidden in
// this moment is left out.
func invitationConnection(ctx context.Context, list []network.Invitation, more bool, after *string, count model.Count) (*model.InvitationConnection, error) {
	viewer := viewerKey(ctx)
	list, err := amongVisible(ctx, list, viewer)
	if err != nil {
		return nil, err
	}
	out := &model.InvitationConnection{Edges: make([]model.InvitationEdge, len(list)), Count: count}
	cursors := make([]string, len(list))
	for i, invitation := range list {
		cursors[i] = invitationCursor(viewer, invitation)
		out.Edges[i] = model.InvitationEdge{Cursor: cursors[i], Node: model.NewInvitation(viewer, invitation)}
	}
	out.PageInfo = pageInfo(cursors, more, after != nil)
	return out, nil
}

// networkConnection makes the page of the viewer's connections that were read forward.
func networkConnection(ctx context.Context, list []network.Connection, more bool, after *string, count model.Count) (*model.NetworkConnection, error) {
	members, err := loadMembers(ctx, peersOf(list))
	if err != nil {
		return nil, err
	}
	out := &model.NetworkConnection{Edges: make([]model.NetworkEdge, 0, len(list)), Count: count}
	cursors := make([]string, 0, len(list))
	for i, c := range list {
		if members[i] == nil {
			continue
		}
		cursors = append(cursors, connectionCursor(c))
		out.Edges = append(out.Edges, model.NetworkEdge{Cursor: connectionCursor(c), Node: members[i], ConnectedAt: c.ConnectedAt})
	}
	out.PageInfo = pageInfo(cursors, more, after != nil)
	return out, nil
}

// blockedMember gives a member whom the viewer has blocked, and who is hidden everywhere else.
func (r *Resolver) blockedMember(ctx context.Context, key id.Member) (*model.Member, error) {
	found, err := r.publicMembers.Get(ctx, key)
	if err != nil || found[key] == nil {
		return nil, err
	}
	shown := found[key].AsBlocked()
	if may, err := maySee(ctx, shown, itsPublic); err != nil || !may {
		return nil, err
	}
	return shown, nil
}

// blockedConnection makes the page of those whom the viewer has blocked.
func (r *Resolver) blockedConnection(
	ctx context.Context, list []network.Blocked, more bool, after *string, count model.Count,
) (*model.MemberConnection, error) {
	keys := make([]id.Member, len(list))
	for i, b := range list {
		keys[i] = b.Member
	}
	members, err := r.publicMembers.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	out := &model.MemberConnection{Edges: make([]model.MemberEdge, 0, len(list)), Count: count}
	cursors := make([]string, 0, len(list))
	for _, b := range list {
		m := members[b.Member]
		if m == nil {
			continue
		}
		m = m.AsBlocked()
		may, err := maySee(ctx, m, itsPublic)
		if err != nil {
			return nil, err
		}
		if may {
			cursors = append(cursors, blockCursor(b))
			out.Edges = append(out.Edges, model.MemberEdge{Cursor: blockCursor(b), Node: m})
		}
	}
	out.PageInfo = pageInfo(cursors, more, after != nil)
	return out, nil
}

// notificationConnection makes a page of the inbox, whichever way it was read.
func notificationConnection(list notification.Listing, page notification.Page, count model.Count) (*model.NotificationConnection, error) {
	out := &model.NotificationConnection{Edges: make([]model.NotificationEdge, 0, len(list.Notifications)), Count: count}
	cursors := make([]string, 0, len(list.Notifications))
	for _, n := range list.Notifications {
		edge, err := notificationEdge(n)
		if err != nil {
			continue
		}
		cursors = append(cursors, edge.Cursor)
		out.Edges = append(out.Edges, *edge)
	}
	out.PageInfo = pageInfoBothWays(cursors, list.More, page.Backward, page.After > 0, page.Before > 0)
	return out, nil
}
