package store_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// Every page of an inbox is what it is of the whole, both ways and between any two cursors; who the notifications are of
// comes along, and all else that there is.
func TestPagesOfInbox(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		s := storetest.Open(t, address, store.Options{})
		ctx := t.Context()
		owner, other := signIn(t, s, "owner"), signIn(t, s, "other")
		full, bare, gone := signIn(t, s, "full"), signIn(t, s, "bare"), signIn(t, s, "gone")
		text := func(s string) *string { return &s }
		if _, err := s.UpdateMember(ctx, full, member.Update{
			Name: text("Full <&> \"é\""), Headline: text("h"), Location: text("l"), Industry: text("i"), Company: text("c"), PhotoURL: text("https://example.com"),
		}); err != nil {
			t.Fatal(err)
		}
		db, _, _ := rawDB(t, address)
		for _, change := range []string{
			"UPDATE members SET in_block = TRUE WHERE id = '" + uuid.UUID(full).String() + "'",
			"UPDATE members SET erased_at = created_at WHERE id = '" + uuid.UUID(gone).String() + "'",
		} {
			if _, err := db.ExecContext(ctx, change); err != nil {
				t.Fatal(err)
			}
		}
		public := make(map[id.Member]member.Public)
		members, err := s.MembersByID(ctx, []id.Member{full, bare, gone})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			public[m.ID] = member.Public{
				ID: m.ID, Handle: m.Handle, Name: m.Name, Headline: m.Headline, Location: m.Location, Industry: m.Industry, Company: m.Company,
				PhotoURL: m.PhotoURL, InBlock: m.InBlock, Erased: m.Erased,
			}
		}
		if f, b, g := public[full], public[bare], public[gone]; !f.InBlock || f.Erased || f.PhotoURL == "" || b.InBlock || b.Headline != "" || !g.Erased {
			t.Fatalf("members %+v", public)
		}

		// The newest first. One is of nobody, one of a member that there is not, and one number is missing.
		var all []notification.Notification
		categories := notification.Categories()
		for sequence := int64(9); sequence > 0; sequence-- {
			if sequence == 4 {
				continue
			}
			n := notification.Notification{
				ID: id.Notification(app.NewID()), Member: owner, Sequence: sequence, Category: categories[int(sequence)%len(categories)],
				CreatedAt: time.Date(2026, 1, 1, 0, 0, int(sequence), 1000, time.UTC),
			}
			switch sequence % 4 {
			case 0:
				n.Actor, n.Invitation, n.Reminder, n.ReadAt = full, id.Invitation(app.NewID()), true, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
			case 1:
				n.Actor, n.Message, n.Held = bare, id.Message(app.NewID()), true
			case 2:
				n.Actor, n.Publication = gone, id.Publication(app.NewID())
			}
			if sequence == 9 {
				n.Actor = id.Member(app.NewID())
			}
			all = append(all, n)
		}
		write(t, address, append(all, notification.Notification{ID: id.Notification(app.NewID()), Member: other, Sequence: 5, Category: categories[0], CreatedAt: time.Unix(0, 0)}))

		for _, page := range pagesOf(9) {
			want := pageOf(all, page)
			if page.Actors {
				want.Actors = make(map[id.Member]member.Public)
				for _, n := range want.Notifications {
					if m, ok := public[n.Actor]; ok {
						want.Actors[n.Actor] = m
					}
				}
			}
			got, err := s.Notifications(ctx, owner, page)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("page %+v\ngot  %+v\nwant %+v", page, got, want)
			}
		}
		ids := []id.Notification{all[2].ID, all[7].ID, id.Notification(app.NewID())}
		got, err := s.NotificationsByID(ctx, owner, ids)
		slices.SortFunc(got, func(a, b notification.Notification) int { return int(b.Sequence - a.Sequence) })
		if err != nil || !reflect.DeepEqual(got, []notification.Notification{all[2], all[7]}) {
			t.Errorf("by id: %+v %v", got, err)
		}
		for _, none := range [][]id.Notification{nil, {id.Notification(app.NewID())}} {
			if got, err := s.NotificationsByID(ctx, owner, none); len(got) != 0 || err != nil {
				t.Errorf("by no id: %+v %v", got, err)
			}
		}
		if got, err := s.NotificationsByID(ctx, other, ids); len(got) != 0 || err != nil {
			t.Errorf("another's, by id: %+v %v", got, err)
		}
	})
}

// pagesOf are all pages there are to ask for in an inbox whose greatest number is last.
func pagesOf(last int64) []notification.Page {
	var out []notification.Page
	for after := int64(0); after <= last+1; after++ {
		for before := int64(0); before <= last+1; before++ {
			for _, limit := range []int{0, 1, 3, 20} {
				out = append(out,
					notification.Page{After: after, Before: before, Limit: limit, Actors: limit == 3},
					notification.Page{After: after, Before: before, Limit: limit, Backward: true, Actors: limit == 20})
			}
		}
	}
	return out
}

