package app_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// withEmail signs a member in whose token names an email address.
func withEmail(t *testing.T, s *apptest.Server, subject string) *apptest.Client {
	t.Helper()
	claims := member.Claims{Subject: subject, PreferredUsername: subject, Name: "Name of " + subject, Email: subject + "@example.org"}
	var ignored struct{}
	s.WithToken(t, apptest.Token(t, claims, time.Hour)).Get(&ignored, `{ viewer { id } }`, nil)
	return s.As(t, subject)
}

// allOfAMember is every field of a member, and sightings every way to meet one.
const (
	allOfAMember = `fragment all on Member { id handle name headline location industry company photoUrl
		relationship { id status degree connectedAt invitation { id } }
		profile { id about email positions { id company title startedOn endedOn } education { id school field startedOn endedOn } skills languages interests }
		connections(first: 50) { totalCount edges { cursor node { id } } nodes { id } pageInfo { hasNextPage } }
		mutualConnections(first: 50) { totalCount nodes { id } } }`
	sightings = allOfAMember + ` query($target: ID!, $handle: String!, $friend: ID!, $invitation: ID!) {
		byHandle: member(handle: $handle) { ...all }
		byID: node(id: $target) { ...all }
		again: node(id: $target) { ... on Member { alias: profile { id about email } ...all } }
		byIDs: nodes(ids: [$target, $friend, $target]) { ...all }
		friend: node(id: $friend) { ... on Member { ofFriend: connections(first: 50) { totalCount pageInfo { hasNextPage } nodes { ...all }
			edges { node { id name ofPeers: connections(first: 50) { totalCount nodes { id name } } } } } mutual: mutualConnections(first: 50) { nodes { ...all } } } }
		invitation: node(id: $invitation) { ... on Invitation { sender { ...all } recipient { ...all } } }
		viewer { member { ...all } connections(first: 50) { nodes { ...all } edges { connectedAt node { ...all } } }
			receivedInvitations { nodes { sender { ...all } } } archive: receivedInvitations(state: IGNORED) { nodes { sender { ...all } } }
			sentInvitations { nodes { recipient { ...all } } }
			notifications { nodes { actor { ...all } ... on InvitationReceivedNotification { invitation { sender { ...all } } }
				... on InvitationAcceptedNotification { invitation { recipient { ...all } } } } } } }`
)

// onlooker is somebody who looks at the target.
type onlooker struct {
	*apptest.Client

	relation   string // stranger, connection, self or hidden
	status     string // of the relationship
	invitation string // between the two
	paths      []string
	blocker    bool // who is hidden by a block of theirs
}

// party is a target, and onlookers of every relation, with everything that the two may share, which for the hidden was
// left behind on purpose.
type party struct {
	t         *testing.T
	database  string
	target    *apptest.Client
	friend    *apptest.Client // of everybody but the one who stands alone
	onlookers []onlooker
	peers     []*apptest.Client // the target's connections, the newest first
	hidden    map[[2]string]bool
	erased    map[string]bool
}

func (p *party) keepApart(blocker, blocked *apptest.Client) {
	apptest.Hide(p.t, p.database, blocker, blocked)
	p.hidden[[2]string{blocker.ID, blocked.ID}] = true
	p.hidden[[2]string{blocked.ID, blocker.ID}] = true
}

func (p *party) add(o onlooker) {
	if o.relation != "self" && o.Handle != "alone" {
		apptest.Connect(p.friend, o.Client)
		o.paths = append(o.paths, "friend.ofFriend.nodes")
	}
	o.paths = append(o.paths, "byHandle", "byID", "again", "byIDs")
	p.onlookers = append(p.onlookers, o)
}

// connectTarget connects the target with another: the target invites, or accepts.
func (p *party) connectTarget(other *apptest.Client, targetInvites bool) string {
	from, to := other, p.target
	if targetInvites {
		from, to = to, from
	}
	invitation := from.Invite(to.ID, "")
	expect(p.t, "inviting", invitation, "")
	expect(p.t, "accepting", to.Respond(invitation.Invitation.ID, "ACCEPT"), "")
	p.peers = append([]*apptest.Client{other}, p.peers...)
	return invitation.Invitation.ID
}

