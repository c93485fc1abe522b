package store_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// What comes along with the hint of a notification is what anybody reads of it.
func TestEntryOfAHint(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		ada, err := member.NewService(s, app.Now, app.NewID).SignIn(ctx, member.Claims{Subject: "ada"})
		if err != nil {
			t.Fatal(err)
		}
		var drafts []notification.Draft
		for _, category := range []notification.Category{notification.InvitationReceived, notification.InvitationAccepted} {
			drafts = append(drafts,
				notification.Draft{Member: ada.ID, Category: category},
				notification.Draft{
					Member: ada.ID, Category: category, Actor: ada.ID, Invitation: id.Invitation(app.NewID()),
					Message: id.Message(app.NewID()), Publication: id.Publication(app.NewID()), Reminder: true,
				})
		}
		for i, draft := range drafts {
			hints, err := s.Transact(ctx, func(ctx context.Context, tx network.Tx) error {
				return tx.Notify(ctx, id.Notification(app.NewID()), draft, app.Now())
			})
			if err != nil || len(hints) != 1 {
				t.Fatalf("%v, %v", hints, err)
			}
			at := notification.Cursor{Member: ada.ID, After: int64(i)}
			read, err := s.NotificationsAfter(ctx, []notification.Cursor{at}, 10)
			if err != nil || len(read[at]) != 1 || !reflect.DeepEqual(hints[0].Entry, read[at][0]) {
				t.Errorf("came along %+v\nread %+v (%v)", hints[0].Entry, read[at], err)
			}
		}
	})
}
