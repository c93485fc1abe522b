package apptest

import (
	"encoding/json"
	"fmt"
)

// Payload is what a mutation of invitations gives.
type Payload struct {
	Invitation *Invitation
	Member     *struct {
		ID           string
		Relationship Relationship
	}
	UserErrors []UserError
}

// Invitation is an invitation as a client sees it.
type Invitation struct {
	ID, State, SentAt string
	Note, AcceptedAt  *string
	LastRemindedAt    *string
	Acquaintance      string
	Sender, Recipient struct{ ID string }
}

// Relationship is how the viewer stands to a member.
type Relationship struct {
	Status      string
	Degree      *int
	ConnectedAt *string
	Invitation  *Invitation
}

// UserError is why a mutation was refused.
type UserError struct {
	Code, Message string
	Field         []string
	RetryAt       *string
}

// Code is the code of the refusal, or "".
func (p Payload) Code() string {
	if len(p.UserErrors) == 0 {
		return ""
	}
	return p.UserErrors[0].Code
}

const invitationFields = `id state sentAt acceptedAt lastRemindedAt note acquaintance sender { id } recipient { id }`

const payloadFields = `invitation { ` + invitationFields + ` } userErrors { code message field retryAt }`

const memberFields = ` member { id relationship { status degree connectedAt invitation { id state } } }`

// Invite invites a member with a note.
func (c *Client) Invite(memberID, note string) Payload {
	return c.mutate(`mutation($i: InviteMemberInput!) { result: inviteMember(input: $i) { `+payloadFields+memberFields+` } }`,
		Vars{"memberId": memberID, "note": note})
}

// InviteByEmail invites a member whose email address one knows.
func (c *Client) InviteByEmail(memberID, email string) Payload {
	return c.mutate(`mutation($i: InviteMemberInput!) { result: inviteMember(input: $i) { `+payloadFields+memberFields+` } }`,
		Vars{"memberId": memberID, "email": email})
}

// Remind reminds the recipient of an invitation.
func (c *Client) Remind(invitationID string) Payload {
	return c.mutate(`mutation($i: RemindInvitationInput!) { result: remindInvitation(input: $i) { `+payloadFields+` } }`,
		Vars{"invitationId": invitationID})
}

// Block blocks a member.
func (c *Client) Block(memberID string) Payload {
	return c.mutate(`mutation($i: BlockMemberInput!) { result: blockMember(input: $i) { userErrors { code message field retryAt }`+memberFields+` } }`,
		Vars{"memberId": memberID})
}

// Unblock lifts a block.
func (c *Client) Unblock(memberID string) Payload {
	return c.mutate(`mutation($i: UnblockMemberInput!) { result: unblockMember(input: $i) { userErrors { code message field retryAt }`+memberFields+` } }`,
		Vars{"memberId": memberID})
}

// Respond answers an invitation.
func (c *Client) Respond(invitationID, response string) Payload {
	return c.mutate(`mutation($i: RespondToInvitationInput!) { result: respondToInvitation(input: $i) { `+payloadFields+memberFields+` } }`,
		Vars{"invitationId": invitationID, "response": response})
}

// Withdraw takes back an invitation.
func (c *Client) Withdraw(invitationID string) Payload {
	return c.mutate(`mutation($i: WithdrawInvitationInput!) { result: withdrawInvitation(input: $i) { `+payloadFields+` } }`,
		Vars{"invitationId": invitationID})
}

// Remove ends a connection.
func (c *Client) Remove(memberID string) Payload {
	return c.mutate(`mutation($i: RemoveConnectionInput!) { result: removeConnection(input: $i) { userErrors { code message field retryAt }`+memberFields+` } }`,
		Vars{"memberId": memberID})
}

// mutate runs a mutation whose payload has the alias result. It is safe for use by several goroutines.
func (c *Client) mutate(query string, input Vars) Payload {
	r := c.Do(query, Vars{"i": input})
	var data struct{ Result Payload }
	if len(r.Errors) > 0 || json.Unmarshal(r.Data, &data) != nil {
		panic(fmt.Sprintf("%s\nfailed: %s", query, r.Raw))
	}
	return data.Result
}

// Connect makes two members connected.
func Connect(a, b *Client) {
	a.t.Helper()
	sent := a.Invite(b.ID, "")
	if sent.Code() != "" {
		a.t.Fatalf("invite: %s", sent.Code())
	}
	if got := b.Respond(sent.Invitation.ID, "ACCEPT"); got.Code() != "" {
		a.t.Fatalf("accept: %s", got.Code())
	}
}

// RelationshipTo is how the viewer stands to a member.
func (c *Client) RelationshipTo(memberID string) Relationship {
	c.t.Helper()
	var data struct {
		Node struct{ Relationship Relationship }
	}
	c.Get(&data, `query($id: ID!) { node(id: $id) { ... on Member { relationship { status degree connectedAt invitation { `+invitationFields+` } } } } }`,
		Vars{"id": memberID})
	return data.Node.Relationship
}
