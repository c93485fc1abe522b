package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	entconnection "github.com/acquaint/acquaint/ent/connection"
	entconversation "github.com/acquaint/acquaint/ent/conversation"
	entfeed "github.com/acquaint/acquaint/ent/feedentry"
	entflag "github.com/acquaint/acquaint/ent/flag"
	entinbox "github.com/acquaint/acquaint/ent/inbox"
	entinvitation "github.com/acquaint/acquaint/ent/invitation"
	entmember "github.com/acquaint/acquaint/ent/member"
	entmessage "github.com/acquaint/acquaint/ent/message"
	entnotification "github.com/acquaint/acquaint/ent/notification"
	entparticipant "github.com/acquaint/acquaint/ent/participant"
	"github.com/acquaint/acquaint/ent/predicate"
	entpreference "github.com/acquaint/acquaint/ent/preference"
	entprofile "github.com/acquaint/acquaint/ent/profile"
	entpublication "github.com/acquaint/acquaint/ent/publication"
	"github.com/acquaint/acquaint/ent/reinvitebar"
	entreport "github.com/acquaint/acquaint/ent/report"
	entrestriction "github.com/acquaint/acquaint/ent/restriction"
	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
)

// MemberBySubject implements host.Tx.
func (t hostTx) MemberBySubject(ctx context.Context, subject string) (id.Member, error) {
	found, err := t.client.Member.Query().Where(entmember.Subject(subject), entmember.ErasedAtIsNil()).OnlyID(ctx)
	if ent.IsNotFound(err) {
		return id.Member{}, host.ErrNotFound
	}
	return id.Member(found), err
}

// Anonymise implements host.Tx. The privacy settings become those of a new member.
func (t hostTx) Anonymise(ctx context.Context, member id.Member, as host.Placeholder, at time.Time) error {
	return t.client.Member.Update().Where(entmember.ID(uuid.UUID(member))).
		SetSubject(as.Subject).SetHandle(as.Handle).SetName(as.Name).ClearEmail().ClearHeadline().ClearLocation().
		ClearIndustry().ClearCompany().ClearPhotoURL().
		SetWhoCanInvite(entmember.DefaultWhoCanInvite).SetWhoSeesConnections(entmember.DefaultWhoSeesConnections).
		SetWhoSeesProfile(entmember.DefaultWhoSeesProfile).SetShareEmail(entmember.DefaultShareEmail).
		ClearSuspendedAt().SetErasedAt(at).SetErasing(true).Exec(ctx)
}

// DeleteNotifications implements host.Store.
func (h Hosts) DeleteNotifications(ctx context.Context, member id.Member, limit int) (int, error) {
	var n int
	err := h.write(ctx, func(t *tx) error {
		ids, err := t.client.Notification.Query().Where(entnotification.MemberID(uuid.UUID(member))).
			Order(entnotification.BySequence()).Limit(limit).IDs(ctx)
		if err != nil || len(ids) == 0 {
			n = 0
			return err
		}
		n, err = t.client.Notification.Delete().Where(entnotification.IDIn(ids...)).Exec(ctx)
		return err
	})
	return n, err
}

// CloseInbox implements host.Tx. What is left in the inbox goes with it.
func (t hostTx) CloseInbox(ctx context.Context, member id.Member) error {
	_, err := t.client.Inbox.Delete().Where(entinbox.ID(uuid.UUID(member))).Exec(ctx)
	return err
}

