package member

// Privacy is what a member lets others do and see. What others see is decided by See alone.
type Privacy struct {
	WhoCanInvite       InvitationAudience
	WhoSeesConnections ConnectionsAudience
	WhoSeesProfile     ProfileAudience
	ShareEmail         bool // with connections
}

// InvitationAudience is who may invite a member.
type InvitationAudience string

// Who may invite a member.
const (
	InvitationsFromEveryone InvitationAudience = "everyone"
	InvitationsFromMutual   InvitationAudience = "mutual_connections" // those who share a connection
	InvitationsByEmail      InvitationAudience = "knows_email"        // those who name the member's email address
	InvitationsFromNobody   InvitationAudience = "nobody"
)

// ConnectionsAudience is who sees with whom a member is connected.
type ConnectionsAudience string

// Who sees with whom a member is connected.
const (
	ConnectionsForConnections ConnectionsAudience = "connections"
	ConnectionsForOneself     ConnectionsAudience = "only_me"
)

// ProfileAudience is who sees a member's profile.
type ProfileAudience string

// Who sees a member's profile.
const (
	ProfileForEveryone    ProfileAudience = "everyone"
	ProfileForConnections ProfileAudience = "connections"
)

// DefaultPrivacy is that of a member who chose nothing.
func DefaultPrivacy() Privacy {
	return Privacy{
		WhoCanInvite:       InvitationsFromEveryone,
		WhoSeesConnections: ConnectionsForConnections,
		WhoSeesProfile:     ProfileForEveryone,
	}
}

// PrivacyChange is a partial change of the privacy settings; what is nil stays.
type PrivacyChange struct {
	WhoCanInvite       *InvitationAudience
	WhoSeesConnections *ConnectionsAudience
	WhoSeesProfile     *ProfileAudience
	ShareEmail         *bool
}
