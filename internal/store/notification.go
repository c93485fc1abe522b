package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	entinbox "github.com/acquaint/acquaint/ent/inbox"
	entnotification "github.com/acquaint/acquaint/ent/notification"
	"github.com/acquaint/acquaint/ent/predicate"
	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// Retract implements network.Tx.
func (t *tx) Retract(ctx context.Context, member id.Member, invitation id.Invitation) error {
	return t.retract(ctx, member, entnotification.InvitationID(uuid.UUID(invitation)))
}

// RetractFrom implements network.Tx.
func (t *tx) RetractFrom(ctx context.Context, member, actor id.Member) error {
	return t.retract(ctx, member, entnotification.ActorID(uuid.UUID(actor)))
}

func (t *tx) retract(ctx context.Context, member id.Member, which predicate.Notification) error {
	n, err := t.client.Notification.Delete().Where(entnotification.MemberID(uuid.UUID(member)), which).Exec(ctx)
	if err != nil || n == 0 {
		return err
	}
	hints, err := lastNumbers(ctx, t.client, []id.Member{member})
	t.hints = append(t.hints, hints...)
	return err
}

// LastNumbers gives the sequence of the newest notification that each of the members ever had.
func (s *Store) LastNumbers(ctx context.Context, members []id.Member) ([]notification.Hint, error) {
	return lastNumbers(ctx, s.client, members)
}

// PausedUntil is until when a member has paused notifications; zero or past when not.
func (s *Store) PausedUntil(ctx context.Context, member id.Member) (time.Time, error) {
	inbox, err := s.client.Inbox.Get(ctx, uuid.UUID(member))
	if err != nil {
		return time.Time{}, err
	}
	return timeOf(inbox.PausedUntil), nil
}

func lastNumbers(ctx context.Context, client *ent.Client, members []id.Member) ([]notification.Hint, error) {
	rows, err := client.Inbox.Query().Where(entinbox.IDIn(uuids(members)...)).
		Select(entinbox.FieldID, entinbox.FieldLastNumber).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]notification.Hint, len(rows))
	for i, row := range rows {
		out[i] = notification.Hint{Member: id.Member(row.ID), Number: row.LastNumber}
	}
	return out, nil
}

// CountNotifications implements notification.Store.
func (s *Store) CountNotifications(ctx context.Context, member id.Member) (int, error) {
	return s.client.Notification.Query().Where(entnotification.MemberID(uuid.UUID(member))).Count(ctx)
}

// CountUnread implements notification.Store.
func (s *Store) CountUnread(ctx context.Context, member id.Member) (int, error) {
	return s.client.Notification.Query().
		Where(entnotification.MemberID(uuid.UUID(member)), entnotification.ReadAtIsNil()).Count(ctx)
}

// MarkRead implements notification.Store.
func (s *Store) MarkRead(ctx context.Context, member id.Member, ids []id.Notification, now time.Time, entry id.UUID) ([]notification.Hint, error) {
	return s.markRead(ctx, member, entnotification.IDIn(uuids(ids)...), now, entry)
}

// MarkReadThrough implements notification.Store.
func (s *Store) MarkReadThrough(ctx context.Context, member id.Member, through int64, now time.Time, entry id.UUID) ([]notification.Hint, error) {
	return s.markRead(ctx, member, entnotification.SequenceLTE(through), now, entry)
}

// markRead marks some of a member's notifications and, if that changed any, tells the member's feed.
func (s *Store) markRead(ctx context.Context, member id.Member, which predicate.Notification, now time.Time, entry id.UUID) ([]notification.Hint, error) {
	return s.writeLogs(ctx, func(t *tx) error {
		if _, err := t.Lock(ctx, member); err != nil {
			return err
		}
		n, err := t.client.Notification.Update().
			Where(entnotification.MemberID(uuid.UUID(member)), which, entnotification.ReadAtIsNil()).SetReadAt(now).Save(ctx)
		if err != nil || n == 0 {
			return err
		}
		return t.Append(ctx, entry, feed.Draft{Member: member, Kind: feed.NotificationsRead})
	})
}

// Preferences implements notification.Store.
func (s *Store) Preferences(ctx context.Context, member id.Member) (notification.Preferences, error) {
	return preferencesOf(ctx, s.client, member)
}

// ChangePreferences implements notification.Store.
func (s *Store) ChangePreferences(ctx context.Context, member id.Member,
	change func(notification.Preferences) (notification.Preferences, error),
) (notification.Preferences, error) {
	var after notification.Preferences
	err := s.write(ctx, func(t *tx) error {
		// Takes the lock that numbering takes; the value stays.
		if err := t.client.Inbox.UpdateOneID(uuid.UUID(member)).AddMuted(0).Exec(ctx); err != nil {
			return err
		}
		before, err := preferencesOf(ctx, t.client, member)
		if err != nil {
			return err
		}
		if after, err = change(before); err != nil {
			return err
		}
		if err := t.client.Preference.Create().SetID(uuid.UUID(member)).
			SetSettings(toSettings(after.Changed)).SetTimeZone(after.TimeZone).
			OnConflictColumns("member_id").UpdateNewValues().Exec(ctx); err != nil {
			return err
		}
		inbox := t.client.Inbox.Update().Where(entinbox.ID(uuid.UUID(member))).SetMuted(after.Muted())
		if after.PausedUntil.IsZero() {
			inbox.ClearPausedUntil()
		} else {
			inbox.SetPausedUntil(after.PausedUntil)
		}
		return inbox.Exec(ctx)
	})
	return after, err
}

func preferencesOf(ctx context.Context, client *ent.Client, member id.Member) (notification.Preferences, error) {
	preferences := notification.DefaultPreferences()
	inbox, err := client.Inbox.Get(ctx, uuid.UUID(member))
	if err != nil {
		return preferences, err
	}
	preferences.PausedUntil = timeOf(inbox.PausedUntil)
	row, err := client.Preference.Get(ctx, uuid.UUID(member))
	if ent.IsNotFound(err) {
		return preferences, nil
	}
	if err != nil {
		return preferences, err
	}
	preferences.TimeZone = row.TimeZone
	preferences.Changed = make(map[notification.Category]map[notification.Channel]notification.Frequency, len(row.Settings))
	for category, byChannel := range row.Settings {
		into := make(map[notification.Channel]notification.Frequency, len(byChannel))
		for channel, frequency := range byChannel {
			into[notification.Channel(channel)] = notification.Frequency(frequency)
		}
		preferences.Changed[notification.Category(category)] = into
	}
	return preferences, nil
}

func toSettings(changed map[notification.Category]map[notification.Channel]notification.Frequency) map[string]map[string]string {
	out := make(map[string]map[string]string, len(changed))
	for category, byChannel := range changed {
		into := make(map[string]string, len(byChannel))
		for channel, frequency := range byChannel {
			into[string(channel)] = string(frequency)
		}
		out[string(category)] = into
	}
	return out
}
