package graph

import (
	"context"

	"github.com/acquaint/acquaint/graph/model"
)

// nodes gives the object of each id, or nil: for an id of nothing, of no type, and of what the viewer may not know of,
// alike. It asks once for each type.
func (r *Resolver) nodes(ctx context.Context, ids []string) ([]model.Node, error) {
	found := make(map[string]model.Node, len(ids))
	if keys := keysOf(ids, model.MemberID); len(keys) > 0 {
		list, err := loadMembers(ctx, keys)
		if err != nil {
			return nil, err
		}
		for _, node := range list {
			if node != nil {
				found[node.ID] = node
			}
		}
	}
	if keys := keysOf(ids, model.InvitationID); len(keys) > 0 {
		list, err := loadInvitations(ctx, keys)
		if err != nil {
			return nil, err
		}
		for _, node := range list {
			if node != nil {
				found[node.ID] = node
			}
		}
	}
	if err := r.notificationNodes(ctx, ids, found); err != nil {
		return nil, err
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

func (r *Resolver) notificationNodes(ctx context.Context, ids []string, found map[string]model.Node) error {
	keys := keysOf(ids, model.NotificationID)
	if len(keys) == 0 {
		return nil
	}
	list, err := r.Notifications.ByID(ctx, viewerKey(ctx), keys)
	for _, n := range list {
		if node := model.NewNotification(n); node != nil {
			found[model.IDOf(node)] = node
		}
	}
	return err
}

// keysOf gives the keys of those ids that are of one type.
func keysOf[K any](ids []string, parse func(string) (K, bool)) []K {
	var keys []K
	for _, s := range ids {
		if key, ok := parse(s); ok {
			keys = append(keys, key)
		}
	}
	return keys
}