// TiedTo implements host.Store: it looks from one table to the next, until it finds somebody.
func (h Hosts) TiedTo(ctx context.Context, member id.Member, limit int) ([]id.Member, error) {
	self := uuid.UUID(member)
	for _, look := range []func(into any) error{
		func(into any) error {
			return h.client.Connection.Query().Where(entconnection.OwnerID(self)).
				Limit(limit).Select(entconnection.FieldPeerID).Scan(ctx, into)
		},
		func(into any) error {
			return h.client.Invitation.Query().Where(entinvitation.SenderID(self)).
				Limit(limit).Select(entinvitation.FieldRecipientID).Scan(ctx, into)
		},
		func(into any) error {
			return h.client.Invitation.Query().Where(entinvitation.RecipientID(self)).
				Limit(limit).Select(entinvitation.FieldSenderID).Scan(ctx, into)
		},
		func(into any) error {
			return h.client.Participant.Query().Where(entparticipant.MemberID(self)).
				Limit(limit).Select(entparticipant.FieldOtherID).Scan(ctx, into)
		},
		func(into any) error {
			return h.client.Notification.Query().Where(publishedOf(member)).
				Limit(limit).Select(entnotification.FieldMemberID).Scan(ctx, into)
		},
	} {
		var found []uuid.UUID
		if err := look(&found); err != nil {
			return nil, err
		}
		seen := make(map[uuid.UUID]bool, len(found))
		var out []id.Member
		for _, other := range found {
			if !seen[other] {
				seen[other] = true
				out = append(out, id.Member(other))
			}
		}
		if len(out) > 0 {
			return out, nil
		}
	}
	return nil, nil
}

// publishedOf is the condition that a notification is of a publication that a member was the actor of.
func publishedOf(actor id.Member) predicate.Notification {
	return entnotification.And(entnotification.ActorID(uuid.UUID(actor)), entnotification.PublicationIDNotNil())
}

// Sever implements host.Tx.
func (t hostTx) Sever(ctx context.Context, member id.Member, others []id.Member) ([]host.Tie, error) {
	self, ids := uuid.UUID(member), uuids(others)
	ties := make(map[uuid.UUID]*host.Tie, len(ids))
	for i, other := range ids {
		ties[other] = &host.Tie{Other: others[i]}
	}

	peers, err := t.client.Connection.Query().
		Where(entconnection.OwnerID(self), entconnection.PeerIDIn(ids...)).All(ctx)
	if err != nil {
		return nil, err
	}
	for _, row := range peers {
		ties[row.PeerID].Connected = true
	}
	if _, err := t.client.Connection.Delete().Where(entconnection.Or(
		entconnection.And(entconnection.OwnerID(self), entconnection.PeerIDIn(ids...)),
		entconnection.And(entconnection.OwnerIDIn(ids...), entconnection.PeerID(self)),
	)).Exec(ctx); err != nil {
		return nil, err
	}

	if err := t.severInvitations(ctx, self, ids, ties); err != nil {
		return nil, err
	}
	if err := t.severConversations(ctx, self, ids); err != nil {
		return nil, err
	}
	if err := t.takeBack(ctx, publishedOf(member), entnotification.MemberIDIn(ids...)); err != nil {
		return nil, err
	}
	out := make([]host.Tie, len(ids))
	for i, other := range ids {
		out[i] = *ties[other]
	}
	return out, nil
}