func newParty(t *testing.T, database string, s *apptest.Server) *party {
	p := &party{
		t: t, database: database, target: withEmail(t, s, "target"), friend: withEmail(t, s, "friend"),
		hidden: map[[2]string]bool{}, erased: map[string]bool{},
	}
	var ignored struct{}
	p.target.Get(&ignored, `mutation { updateMember(input: {headline: "H", location: "L", industry: "I", company: "C", photoUrl: "https://example.org/p.png", profile: {
		about: "About me", positions: [{company: "PC", title: "PT", startedOn: "2019-03"}], education: [{school: "S"}],
		skills: ["skill"], languages: ["language"], interests: ["interest"]}}) { userErrors { code } } }`, nil)
	p.connectTarget(p.friend, true)
	accepted := []string{"invitation.recipient", "viewer.connections.nodes", "viewer.connections.edges.node", "friend.mutual.nodes",
		"viewer.notifications.nodes.actor", "viewer.notifications.nodes.invitation.recipient"}
	invited := []string{"invitation.sender", "viewer.connections.nodes", "viewer.connections.edges.node", "friend.mutual.nodes",
		"viewer.notifications.nodes.actor", "viewer.notifications.nodes.invitation.sender"}
	pending := []string{"invitation.sender", "viewer.receivedInvitations.nodes.sender", "viewer.notifications.nodes.actor", "viewer.notifications.nodes.invitation.sender"}

	p.add(onlooker{p.target, "self", "SELF", p.friend.ID, []string{"viewer.member"}, false})
	p.add(onlooker{s.As(t, "alone"), "stranger", "NONE", p.friend.ID, nil, false})
	p.add(onlooker{s.As(t, "stranger"), "stranger", "NONE", p.friend.ID, nil, false})
	// Everything that there can be between two, and the same with a block by either.
	for _, apart := range []string{"", "blocker", "blocked"} {
		named := func(name string) *apptest.Client {
			c := withEmail(t, s, name+apart)
			return c
		}
		connection, accepter, recipient, archivist, sender, bystander := named("connection"), named("accepter"), named("recipient"), named("archivist"), named("sender"), named("bystander")
		list := []onlooker{
			{connection, "connection", "CONNECTED", p.connectTarget(connection, false), accepted, false},
			{accepter, "connection", "CONNECTED", p.connectTarget(accepter, true), invited, false},
			{recipient, "stranger", "INVITATION_RECEIVED", p.target.Invite(recipient.ID, "").Invitation.ID, pending, false},
			{archivist, "stranger", "INVITATION_RECEIVED", p.target.Invite(archivist.ID, "").Invitation.ID, []string{
				"invitation.sender", "viewer.archive.nodes.sender", "viewer.notifications.nodes.actor", "viewer.notifications.nodes.invitation.sender",
			}, false},
			{sender, "stranger", "INVITATION_SENT", sender.Invite(p.target.ID, "").Invitation.ID, []string{"invitation.recipient", "viewer.sentInvitations.nodes.recipient"}, false},
			{bystander, "stranger", "NONE", p.friend.ID, nil, false},
		}
		archivist.Respond(list[3].invitation, "IGNORE")
		for _, o := range list {
			p.add(o)
			last := &p.onlookers[len(p.onlookers)-1]
			switch apart {
			case "blocker":
				p.keepApart(o.Client, p.target)
				last.relation, last.blocker = "hidden", true
			case "blocked":
				p.keepApart(p.target, o.Client)
				last.relation = "hidden"
			}
		}
	}
	// Of the target's connections, one is hidden from an onlooker, and one is erased.
	enemy, gone := s.As(t, "enemy"), s.As(t, "gone")
	p.connectTarget(enemy, true)
	p.connectTarget(gone, false)
	p.keepApart(enemy, p.onlookers[3].Client)
	apptest.Erase(t, database, gone)
	p.erased[gone.ID] = true
	return p
}

// setting is one combination of the privacy settings.
type setting struct {
	invite, connections, profile string
	email                        bool
}

// allSettings are all combinations of those that decide what is seen; the one that does not goes along, each of its values
// with some. (member.TestSee has all with all.)
func allSettings() []setting {
	var all []setting
	for _, connections := range []string{"CONNECTIONS", "ONLY_ME"} {
		for _, profile := range []string{"EVERYONE", "CONNECTIONS"} {
			for _, email := range []bool{false, true} {
				invite := []string{"EVERYONE", "MUTUAL_CONNECTIONS", "KNOWS_EMAIL", "NOBODY"}[len(all)%4]
				all = append(all, setting{invite, connections, profile, email})
			}
		}
	}
	return all
}

