package graph

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/network"
)

// This file is the way from a member to what the viewer sees of it: it finds out the relation of the two, and asks
// member.See. No resolver decides by itself.

// membersFor gives those of the members whom the viewer may know of. Others are as if they did not exist.
func (r *Resolver) membersFor(ctx context.Context, viewer id.Member, ids []id.Member) (map[id.Member]*model.Member, error) {
	all, err := r.publicMembers.Get(ctx, ids...)
	if err != nil {
		return nil, err
	}
	return r.visible(ctx, viewer, ids, all)
}

// visible gives those of the members whom the viewer may know of, of all that there are.
func (r *Resolver) visible(ctx context.Context, viewer id.Member, ids []id.Member, all map[id.Member]*model.Member) (map[id.Member]*model.Member, error) {
	var blocks []id.Member // those with whom there may be some
	for _, key := range ids {
		if m := all[key]; m != nil && m.InBlock && key != viewer {
			blocks = append(blocks, key)
		}
	}
	hidden := map[id.Member]bool{}
	if len(blocks) > 0 {
		var err error
		if hidden, err = r.Network.Hidden(ctx, viewer, blocks); err != nil {
			return nil, err
		}
	}
	out := make(map[id.Member]*model.Member, len(ids))
	for _, key := range ids {
		if m := all[key]; m != nil && itsPublic(member.See(relate(viewer, m, hidden[key]), m.Privacy)) {
			out[key] = m
		}
	}
	return out, nil
}

// relate tells the relation as far as it is known without looking whether the two are connected: a connection is a
// stranger here.
func relate(viewer id.Member, m *model.Member, hidden bool) member.Relation {
	switch {
	case m.Key == viewer:
		return member.RelationSelf
	case m.Erased:
		return member.RelationHidden
	case m.Blocked:
		return member.RelationBlocked
	case hidden:
		return member.RelationHidden
	default:
		return member.RelationStranger
	}
}

// relationTo is relate for the viewer of a response, and looks for blocks.
func relationTo(ctx context.Context, m *model.Member) (member.Relation, error) {
	viewer := viewerKey(ctx)
	hidden := false
	if m.InBlock && !m.Blocked && m.Key != viewer {
		var err error
		if hidden, err = orZero(loadersOf(ctx).hidden().Load(ctx, m.Key)); err != nil {
			return member.RelationHidden, err
		}
	}
	return relate(viewer, m, hidden), nil
}

// maySee reports whether the viewer sees a part of a member. It looks whether the two are connected only where that
// decides.
func maySee(ctx context.Context, m *model.Member, part func(member.View) bool) (bool, error) {
	relation, err := relationTo(ctx, m)
	if err != nil || part(member.See(relation, m.Privacy)) {
		return err == nil, err
	}
	if relation != member.RelationStranger || !part(member.See(member.RelationConnection, m.Privacy)) {
		return false, nil
	}
	return orZero(loadersOf(ctx).connected().Load(ctx, m.Key))
}

// The parts of a member that there are to see.
func itsPublic(v member.View) bool       { return v.Public }
func itsRelationship(v member.View) bool { return v.Relationship }
func itsProfile(v member.View) bool      { return v.Profile }
func itsEmail(v member.View) bool        { return v.Email }
func itsConnections(v member.View) bool  { return v.Connections }
func itsMutual(v member.View) bool       { return v.Mutual }

// relationshipTo is how the viewer stands to a member. Of one who is hidden it tells nothing, of one whom the viewer has
// blocked only that.
func relationshipTo(ctx context.Context, m *model.Member) (*model.Relationship, error) {
	viewer := viewerKey(ctx)
	may, err := maySee(ctx, m, itsRelationship)
	switch {
	case err != nil:
		return nil, err
	case may:
		if m.Key != viewer && asksFor(ctx, "degree") {
			loadersOf(ctx).degree().begin(ctx, m.Key)
		}
		relationship, err := loadersOf(ctx).relationship().Load(ctx, m.Key)
		if err != nil {
			return nil, err
		}
		return model.NewRelationship(viewer, m.Key, relationship), nil
	default:
		apart := network.Relationship{Status: network.StatusNone}
		if m.Blocked {
			apart.Status = network.StatusBlocked
		}
		out := model.NewRelationship(viewer, m.Key, apart)
		out.Apart = true
		return out, nil
	}
}

// asksFor reports whether what is being resolved is asked for a field, or, by a path, for one of what it holds, whatever
// type that is of. What takes long can begin early then.
func asksFor(ctx context.Context, path ...string) bool {
	return holds(graphql.GetOperationContext(ctx), graphql.CollectFieldsCtx(ctx, nil), path)
}

func holds(operation *graphql.OperationContext, fields []graphql.CollectedField, path []string) bool {
	return slices.ContainsFunc(fields, func(field graphql.CollectedField) bool {
		return field.Name == path[0] &&
			(len(path) == 1 || holds(operation, graphql.CollectFields(operation, field.Selections, nil), path[1:]))
	})
}

// otherSide is whom an invitation of the viewer's is with.
func otherSide(viewer id.Member, i network.Invitation) id.Member {
	if i.Sender == viewer {
		return i.Recipient
	}
	return i.Sender
}

// amongVisible leaves out the invitations whose other side the viewer may not know of. It loads those sides, and more
// members that will be asked for, together.
func amongVisible(ctx context.Context, list []network.Invitation, more ...id.Member) ([]network.Invitation, error) {
	if len(list) == 0 {
		return list, nil
	}
	viewer := viewerKey(ctx)
	others := make([]id.Member, len(list), len(list)+len(more))
	for i, invitation := range list {
		others[i] = otherSide(viewer, invitation)
	}
	members, err := loadMembers(ctx, append(others, more...))
	if err != nil {
		return nil, err
	}
	visible := make([]network.Invitation, 0, len(list))
	for i, invitation := range list {
		if members[i] != nil {
			visible = append(visible, invitation)
		}
	}
	return visible, nil
}