func (t hostTx) severInvitations(ctx context.Context, self uuid.UUID, others []uuid.UUID, ties map[uuid.UUID]*host.Tie) error {
	list, err := t.client.Invitation.Query().Where(entinvitation.Or(
		entinvitation.And(entinvitation.SenderID(self), entinvitation.RecipientIDIn(others...)),
		entinvitation.And(entinvitation.RecipientID(self), entinvitation.SenderIDIn(others...)),
	)).All(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	ids := make([]uuid.UUID, len(list))
	for i, row := range list {
		ids[i] = row.ID
		if inv := toInvitation(row); inv.State.Open() {
			other := row.SenderID
			if other == self {
				other = row.RecipientID
			}
			ties[other].Open = &inv
		}
	}
	if err := t.takeBack(ctx, entnotification.InvitationIDIn(ids...)); err != nil {
		return err
	}
	_, err = t.client.Invitation.Delete().Where(entinvitation.IDIn(ids...)).Exec(ctx)
	return err
}

// severConversations leaves the others their side, and what was written.
func (t hostTx) severConversations(ctx context.Context, self uuid.UUID, others []uuid.UUID) error {
	which := []predicate.Participant{entparticipant.MemberID(self), entparticipant.OtherIDIn(others...)}
	var partners []uuid.UUID
	if err := t.client.Participant.Query().Where(which...).Select(entparticipant.FieldOtherID).Scan(ctx, &partners); err != nil {
		return err
	}
	if len(partners) == 0 {
		return nil
	}
	if err := t.takeBack(ctx, entnotification.MemberIDIn(partners...), entnotification.ActorID(self)); err != nil {
		return err
	}
	if _, err := t.client.Participant.Delete().Where(which...).Exec(ctx); err != nil {
		return err
	}
	return t.dropConversations(ctx, self, partners)
}

// dropConversations deletes what a member and others wrote to each other where neither side is left.
func (t hostTx) dropConversations(ctx context.Context, self uuid.UUID, others []uuid.UUID) error {
	var staying []uuid.UUID
	if err := t.client.Participant.Query().Where(entparticipant.MemberIDIn(others...), entparticipant.OtherID(self)).
		Select(entparticipant.FieldMemberID).Scan(ctx, &staying); err != nil {
		return err
	}
	gone := slices.DeleteFunc(slices.Clone(others), func(other uuid.UUID) bool { return slices.Contains(staying, other) })
	if len(gone) == 0 {
		return nil
	}
	left, err := t.client.Conversation.Query().Where(entconversation.Or(
		entconversation.And(entconversation.PairLo(self), entconversation.PairHiIn(gone...)),
		entconversation.And(entconversation.PairHi(self), entconversation.PairLoIn(gone...)),
	)).IDs(ctx)
	if err != nil || len(left) == 0 {
		return err
	}
	if _, err := t.client.Message.Delete().Where(entmessage.ConversationIDIn(left...)).Exec(ctx); err != nil {
		return err
	}
	_, err = t.client.Conversation.Delete().Where(entconversation.IDIn(left...)).Exec(ctx)
	return err
}

// takeBack deletes notifications, whosever they are.
func (t hostTx) takeBack(ctx context.Context, which ...predicate.Notification) error {
	var told []uuid.UUID
	if err := t.client.Notification.Query().Where(which...).
		Select(entnotification.FieldMemberID).Scan(ctx, &told); err != nil || len(told) == 0 {
		return err
	}
	if _, err := t.client.Notification.Delete().Where(which...).Exec(ctx); err != nil {
		return err
	}
	members := make([]id.Member, len(told))
	for i, m := range told {
		members[i] = id.Member(m)
	}
	hints, err := lastNumbers(ctx, t.client, members)
	t.hints = append(t.hints, hints...)
	return err
}

// EraseRecords implements host.Tx.
func (t hostTx) EraseRecords(ctx context.Context, member id.Member) error {
	self := uuid.UUID(member)
	for _, erase := range []func() (int, error){
		func() (int, error) { return t.client.Profile.Delete().Where(entprofile.ID(self)).Exec(ctx) },
		func() (int, error) { return t.client.Preference.Delete().Where(entpreference.ID(self)).Exec(ctx) },
		func() (int, error) { return t.client.Restriction.Delete().Where(entrestriction.ID(self)).Exec(ctx) },
		func() (int, error) { return t.client.FeedEntry.Delete().Where(entfeed.MemberID(self)).Exec(ctx) },
		func() (int, error) {
			return t.client.ReinviteBar.Delete().
				Where(reinvitebar.Or(reinvitebar.SenderID(self), reinvitebar.RecipientID(self))).Exec(ctx)
		},
		func() (int, error) {
			// Not those that the member gave: their going would tell a sender whose they were.
			return t.client.Flag.Delete().Where(entflag.SenderID(self)).Exec(ctx)
		},
		func() (int, error) {
			return t.client.Report.Update().Where(entreport.ReporterID(self), entreport.DetailsNotNil()).ClearDetails().Save(ctx)
		},
		func() (int, error) {
			return t.client.Publication.Update().Where(entpublication.ActorID(self)).SetTitle("").ClearBody().ClearURL().Save(ctx)
		},
		func() (int, error) {
			return t.client.Member.Update().Where(entmember.ID(self)).SetErasing(false).Save(ctx)
		},
	} {
		if _, err := erase(); err != nil {
			return err
		}
	}
	return nil
}

// Erasing implements host.Store.
func (h Hosts) Erasing(ctx context.Context, limit int) ([]id.Member, error) {
	ids, err := h.client.Member.Query().Where(entmember.Erasing(true)).Order(entmember.ByID()).Limit(limit).IDs(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]id.Member, len(ids))
	for i, m := range ids {
		out[i] = id.Member(m)
	}
	return out, nil
}
