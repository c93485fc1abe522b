package graph

import (
	"context"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/id"
)

// nodes gives the object of each id, or nil: for an id of nothing, of no type, and of what the viewer may not know of,
// alike. It asks once for each type.
func (r *Resolver) nodes(ctx context.Context, ids []string) ([]model.Node, error) {
	var (
		members       []id.Member
		invitations   []id.Invitation
		notifications []id.Notification
	)
	for _, s := range ids {
		if key, ok := model.MemberID(s); ok {
			members = append(members, key)
		} else if key, ok := model.InvitationID(s); ok {
			invitations = append(invitations, key)
		} else if key, ok := model.NotificationID(s); ok {
			notifications = append(notifications, key)
		}
	}
	found := make(map[string]model.Node, len(ids))
	if len(members) > 0 {
		list, err := loadMembers(ctx, members)
		if err != nil {
			return nil, err
		}
		for _, node := range list {
			if node != nil {
				found[node.ID] = node
			}
		}
	}
	if len(invitations) > 0 {
		list, err := loadInvitations(ctx, invitations)
		if err != nil {
			return nil, err
		}
		for _, node := range list {
			if node != nil {
				found[node.ID] = node
			}
		}
	}
	if len(notifications) > 0 {
		list, err := r.Notifications.ByID(ctx, viewerKey(ctx), notifications)
		if err != nil {
			return nil, err
		}
		for _, n := range list {
			if node := model.NewNotification(n); node != nil {
				found[model.IDOf(node)] = node
			}
		}
	}
	if err := r.conversingNodes(ctx, ids, found); err != nil {
		return nil, err
	}
	out := make([]model.Node, len(ids))
	for i, s := range ids {
		out[i] = found[s]
	}
	return out, nil
}