// meetings finds every object with an id in a response, by path.
func meetings(at string, value any, id string, found map[string][]map[string]any) {
	switch v := value.(type) {
	case []any:
		for _, e := range v {
			meetings(at, e, id, found)
		}
	case map[string]any:
		if v["id"] == id && v["handle"] != nil {
			found[at] = append(found[at], v)
		}
		for key, child := range v {
			meetings(strings.TrimPrefix(at+"."+key, "."), child, id, found)
		}
	}
}

// look is what one onlooker must see, and must not, under one setting.
func (p *party) look(o onlooker, with setting) {
	p.t.Helper()
	what := fmt.Sprintf("%s (%s) under %v", o.Handle, o.relation, with)
	r := o.Do(sightings, apptest.Vars{"target": p.target.ID, "handle": "target", "friend": p.friend.ID, "invitation": o.invitation})
	if len(r.Errors) > 0 {
		p.t.Fatalf("%s: %s", what, r.Raw)
	}
	var data any
	if err := json.Unmarshal(r.Data, &data); err != nil {
		p.t.Fatal(err)
	}
	if o.relation == "hidden" {
		_, suffix, _ := strings.Cut(p.target.ID, "_")
		for _, trace := range []string{suffix, `"target"`, "Name of target", "About me", "target@example.org"} {
			if strings.Contains(string(r.Raw), trace) {
				p.t.Errorf("%s: %s in %s", what, trace, r.Raw)
			}
		}
		p.lookAmongBlocked(what, o)
		return
	}
	found := map[string][]map[string]any{}
	meetings("", data, p.target.ID, found)
	for _, path := range o.paths {
		if len(found[path]) == 0 {
			p.t.Errorf("%s: nobody at %s, only at %v", what, path, slices.Sorted(maps.Keys(found)))
		}
	}
	for path, all := range found {
		for _, seen := range all {
			p.check(what+" at "+path, o, with, seen)
		}
	}
}

// lookAmongBlocked: there, and there alone, whoever blocked the target sees it: what is public, and nothing else. Nobody
// sees one who was erased.
func (p *party) lookAmongBlocked(what string, o onlooker) {
	p.t.Helper()
	var data struct {
		Viewer struct {
			BlockedMembers struct{ Nodes []map[string]any }
		}
	}
	o.Get(&data, allOfAMember+`{ viewer { blockedMembers { nodes { ...all } } } }`, nil)
	nodes := data.Viewer.BlockedMembers.Nodes
	if want := o.blocker && !p.erased[p.target.ID]; len(nodes) == 0 == want {
		p.t.Errorf("%s: blocked are %v", what, nodes)
	}
	for _, seen := range nodes {
		p.checkBlocked(what, seen)
	}
}

func (p *party) checkBlocked(what string, seen map[string]any) {
	p.t.Helper()
	p.checkPublic(what, seen)
	relationship, mutual := seen["relationship"].(map[string]any), seen["mutualConnections"].(map[string]any)
	if relationship["status"] != "BLOCKED" || relationship["degree"] != nil || relationship["connectedAt"] != nil || relationship["invitation"] != nil {
		p.t.Errorf("%s: the relationship with a blocked one is %v", what, relationship)
	}
	if seen["profile"] != nil || seen["connections"] != nil || mutual["totalCount"] != 0.0 || len(mutual["nodes"].([]any)) != 0 {
		p.t.Errorf("%s: of a blocked one is seen %v", what, seen)
	}
}

func (p *party) checkPublic(what string, seen map[string]any) {
	p.t.Helper()
	for field, want := range map[string]any{
		"handle": "target", "name": "Name of target", "headline": "H", "location": "L", "industry": "I", "company": "C", "photoUrl": "https://example.org/p.png",
	} {
		if seen[field] != want {
			p.t.Errorf("%s: %s is %v", what, field, seen[field])
		}
	}
}