// pageOf is a page of all, the newest first: After means older ones then.
func pageOf(all []notification.Notification, page notification.Page) notification.Listing {
	some := []notification.Notification{}
	for _, n := range all {
		if (page.After == 0 || n.Sequence < page.After) && n.Sequence > page.Before {
			some = append(some, n)
		}
	}
	more := len(some) > page.Limit
	switch {
	case more && page.Backward:
		some = some[len(some)-page.Limit:]
	case more:
		some = some[:page.Limit]
	}
	return notification.Listing{Notifications: some, More: more}
}

// write puts notifications into the tables.
func write(t *testing.T, address string, all []notification.Notification) {
	t.Helper()
	db, _, _ := rawDB(t, address)
	optional := func(key [16]byte) any {
		if key == [16]byte{} {
			return nil
		}
		return uuid.UUID(key).String()
	}
	for _, n := range all {
		var read any
		if !n.ReadAt.IsZero() {
			read = n.ReadAt.Format("2006-01-02 15:04:05.999999-07:00")
		}
		if _, err := db.ExecContext(t.Context(), `INSERT INTO notifications (id, member_id, sequence, category, actor_id, invitation_id,
			message_id, publication_id, reminder, held, created_at, read_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			uuid.UUID(n.ID).String(), uuid.UUID(n.Member).String(), n.Sequence, string(n.Category), optional(n.Actor), optional(n.Invitation),
			optional(n.Message), optional(n.Publication), n.Reminder, n.Held, n.CreatedAt.UTC().Format("2006-01-02 15:04:05.999999-07:00"), read); err != nil {
			t.Fatal(err)
		}
	}
}

// A member is the same however it is looked up, with everything that the tables know of it.
func TestMembersLookedUp(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, address string) {
		s := storetest.Open(t, address, store.Options{})
		ctx := t.Context()
		ada, ben, gone := signIn(t, s, "ada"), signIn(t, s, "ben"), signIn(t, s, "gone")
		db, _, _ := rawDB(t, address)
		for _, change := range []string{
			"UPDATE members SET handle = 'h', name = 'n', email = 'e', headline = 'hl', location = 'l', industry = 'i', company = 'c', photo_url = 'p', " +
				"created_at = '2026-01-02 03:04:05.000006+00:00', who_can_invite = 'nobody', who_sees_connections = 'only_me', " +
				"who_sees_profile = 'connections', share_email = TRUE, in_block = TRUE, suspended_at = '2026-01-03 00:00:00+00:00' WHERE id = '" +
				uuid.UUID(ada).String() + "'",
			"UPDATE members SET who_can_invite = 'friends of a version to come', erased_at = created_at WHERE id = '" + uuid.UUID(gone).String() + "'",
		} {
			if _, err := db.ExecContext(ctx, change); err != nil {
				t.Fatal(err)
			}
		}
		want := member.Member{
			ID: ada, Handle: "h", Name: "n", Email: "e", Headline: "hl", Location: "l", Industry: "i", Company: "c", PhotoURL: "p",
			CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), SuspendedAt: time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC),
			Privacy: member.Privacy{
				WhoCanInvite: member.InvitationsFromNobody, WhoSeesConnections: member.ConnectionsForOneself,
				WhoSeesProfile: member.ProfileForConnections, ShareEmail: true,
			},
			InBlock: true,
		}
		bySubject, err := s.MemberBySubject(ctx, "ada")
		if err != nil || bySubject != want {
			t.Errorf("by subject %+v %v, want %+v", bySubject, err, want)
		}
		byHandle, err := s.MemberByHandle(ctx, "h")
		if err != nil || byHandle != want {
			t.Errorf("by handle %+v %v, want %+v", byHandle, err, want)
		}
		// In a list with others, whose texts and marks are not its own.
		list, err := s.MembersByID(ctx, []id.Member{ada, ben, gone, id.Member(app.NewID())})
		if err != nil || len(list) != 3 {
			t.Fatalf("%+v %v", list, err)
		}
		byID := make(map[id.Member]member.Member)
		for _, m := range list {
			byID[m.ID] = m
		}
		if byID[ada] != want {
			t.Errorf("by id %+v, want %+v", byID[ada], want)
		}
		plain := member.Member{ID: ben, Handle: byID[ben].Handle, Name: byID[ben].Name, CreatedAt: byID[ben].CreatedAt, Privacy: member.DefaultPrivacy()}
		if byID[ben] != plain || plain.Handle == "" || plain.CreatedAt.IsZero() {
			t.Errorf("by id %+v, want %+v", byID[ben], plain)
		}
		if g := byID[gone]; !g.Erased || g.Privacy.WhoCanInvite != "friends of a version to come" {
			t.Errorf("by id %+v", g)
		}
		if none, err := s.MembersByID(ctx, nil); len(none) != 0 || err != nil {
			t.Errorf("of no id: %+v %v", none, err)
		}
	})
}
