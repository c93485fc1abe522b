package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/batch"
	"github.com/acquaint/acquaint/internal/export"
	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/message"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/realtime"
	"github.com/acquaint/acquaint/internal/report"
)

// Resolver is what the resolvers call.
type Resolver struct {
	Members       *member.Service
	Network       *network.Service
	Messages      *message.Service
	Notifications *notification.Service
	Host          *host.Service
	Reports       *report.Service
	Exports       *export.Service
	Inboxes       *realtime.Hub[notification.Notification]
	Feeds         *realtime.Hub[feed.Entry]

	// publicMembers reads members for all responses: a row is the same for every viewer, so one statement can serve the
	// events of many sockets. It gives the erased and the hidden, too; who is to see whom is for membersFor.
	publicMembers *batch.Batcher[id.Member, *model.Member]
	eventPlans    *plans[eventPlan]
	inboxPlans    *plans[inboxPlan]
}

func (r *Resolver) start(schema *ast.Schema) {
	r.eventPlans, r.inboxPlans = newPlans[eventPlan](schema), newPlans[inboxPlan](schema)
	r.publicMembers = batch.New(func(ctx context.Context, ids []id.Member) (map[id.Member]*model.Member, error) {
		list, err := r.Members.ByIDs(ctx, ids)
		out := make(map[id.Member]*model.Member, len(list))
		for _, m := range list {
			out[m.ID] = model.NewMember(m)
		}
		return out, err
	})
}

// viewerKey is the signed-in member. Operations without one have been refused before any resolver runs.
func viewerKey(ctx context.Context) id.Member { return auth.ViewerOf(ctx).Member }

// showInvitation shows an invitation to the viewer as the result of a mutation. Between the commit and now the other side
// may have blocked the viewer, or been deleted; then there is nothing to show, if the sides are asked for. What cannot be
// found out now is shown: then the side fails.
func showInvitation(ctx context.Context, i network.Invitation) *model.Invitation {
	viewer := viewerKey(ctx)
	if asksForSides(ctx) {
		if other, err := loadMember(ctx, otherSide(viewer, i)); err == nil && other == nil {
			return nil
		}
	}
	return model.NewInvitation(viewer, i)
}

// asksForSides reports whether a mutation asks for the sender or the recipient of the invitation in its payload.
func asksForSides(ctx context.Context) bool {
	operation := graphql.GetOperationContext(ctx)
	for _, field := range graphql.CollectFieldsCtx(ctx, nil) {
		if field.Name != "invitation" {
			continue
		}
		for _, side := range graphql.CollectFields(operation, field.Selections, []string{"Invitation", "Node"}) {
			if side.Name == "sender" || side.Name == "recipient" {
				return true
			}
		}
	}
	return false
}
