package graph

import (
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/refusal"
)

// given reads a field of an input: nil when it was left out, and the empty text, which clears, when it was null.
func given(field graphql.Omittable[*string]) *string {
	value, set := field.ValueOK()
	if set && value == nil {
		return new(string)
	}
	return value
}

// markOf reads which notifications to mark as read. An id of something else is refused as INVALID.
func markOf(input model.MarkNotificationsReadInput) (notification.Mark, error) {
	ids := input.Ids.Value()
	mark := notification.Mark{HasIDs: ids != nil, IDs: make([]id.Notification, len(ids))}
	for i, s := range ids {
		key, ok := model.NotificationID(s)
		if !ok {
			return mark, refusal.New(refusal.Invalid, "This is no id of a notification.", "ids", strconv.Itoa(i))
		}
		mark.IDs[i] = key
	}
	if through := input.Through.Value(); through != nil {
		sequence, err := sequenceOf(*through)
		if err != nil {
			return mark, err
		}
		mark.Through = &sequence
	}
	return mark, nil
}

// publicationOf reads what to publish to whom. An id that is no member's stays none, so that it is as one of a member who
// does not exist.
func publicationOf(input model.PublishNotificationInput) host.PublishInput {
	in := host.PublishInput{
		Key: input.Key, Category: model.CategoryOf(input.Category), Subjects: input.Subjects.Value(), Title: input.Title,
		Body: orNone(input.Body), URL: orNone(input.URL), ActorSubject: orNone(input.ActorSubject),
		Named: len(input.Subjects.Value()) + len(input.MemberIds.Value()),
	}
	for _, s := range input.MemberIds.Value() {
		if key, ok := model.MemberID(s); ok {
			in.Members = append(in.Members, key)
		}
	}
	if actor := input.ActorID.Value(); actor != nil {
		in.ActorNamed++
		in.Actor, _ = model.MemberID(*actor)
	}
	if input.ActorSubject.Value() != nil {
		in.ActorNamed++
	}
	return in
}

// orNone reads a field of an input for which null, and the empty text, are the same as leaving it out.
func orNone(field graphql.Omittable[*string]) string {
	if value := field.Value(); value != nil {
		return *value
	}
	return ""
}
