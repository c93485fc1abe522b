package apptest

import (
	"encoding/json"
	"fmt"
)

// Letter is a message as a client sees it.
type Letter struct {
	ID, Body, SentAt string
	Sender           struct{ ID, Name string }
	Conversation     struct {
		ID          string
		CanSend     bool
		UnreadCount int
		With        struct{ ID, Name string }
	}
}

// LetterFields is the selection of a Letter.
const LetterFields = `id body sentAt sender { id name } conversation { id canSend unreadCount with { id name } }`

// Sent is what sendMessage gives.
type Sent struct {
	Message    *Letter
	UserErrors []UserError
}

// Code is the code of the refusal, or "".
func (s Sent) Code() string { return Payload{UserErrors: s.UserErrors}.Code() }

// SendQuery sends a message.
const SendQuery = `mutation($i: SendMessageInput!) { result: sendMessage(input: $i) {
	message { ` + LetterFields + ` } userErrors { code message field retryAt } } }`

// Send writes to a member, under a key when one is given. It is safe for use by several goroutines.
func (c *Client) Send(memberID, body string, key ...string) Sent {
	input := Vars{"memberId": memberID, "body": body}
	if len(key) > 0 {
		input["clientKey"] = key[0]
	}
	r := c.Do(SendQuery, Vars{"i": input})
	var data struct{ Result Sent }
	if len(r.Errors) > 0 || json.Unmarshal(r.Data, &data) != nil {
		panic(fmt.Sprintf("sending failed: %s", r.Raw))
	}
	return data.Result
}

// RespondSaying answers an invitation with a message.
func (c *Client) RespondSaying(invitationID, response, words string) Payload {
	return c.mutate(`mutation($i: RespondToInvitationInput!) { result: respondToInvitation(input: $i) { `+payloadFields+memberFields+` } }`,
		Vars{"invitationId": invitationID, "response": response, "message": words})
}

// Said gives the bodies of a conversation, the oldest first; nil for one that the client may not know of.
func (c *Client) Said(conversationID string) []string {
	c.t.Helper()
	var data struct {
		Node *struct{ Messages struct{ Nodes []Letter } }
	}
	c.Get(&data, `query($id: ID!) { node(id: $id) { ... on Conversation { messages(last: 100) { nodes { body } } } } }`, Vars{"id": conversationID})
	if data.Node == nil {
		return nil
	}
	out := []string{}
	for _, m := range data.Node.Messages.Nodes {
		out = append([]string{m.Body}, out...)
	}
	return out
}

// CanSend asks a conversation whether the client may write in it.
func (c *Client) CanSend(conversationID string) bool {
	c.t.Helper()
	var data struct{ Node struct{ CanSend *bool } }
	c.Get(&data, `query($id: ID!) { node(id: $id) { ... on Conversation { canSend } } }`, Vars{"id": conversationID})
	if data.Node.CanSend == nil {
		c.t.Fatalf("%s does not see the conversation", c.Handle)
	}
	return *data.Node.CanSend
}
