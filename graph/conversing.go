package graph

import (
	"context"
	"encoding/binary"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/message"
)

// conversing is the loaders of what conversations and messages ask for.
type conversing struct {
	correspondents lazily[id.Member, *model.Member]
	conversations  lazily[id.Conversation, message.Conversation]
	messages       lazily[id.Message, *model.Message]
	excerpts       lazily[message.Part, message.Excerpt]
	maySend        lazily[id.Member, bool]
}

// loadCorrespondent gives the other of a conversation, or the writer of a message, also one who was deleted: what they
// wrote stays with whom they wrote to, under the name that is left of them.
func loadCorrespondent(ctx context.Context, m id.Member) (*model.Member, error) {
	l := loadersOf(ctx)
	return l.correspondents.get(l, func(ctx context.Context, ids []id.Member) (map[id.Member]*model.Member, error) {
		return l.resolver.publicMembers.Get(ctx, ids...)
	}).Load(ctx, m)
}

func (l *loaders) conversation() *lazily[id.Conversation, message.Conversation] {
	return l.conversations.get(l, func(ctx context.Context, ids []id.Conversation) (map[id.Conversation]message.Conversation, error) {
		list, err := l.resolver.Messages.Conversations(ctx, l.viewer, ids)
		out := make(map[id.Conversation]message.Conversation, len(list))
		for _, c := range list {
			out[c.ID] = c
		}
		return out, err
	})
}

// loadConversation gives a conversation of the viewer's, or nil for one that the viewer may not know of.
func loadConversation(ctx context.Context, c id.Conversation) (*model.Conversation, error) {
	if c == (id.Conversation{}) {
		return nil, nil
	}
	found, err := orZero(loadersOf(ctx).conversation().Load(ctx, c))
	if err != nil || found.ID != c || found.Blocked {
		return nil, err
	}
	return model.NewConversation(found), nil
}

// loadConversationOf gives the conversation of a message that the viewer is shown, even if a block has hidden it since.
func loadConversationOf(ctx context.Context, m *model.Message) (*model.Conversation, error) {
	found, err := loadersOf(ctx).conversation().Load(ctx, m.ConversationKey)
	if err != nil {
		return nil, err
	}
	return model.NewConversation(found), nil
}

// loadMessage gives a message that the viewer may know of, or nil.
func loadMessage(ctx context.Context, m id.Message) (*model.Message, error) {
	if m == (id.Message{}) {
		return nil, nil
	}
	return orNil(loadersOf(ctx).message().Load(ctx, m))
}

func (l *loaders) message() *lazily[id.Message, *model.Message] {
	return l.messages.get(l, func(ctx context.Context, ids []id.Message) (map[id.Message]*model.Message, error) {
		list, err := l.resolver.Messages.ByID(ctx, l.viewer, ids)
		out := make(map[id.Message]*model.Message, len(list))
		for _, m := range list {
			out[m.ID] = model.NewMessage(m)
		}
		return out, err
	})
}

// loadExcerpt gives a page of a conversation that the viewer is shown.
func loadExcerpt(ctx context.Context, of *model.Conversation, page message.Page) (message.Excerpt, error) {
	l := loadersOf(ctx)
	return l.excerpts.get(l, func(ctx context.Context, parts []message.Part) (map[message.Part]message.Excerpt, error) {
		return l.resolver.Messages.Messages(ctx, parts)
	}).Load(ctx, message.Part{Conversation: of.Key, Page: page})
}

// loadMaySend tells whether the viewer may write to a member.
func loadMaySend(ctx context.Context, other id.Member) (bool, error) {
	l := loadersOf(ctx)
	return orZero(l.maySend.get(l, func(ctx context.Context, others []id.Member) (map[id.Member]bool, error) {
		return l.resolver.Messages.MaySend(ctx, l.viewer, others)
	}).Load(ctx, other))
}

// conversingNodes adds those of the ids that are conversations and messages to what was found.
func (r *Resolver) conversingNodes(ctx context.Context, ids []string, found map[string]model.Node) error {
	var (
		conversations []id.Conversation
		messages      []id.Message
	)
	for _, s := range ids {
		if key, ok := model.ConversationID(s); ok {
			conversations = append(conversations, key)
		} else if key, ok := model.MessageID(s); ok {
			messages = append(messages, key)
		}
	}
	if len(conversations) > 0 {
		list, err := r.Messages.Visible(ctx, viewerKey(ctx), conversations)
		if err != nil {
			return err
		}
		for _, c := range list {
			node := model.NewConversation(c)
			found[node.ID] = node
		}
	}
	if len(messages) > 0 {
		list, err := r.Messages.ByID(ctx, viewerKey(ctx), messages)
		if err != nil {
			return err
		}
		for _, m := range list {
			node := model.NewMessage(m)
			found[node.ID] = node
		}
	}
	return nil
}