// check compares one sighting with the table of the product.
func (p *party) check(what string, o onlooker, with setting, seen map[string]any) {
	p.t.Helper()
	self, connected := o.relation == "self", o.relation == "connection"
	p.checkPublic(what, seen)
	if status := seen["relationship"].(map[string]any)["status"]; status != o.status {
		p.t.Errorf("%s: the relationship is %v, want %s", what, status, o.status)
	}

	profile, _ := seen["profile"].(map[string]any)
	if want := self || connected || with.profile == "EVERYONE"; (profile != nil) != want {
		p.t.Errorf("%s: the profile is %v", what, profile)
	}
	if profile != nil {
		if got := fmt.Sprint(profile["about"], len(profile["positions"].([]any)), len(profile["education"].([]any)), profile["skills"], profile["languages"], profile["interests"]); got != "About me1 1 [skill] [language] [interest]" {
			p.t.Errorf("%s: the profile says %s", what, got)
		}
		want := any(nil)
		if self || connected && with.email {
			want = "target@example.org"
		}
		if profile["email"] != want {
			p.t.Errorf("%s: the email is %v, want %v", what, profile["email"], want)
		}
	}

	connections, _ := seen["connections"].(map[string]any)
	if want := self || connected && with.connections == "CONNECTIONS"; (connections != nil) != want {
		p.t.Errorf("%s: the connections are %v", what, connections)
	}
	if connections != nil {
		var want []string
		for _, peer := range p.peers {
			if !p.hidden[[2]string{o.ID, peer.ID}] && !p.erased[peer.ID] {
				want = append(want, peer.ID)
			}
		}
		if got := idsOf(connections["nodes"]); !slices.Equal(got, want) || connections["totalCount"] != float64(len(want)) {
			p.t.Errorf("%s: the connections are %v and %v in all, want %v", what, got, connections["totalCount"], want)
		}
	}

	var mutual []string
	if !self && o.Handle != "alone" {
		mutual = []string{p.friend.ID}
	}
	if m := seen["mutualConnections"].(map[string]any); !slices.Equal(idsOf(m["nodes"]), mutual) || m["totalCount"] != float64(len(mutual)) {
		p.t.Errorf("%s: the mutual connections are %v, want %v", what, m, mutual)
	}
}

func idsOf(nodes any) []string {
	var ids []string
	for _, n := range nodes.([]any) {
		ids = append(ids, n.(map[string]any)["id"].(string))
	}
	return ids
}

// What a member sees of another: every field, to every relation, under every setting, on every path; with a suspended
// target the same, and nothing of an erased one.
func TestSight(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s := apptest.Start(t, database, func(c *app.Config) { c.DocumentLimits.Complexity = 1 << 20 })
		p := newParty(t, database, s)
		every := func(with setting) {
			for _, o := range p.onlookers {
				p.look(o, with)
			}
		}
		for _, with := range allSettings() {
			expect(t, "setting", p.target.SetPrivacy(apptest.Vars{
				"whoCanInvite": with.invite, "whoSeesConnections": with.connections, "whoSeesProfile": with.profile, "shareEmailWithConnections": with.email,
			}), "")
			every(with)
			if t.Failed() {
				return
			}
		}
		open := setting{"EVERYONE", "CONNECTIONS", "EVERYONE", true}
		expect(t, "opening everything", p.target.SetPrivacy(apptest.Vars{
			"whoCanInvite": "EVERYONE", "whoSeesConnections": "CONNECTIONS", "whoSeesProfile": "EVERYONE", "shareEmailWithConnections": true,
		}), "")
		apptest.ChangeTables(t, database, `UPDATE members SET suspended_at = '2026-01-01 00:00:00+00:00' WHERE id = `+p.target.Key())
		every(open)
		// A block through the API, by one who shares a friend with the target, and of whom nothing else is left.
		blocker := p.onlookers[2]
		var data struct {
			BlockMember struct{ Member map[string]any }
		}
		blocker.Get(&data, allOfAMember+` mutation($id: ID!) { blockMember(input: {memberId: $id}) { member { ...all } } }`, apptest.Vars{"id": p.target.ID})
		p.checkBlocked("the payload of blockMember", data.BlockMember.Member)
		p.onlookers[2].relation, p.onlookers[2].blocker = "hidden", true
		p.look(p.onlookers[2], open)

		apptest.Erase(t, database, p.target)
		p.erased[p.target.ID] = true
		for _, o := range p.onlookers {
			if o.relation != "self" { // who is erased has no way to look
				o.relation = "hidden"
				p.look(o, open)
			}
		}
	})
}
