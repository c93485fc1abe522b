package graph

import (
	"context"
	"testing"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
)

// The relation, from what is known of the two.
func TestRelate(t *testing.T) {
	t.Parallel()
	viewer, other := id.Member{1}, id.Member{2}
	for _, c := range []struct {
		what   string
		m      model.Member
		hidden bool
		want   member.Relation
	}{
		{"another", model.Member{Key: other}, false, member.RelationStranger},
		{"another, in somebody's block", model.Member{Key: other, InBlock: true}, false, member.RelationStranger},
		{"hidden", model.Member{Key: other, InBlock: true}, true, member.RelationHidden},
		{"erased", model.Member{Key: other, Erased: true}, false, member.RelationHidden},
		{"erased and blocked", model.Member{Key: other, Erased: true, Blocked: true}, false, member.RelationHidden},
		{"blocked by the viewer", model.Member{Key: other, InBlock: true, Blocked: true}, true, member.RelationBlocked},
		{"oneself", model.Member{Key: viewer}, false, member.RelationSelf},
		{"oneself, in a block", model.Member{Key: viewer, InBlock: true}, false, member.RelationSelf},
	} {
		if got := relate(viewer, &c.m, c.hidden); got != c.want {
			t.Errorf("%s is %s, want %s", c.what, got, c.want)
		}
	}
}

// Whoever blocked a member sees what is public, and that it is blocked; nothing is asked of the tables for it.
func TestBlockedMember(t *testing.T) {
	t.Parallel()
	ctx := auth.WithViewer(context.Background(), &auth.Viewer{Member: id.Member{1}})
	r := &memberResolver{&Resolver{}}
	m := model.NewMember(member.Member{ID: id.Member{2}, Handle: "ben", Email: "ben@example.org", InBlock: true, Privacy: member.Privacy{
		WhoSeesProfile: member.ProfileForEveryone, WhoSeesConnections: member.ConnectionsForConnections, ShareEmail: true,
	}}).AsBlocked()
	if may, err := maySee(ctx, m, itsPublic); err != nil || !may {
		t.Errorf("not public: %v", err)
	}
	if profile, err := r.Profile(ctx, m); err != nil || profile != nil {
		t.Errorf("the profile is %v (%v)", profile, err)
	}
	if email, err := (&profileResolver{}).Email(ctx, &model.Profile{Owner: m}); err != nil || email != nil {
		t.Errorf("the email is %v (%v)", email, err)
	}
	if connections, err := r.Connections(ctx, m, nil, nil); err != nil || connections != nil {
		t.Errorf("the connections are %v (%v)", connections, err)
	}
	mutual, err := r.MutualConnections(ctx, m, nil, nil)
	if err != nil || len(mutual.Edges) != 0 {
		t.Fatalf("the mutual connections are %v (%v)", mutual, err)
	}
	if n, err := mutual.TotalCount(ctx); err != nil || n != 0 {
		t.Errorf("%d mutual connections (%v)", n, err)
	}
	relationship, err := r.Relationship(ctx, m)
	if err != nil || relationship.Status != model.RelationshipStatusBlocked || relationship.Invitation != nil || relationship.ConnectedAt != nil {
		t.Fatalf("the relationship is %+v (%v)", relationship, err)
	}
	if degree, err := (&relationshipResolver{}).Degree(ctx, relationship); err != nil || degree != nil {
		t.Errorf("the degree is %v (%v)", degree, err)
	}
}
