package model

import (
	"context"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/message"
)

// Conversation is a conversation in the eyes of one of its two members. Its messages, and who the other is, are loaded by
// resolvers.
type Conversation struct {
	ID          string
	Key         id.Conversation
	WithKey     id.Member
	UnreadCount int64
	Count       int64 // of its messages
}

// IsNode marks a Node.
func (*Conversation) IsNode() {}

// NewConversation shows a member's side of a conversation.
func NewConversation(c message.Conversation) *Conversation {
	return &Conversation{
		ID: encode(prefixConversation, c.ID), Key: c.ID, WithKey: c.With, UnreadCount: c.Unread(), Count: c.LastNumber,
	}
}

// Message is a message as both sides see it.
type Message struct {
	ID              string
	ConversationKey id.Conversation
	SenderKey       id.Member
	Body            string
	SentAt          time.Time
}

// IsNode marks a Node.
func (*Message) IsNode() {}

// NewMessage shows a message.
func NewMessage(m message.Message) *Message {
	return &Message{
		ID: encode(prefixMessage, m.ID), ConversationKey: m.Conversation, SenderKey: m.Sender, Body: m.Body, SentAt: m.SentAt,
	}
}

// MessageNotification tells the viewer that somebody wrote to them.
type MessageNotification struct{ notificationBase }

// ConversationConnection is a page of the viewer's conversations.
type ConversationConnection struct {
	Edges    []ConversationEdge
	PageInfo *PageInfo
	Count    Count
}

// Nodes are the conversations of the page.
func (c *ConversationConnection) Nodes() []*Conversation {
	return nodes(c.Edges, func(e ConversationEdge) *Conversation { return e.Node })
}

// TotalCount counts the whole list.
func (c *ConversationConnection) TotalCount(ctx context.Context) (int, error) { return c.Count(ctx) }

// MessageConnection is a page of a conversation's messages.
type MessageConnection struct {
	Edges      []MessageEdge
	PageInfo   *PageInfo
	TotalCount int64
}

// Nodes are the messages of the page.
func (c *MessageConnection) Nodes() []*Message {
	return nodes(c.Edges, func(e MessageEdge) *Message { return e.Node })
}
