package graph

import (
	"context"

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
	plans         *plans
}

func (r *Resolver) start(schema *ast.Schema) {
	r.plans = newPlans(schema)
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
