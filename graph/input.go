package graph

import (
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"github.com/acquaint/acquaint/graph/model"
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
