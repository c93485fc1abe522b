package member

import "github.com/acquaint/acquaint/internal/id"

// Relation is how a viewer stands to a member, as far as it decides what the viewer sees.
type Relation string

// The relations. A stranger is whoever is none of the others, and what a member is as long as nobody has looked.
const (
	RelationSelf       Relation = "self"
	RelationConnection Relation = "connection"
	RelationStranger   Relation = "stranger"
	// RelationHidden keeps the two apart: one has blocked the other, or the member was erased.
	RelationHidden Relation = "hidden"
	// RelationBlocked is a member as the one who blocked it sees it, in the list of the blocked and nowhere else.
	RelationBlocked Relation = "blocked_by_viewer"
)

// View is what a viewer sees of a member.
type View struct {
	Public       bool // that there is such a member: handle, name, headline, location, industry, company, photo
	Relationship bool // how the two stand to each other: degree, invitation, since when they are connected
	Profile      bool // about, positions, education, skills, languages, interests
	Email        bool // the profile's email
	Connections  bool // with whom the member is connected
	Mutual       bool // which of the viewer's connections are the member's, and how many
}

// Public is what View.Public shows of a member, and what decides to whom.
type Public struct {
	ID                                                            id.Member
	Handle, Name, Headline, Location, Industry, Company, PhotoURL string
	InBlock, Erased                                               bool // as of Member
}

// See decides what a viewer sees of a member. It is the one place: whatever shows a part of a member asks it. A connection
// sees all that a stranger does, so where a stranger may, nobody needs to look whether the two are connected.
func See(relation Relation, privacy Privacy) View {
	switch relation {
	case RelationSelf:
		// Mutual connections with oneself would be all of one's own.
		return View{Public: true, Relationship: true, Profile: true, Email: true, Connections: true}
	case RelationConnection:
		return View{
			Public: true, Relationship: true, Mutual: true, Profile: true,
			Email:       privacy.ShareEmail,
			Connections: privacy.WhoSeesConnections == ConnectionsForConnections,
		}
	case RelationStranger:
		return View{
			Public: true, Relationship: true, Mutual: true,
			Profile: privacy.WhoSeesProfile == ProfileForEveryone,
		}
	case RelationBlocked:
		return View{Public: true}
	case RelationHidden:
	}
	return View{}
}
