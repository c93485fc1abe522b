package message

import (
	"context"
	"errors"
	"time"

	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/refusal"
)

// Service is the use cases of conversations. Whoever is concerned is woken after the commit.
type Service struct {
	store Store
	waker notification.Waker
	now   func() time.Time
	newID id.Source
}

// NewService makes a Service.
func NewService(store Store, waker notification.Waker, now func() time.Time, newID id.Source) *Service {
	return &Service{store: store, waker: waker, now: now, newID: newID}
}

// SendInput is what to write, and to whom.
type SendInput struct {
	To   id.Member
	Body string
	// Key is the client's name for the message, so that sending it again changes nothing; nil for none.
	Key *string
}

// Send writes a message to another member. A key that the writer has used before gives the message that it named, even
// if the writer may not write any more.
func (s *Service) Send(ctx context.Context, writer id.Member, in SendInput) (Message, error) {
	body, err := CleanBody(in.Body, "body")
	if err != nil {
		return Message{}, err
	}
	key, err := cleanKey(in.Key)
	if err != nil {
		return Message{}, err
	}
	if in.To == writer {
		return Message{}, errNotAllowed()
	}
	var sent Message
	hints, err := s.store.Transact(ctx, func(ctx context.Context, tx Tx) error {
		standing, err := meet(ctx, tx, writer, in.To)
		if err != nil {
			return err
		}
		if key != "" {
			before, to, err := tx.MessageByKey(ctx, writer, key)
			switch {
			case err == nil && (to != in.To || before.Body != body):
				return refusal.New(refusal.Invalid, "This key was another message's.", "clientKey")
			case !errors.Is(err, ErrNotFound): // found, or failed
				sent = before
				return err
			}
		}
		letter := letter{from: writer, to: in.To, body: body, key: key, at: s.now()}
		sent, err = letter.deliver(ctx, tx, s.newID, standing)
		return err
	})
	if err != nil {
		return Message{}, err
	}
	if len(hints) > 0 {
		s.waker.Wake(hints...)
	}
	return sent, nil
}

// Deliver writes a message as part of another use case, which has locked the two members, and whose text CleanBody or
// CleanOptionalBody gave. It is refused like any other.
func Deliver(ctx context.Context, tx Tx, newID id.Source, from, to id.Member, body string, now time.Time) (Message, error) {
	standing, err := tx.MessageStanding(ctx, from, to)
	if err != nil {
		return Message{}, err
	}
	return letter{from: from, to: to, body: body, at: now}.deliver(ctx, tx, newID, standing)
}

// meet locks the two, and gives how the writer stands to the other. To one whom a block hides there is no member.
func meet(ctx context.Context, tx Tx, writer, other id.Member) (Standing, error) {
	both, err := tx.Lock(ctx, writer, other)
	if err != nil {
		return Standing{}, err
	}
	if !both {
		return Standing{}, errMemberNotFound()
	}
	standing, err := tx.MessageStanding(ctx, writer, other)
	if err == nil && standing.Blocked {
		err = errMemberNotFound()
	}
	return standing, err
}

// letter is a message before it is one.
type letter struct {
	from, to  id.Member
	body, key string
	at        time.Time
}

// deliver writes the message, if the standing of the two allows it, and tells of it.
func (l letter) deliver(ctx context.Context, tx Tx, newID id.Source, standing Standing) (Message, error) {
	if err := MaySend(standing, l.from); err != nil {
		return Message{}, err
	}
	sent, err := tx.WriteMessage(ctx, Message{ID: id.Message(newID()), Sender: l.from, Body: l.body, SentAt: l.at},
		l.to, l.key, id.Conversation(newID()))
	if err != nil {
		return Message{}, err
	}
	if standing.replies(l.from) {
		if err := tx.LinkConversation(ctx, standing.Open.ID, sent.Conversation); err != nil {
			return Message{}, err
		}
	}
	received := feed.Draft{Member: l.to, Kind: feed.MessageReceived, Other: l.from, Message: sent.ID}
	if err := tx.Append(ctx, newID(), received); err != nil {
		return Message{}, err
	}
	if !standing.notifies(l.from) {
		return sent, nil
	}
	event := notification.Event{Kind: notification.MessageWasSent, Sender: l.from, Recipient: l.to, Message: sent.ID}
	for _, draft := range notification.Plan(event) {
		if err := tx.Notify(ctx, id.Notification(newID()), draft, l.at); err != nil {
			return Message{}, err
		}
	}
	return sent, nil
}