// streamMessages is messageReceived. A message that a block has hidden meanwhile is passed over.
func (r *Resolver) streamMessages(ctx context.Context) (<-chan *model.Message, error) {
	return stream(ctx, r.Feeds, nil, func(ctx context.Context, entry feed.Entry) (*model.Message, error) {
		if entry.Kind != feed.MessageReceived {
			return nil, errPassOver
		}
		found, err := r.Messages.ByID(ctx, entry.Member, []id.Message{entry.Message})
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, errPassOver
		}
		return model.NewMessage(found[0]), nil
	})
}

func conversationCursor(c message.Conversation) string {
	return encodeCursor(cursorConversation, instantBytes(c.LastMessageAt), c.ID[:])
}

// conversationPage reads the arguments of the list of conversations, which pages both ways.
func conversationPage(first *int, after *string, last *int, before *string) (message.ConversationPage, error) {
	limit, backward, err := bothWays(first, after, last, before)
	page := message.ConversationPage{Limit: limit, Backward: backward}
	if err == nil && after != nil {
		page.After, err = conversationPosition(*after)
	}
	if err == nil && before != nil {
		page.Before, err = conversationPosition(*before)
	}
	return page, err
}

func conversationPosition(cursor string) (*message.ConversationPosition, error) {
	key, err := decodeCursor(cursorConversation, instantSize+keySize, cursor)
	if err != nil {
		return nil, err
	}
	at, err := instantOf(key[:instantSize])
	return &message.ConversationPosition{LastMessageAt: at, ID: id.Conversation(key[instantSize:])}, err
}

func messageCursor(m message.Message) string {
	return encodeCursor(cursorMessage, binary.BigEndian.AppendUint64(nil, uint64(m.Number)), m.Conversation[:]) //nolint:gosec // never negative
}

// messageNumber reads a cursor of a message of a conversation.
func messageNumber(of id.Conversation, cursor string) (int64, error) {
	key, err := decodeCursor(cursorMessage, instantSize+keySize, cursor)
	if err != nil {
		return 0, err
	}
	number := int64(binary.BigEndian.Uint64(key)) //nolint:gosec // checked
	if number < 1 || id.Conversation(key[instantSize:]) != of {
		return 0, errCursor
	}
	return number, nil
}

// messagePage reads the arguments of a conversation's messages, which page both ways.
func messagePage(of id.Conversation, first *int, after *string, last *int, before *string) (message.Page, error) {
	limit, backward, err := bothWays(first, after, last, before)
	page := message.Page{Limit: limit, Backward: backward}
	if err == nil && after != nil {
		page.After, err = messageNumber(of, *after)
	}
	if err == nil && before != nil {
		page.Before, err = messageNumber(of, *before)
	}
	return page, err
}

// conversationConnection makes a page of conversations, whichever way it was read.
func conversationConnection(list []message.Conversation, more bool, page message.ConversationPage, count model.Count) *model.ConversationConnection {
	out := &model.ConversationConnection{Edges: make([]model.ConversationEdge, len(list)), Count: count}
	cursors := make([]string, len(list))
	for i, c := range list {
		cursors[i] = conversationCursor(c)
		out.Edges[i] = model.ConversationEdge{Cursor: cursors[i], Node: model.NewConversation(c)}
	}
	out.PageInfo = pageInfoBothWays(cursors, more, page.Backward, page.After != nil, page.Before != nil)
	return out
}

// messageConnection makes a page of messages, whichever way it was read.
func messageConnection(of *model.Conversation, excerpt message.Excerpt, page message.Page) *model.MessageConnection {
	out := &model.MessageConnection{Edges: make([]model.MessageEdge, len(excerpt.Messages)), TotalCount: of.Count}
	cursors := make([]string, len(excerpt.Messages))
	for i, m := range excerpt.Messages {
		cursors[i] = messageCursor(m)
		out.Edges[i] = model.MessageEdge{Cursor: cursors[i], Node: model.NewMessage(m)}
	}
	out.PageInfo = pageInfoBothWays(cursors, excerpt.More, page.Backward, page.After > 0, page.Before > 0)
	return out
}

// wordsOf is the message that goes with an answer, "" for none.
func wordsOf(input model.RespondToInvitationInput) string {
	if words := input.Message.Value(); words != nil {
		return *words
	}
	return ""
}
