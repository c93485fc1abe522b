package member_test

import (
	"testing"

	"github.com/acquaint/acquaint/internal/member"
)

// settings are all combinations of the privacy settings.
func settings() []member.Privacy {
	var all []member.Privacy
	for _, invite := range []member.InvitationAudience{
		member.InvitationsFromEveryone, member.InvitationsFromMutual, member.InvitationsByEmail, member.InvitationsFromNobody,
	} {
		for _, connections := range []member.ConnectionsAudience{member.ConnectionsForConnections, member.ConnectionsForOneself} {
			for _, profile := range []member.ProfileAudience{member.ProfileForEveryone, member.ProfileForConnections} {
				for _, email := range []bool{false, true} {
					all = append(all, member.Privacy{WhoCanInvite: invite, WhoSeesConnections: connections, WhoSeesProfile: profile, ShareEmail: email})
				}
			}
		}
	}
	return all
}

// Every field, to every relation, under every setting: the table of the product, cell by cell.
func TestSee(t *testing.T) {
	t.Parallel()
	type rule func(member.Privacy) bool
	yes := func(member.Privacy) bool { return true }
	no := func(member.Privacy) bool { return false }
	whereProfileForAll := func(p member.Privacy) bool { return p.WhoSeesProfile == "everyone" }
	whereEmailShared := func(p member.Privacy) bool { return p.ShareEmail }
	whereConnectionsShown := func(p member.Privacy) bool { return p.WhoSeesConnections == "connections" }
	relations := []member.Relation{"stranger", "connection", "self", "blocked_by_viewer", "hidden", "anything else", ""}
	for _, row := range []struct {
		field string
		of    func(member.View) bool
		rules []rule // in the order of the relations
	}{
		{"public", func(v member.View) bool { return v.Public }, []rule{yes, yes, yes, yes, no, no, no}},
		{"relationship", func(v member.View) bool { return v.Relationship }, []rule{yes, yes, yes, no, no, no, no}},
		{"profile", func(v member.View) bool { return v.Profile }, []rule{whereProfileForAll, yes, yes, no, no, no, no}},
		{"email", func(v member.View) bool { return v.Email }, []rule{no, whereEmailShared, yes, no, no, no, no}},
		{"connections", func(v member.View) bool { return v.Connections }, []rule{no, whereConnectionsShown, yes, no, no, no, no}},
		{"mutual", func(v member.View) bool { return v.Mutual }, []rule{yes, yes, no, no, no, no, no}},
	} {
		for i, relation := range relations {
			for _, privacy := range settings() {
				if got, want := row.of(member.See(relation, privacy)), row.rules[i](privacy); got != want {
					t.Errorf("%s to %q under %+v: %v, want %v", row.field, relation, privacy, got, want)
				}
			}
		}
	}
	// What is no setting at all shows nothing more than the strictest.
	if v := member.See(member.RelationStranger, member.Privacy{}); v.Profile || v.Connections || v.Email {
		t.Errorf("without settings a stranger sees %+v", v)
	}
	if v := member.See(member.RelationConnection, member.Privacy{}); v.Connections || v.Email {
		t.Errorf("without settings a connection sees %+v", v)
	}
}

// A connection sees all that a stranger does: the loaders count on it.
func TestConnectionsSeeMore(t *testing.T) {
	t.Parallel()
	for _, privacy := range settings() {
		stranger, connection := member.See(member.RelationStranger, privacy), member.See(member.RelationConnection, privacy)
		for field, of := range map[string]func(member.View) bool{
			"public": func(v member.View) bool { return v.Public }, "relationship": func(v member.View) bool { return v.Relationship },
			"profile": func(v member.View) bool { return v.Profile }, "email": func(v member.View) bool { return v.Email },
			"connections": func(v member.View) bool { return v.Connections }, "mutual": func(v member.View) bool { return v.Mutual },
		} {
			if of(stranger) && !of(connection) {
				t.Errorf("%s under %+v is a stranger's and not a connection's", field, privacy)
			}
		}
	}
}

func TestDefaultPrivacy(t *testing.T) {
	t.Parallel()
	want := member.Privacy{WhoCanInvite: "everyone", WhoSeesConnections: "connections", WhoSeesProfile: "everyone"}
	if got := member.DefaultPrivacy(); got != want {
		t.Errorf("the defaults are %+v", got)
	}
}
