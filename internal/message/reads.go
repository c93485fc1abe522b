package message

import (
	"context"

	"github.com/acquaint/acquaint/internal/id"
)

// List gives a page of the viewer's conversations, the last written first, and whether there are more beyond it.
func (s *Service) List(ctx context.Context, viewer id.Member, page ConversationPage) ([]Conversation, bool, error) {
	return s.store.Conversations(ctx, viewer, page)
}

// Count counts all of the viewer's conversations that List gives.
func (s *Service) Count(ctx context.Context, viewer id.Member) (int, error) {
	return s.store.CountConversations(ctx, viewer)
}

// Conversations gives those of the ids that the viewer takes part in. What is Blocked is only for whoever was shown a
// message of it a moment before; everybody else must take it for nothing, which Visible does.
func (s *Service) Conversations(ctx context.Context, viewer id.Member, ids []id.Conversation) ([]Conversation, error) {
	return s.store.ConversationsByID(ctx, viewer, ids)
}

// Visible gives those of the ids that the viewer may know of.
func (s *Service) Visible(ctx context.Context, viewer id.Member, ids []id.Conversation) ([]Conversation, error) {
	all, err := s.store.ConversationsByID(ctx, viewer, ids)
	if err != nil {
		return nil, err
	}
	visible := all[:0]
	for _, c := range all {
		if !c.Blocked {
			visible = append(visible, c)
		}
	}
	return visible, nil
}

// ByID gives those of the messages that the viewer may know of.
func (s *Service) ByID(ctx context.Context, viewer id.Member, ids []id.Message) ([]Message, error) {
	return s.store.MessagesByID(ctx, viewer, ids)
}

// Excerpt is a page of messages, and whether there are more beyond it in the direction of paging.
type Excerpt struct {
	Messages []Message
	More     bool
}

// Messages gives pages of conversations that the viewer may know of, which is for the caller to have asked, newest first.
func (s *Service) Messages(ctx context.Context, parts []Part) (map[Part]Excerpt, error) {
	wider := make([]Part, len(parts)) // one more than the page tells whether there are more
	for i, p := range parts {
		p.Limit++
		wider[i] = p
	}
	found, err := s.store.Messages(ctx, wider)
	if err != nil {
		return nil, err
	}
	out := make(map[Part]Excerpt, len(parts))
	for i, p := range parts {
		list := found[wider[i]]
		excerpt := Excerpt{Messages: list, More: len(list) > p.Limit}
		switch {
		case excerpt.More && p.Backward: // the one too many is the newest
			excerpt.Messages = list[1:]
		case excerpt.More:
			excerpt.Messages = list[:p.Limit]
		}
		out[p] = excerpt
	}
	return out, nil
}

// MaySend tells to which of others the viewer may write.
func (s *Service) MaySend(ctx context.Context, viewer id.Member, others []id.Member) (map[id.Member]bool, error) {
	standings, err := s.store.Standings(ctx, viewer, others)
	if err != nil {
		return nil, err
	}
	out := make(map[id.Member]bool, len(standings))
	for other, standing := range standings {
		out[other] = MaySend(standing, viewer) == nil
	}
	return out, nil
}

// MarkRead marks a conversation of the viewer's as read through a number, or all of it, and gives it after that. What was
// read before stays read.
func (s *Service) MarkRead(ctx context.Context, viewer id.Member, conversation id.Conversation, through *int64) (Conversation, error) {
	found, err := s.Visible(ctx, viewer, []id.Conversation{conversation})
	if err != nil {
		return Conversation{}, err
	}
	if len(found) == 0 {
		return Conversation{}, errConversationNotFound()
	}
	number := found[0].LastNumber
	if through != nil {
		number = min(number, *through)
	}
	if number > found[0].ReadThrough {
		if err := s.store.MarkRead(ctx, viewer, conversation, number); err != nil {
			return Conversation{}, err
		}
		if found, err = s.Visible(ctx, viewer, []id.Conversation{conversation}); err != nil {
			return Conversation{}, err
		}
		if len(found) == 0 { // blocked since
			return Conversation{}, errConversationNotFound()
		}
	}
	return found[0], nil
}
