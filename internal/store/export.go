package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	entblock "github.com/acquaint/acquaint/ent/block"
	entconnection "github.com/acquaint/acquaint/ent/connection"
	entinvitation "github.com/acquaint/acquaint/ent/invitation"
	entmember "github.com/acquaint/acquaint/ent/member"
	entmessage "github.com/acquaint/acquaint/ent/message"
	entparticipant "github.com/acquaint/acquaint/ent/participant"
	entpublication "github.com/acquaint/acquaint/ent/publication"
	entreport "github.com/acquaint/acquaint/ent/report"
	"github.com/acquaint/acquaint/internal/export"
	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/report"
)

// Export implements export.Store.
func (s *Store) Export(ctx context.Context, m id.Member) (export.Data, error) {
	// On SQLite a transaction that only reads sees one moment anyway, and holds up no writer.
	options := &sql.TxOptions{ReadOnly: true}
	if s.dialect == dialect.Postgres {
		options.Isolation = sql.LevelRepeatableRead
	}
	t, err := s.client.BeginTx(ctx, options)
	if err != nil {
		return export.Data{}, err
	}
	defer t.Rollback() //nolint:errcheck // nothing was written
	r := exporter{client: t.Client(), dialect: s.dialect, self: uuid.UUID(m), people: make(map[uuid.UUID]bool)}
	for _, read := range []func(context.Context) error{
		r.account, r.profile, r.network, r.blocks, r.conversations, r.notifications, r.reports, r.others,
	} {
		if err := read(ctx); err != nil {
			return export.Data{}, err
		}
	}
	return r.data, nil
}

// exporter gathers what is stored about a member, in one transaction.
type exporter struct {
	client  *ent.Client
	dialect string
	self    uuid.UUID
	people  map[uuid.UUID]bool // whom it names
	data    export.Data
}

// inKeys is how many keys one statement asks for.
const inKeys = 500

func (r *exporter) account(ctx context.Context) error {
	row, err := r.client.Member.Query().Where(entmember.ID(r.self)).Select(entmember.FieldSubject).Only(ctx)
	if err != nil {
		return err
	}
	r.data.Subject = row.Subject
	if r.data.Account, err = onlyMember(ctx, r.client, membersBy(r.dialect, "id", r.self)); err != nil {
		return err
	}
	privacy := r.data.Account.Privacy
	r.data.Privacy = export.Privacy{
		WhoCanInvite: string(privacy.WhoCanInvite), WhoSeesConnections: string(privacy.WhoSeesConnections),
		WhoSeesProfile: string(privacy.WhoSeesProfile), ShareEmail: privacy.ShareEmail,
	}
	r.data.Preferences, err = preferencesOf(ctx, r.client, id.Member(r.self))
	return err
}

func (r *exporter) profile(ctx context.Context) error {
	row, err := r.client.Profile.Get(ctx, r.self)
	if ent.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	p := &export.Profile{About: textOf(row.About), Skills: row.Skills, Languages: row.Languages, Interests: row.Interests}
	for _, e := range row.Positions {
		p.Positions = append(p.Positions, export.Position{Company: e.Company, Title: e.Title, StartedOn: e.StartedOn, EndedOn: e.EndedOn})
	}
	for _, e := range row.Education {
		p.Education = append(p.Education, export.Education{School: e.School, Field: e.Field, StartedOn: e.StartedOn, EndedOn: e.EndedOn})
	}
	r.data.Profile = p
	return nil
}

func (r *exporter) network(ctx context.Context) error {
	var err error
	r.data.Connections, err = connections(r.client.Connection.Query().Where(entconnection.OwnerID(r.self)).
		Order(entconnection.ByConnectedAt(), entconnection.ByPeerID()).All(ctx))
	if err != nil {
		return err
	}
	for _, c := range r.data.Connections {
		r.people[uuid.UUID(c.Peer)] = true
	}
	r.data.Invitations, err = invitations(r.client.Invitation.Query().
		Where(entinvitation.Or(entinvitation.SenderID(r.self), entinvitation.RecipientID(r.self))).
		Order(entinvitation.BySentAt(), entinvitation.ByID()).All(ctx))
	for _, inv := range r.data.Invitations {
		r.people[uuid.UUID(inv.Sender)], r.people[uuid.UUID(inv.Recipient)] = true, true
	}
	return err
}

func (r *exporter) blocks(ctx context.Context) error {
	rows, err := r.client.Block.Query().Where(entblock.BlockerID(r.self)).
		Order(entblock.ByBlockedAt(), entblock.ByBlockedID()).All(ctx)
	for _, row := range rows {
		r.data.Blocked = append(r.data.Blocked, export.Blocked{Member: id.Member(row.BlockedID), BlockedAt: row.BlockedAt.UTC()})
		r.people[row.BlockedID] = true
	}
	return err
}

func (r *exporter) conversations(ctx context.Context) error {
	sides, err := r.client.Participant.Query().Where(entparticipant.MemberID(r.self)).
		Order(entparticipant.ByConversationID()).All(ctx)
	if err != nil {
		return err
	}
	at := make(map[uuid.UUID]int, len(sides))
	ids := make([]uuid.UUID, len(sides))
	for i, side := range sides {
		at[side.ConversationID], ids[i] = i, side.ConversationID
		r.data.Conversations = append(r.data.Conversations, export.Conversation{
			ID: id.Conversation(side.ConversationID), With: id.Member(side.OtherID),
		})
		r.people[side.OtherID] = true
	}
	for some := range slices.Chunk(ids, inKeys) {
		rows, err := r.client.Message.Query().Where(entmessage.ConversationIDIn(some...)).
			Order(entmessage.ByConversationID(), entmessage.ByNumber()).All(ctx)
		if err != nil {
			return err
		}
		for _, row := range rows {
			c := &r.data.Conversations[at[row.ConversationID]]
			c.Messages = append(c.Messages, export.Message{
				ID: id.Message(row.ID), Sender: id.Member(row.SenderID), Body: row.Body, SentAt: row.SentAt.UTC(),
			})
		}
	}
	return nil
}

func (r *exporter) notifications(ctx context.Context) error {
	b := statement(r.dialect)
	b.WriteString(selectNotifications + " WHERE member_id = ").Arg(r.self).WriteString(" ORDER BY sequence")
	query, args := b.Query()
	var err error
	if r.data.Notifications, err = scanNotifications(ctx, r.client, id.Member(r.self), query, args, 0); err != nil {
		return err
	}
	wanted := make(map[uuid.UUID]bool)
	for _, n := range r.data.Notifications {
		if !n.Actor.IsZero() {
			r.people[uuid.UUID(n.Actor)] = true
		}
		if n.Publication != (id.Publication{}) {
			wanted[uuid.UUID(n.Publication)] = true
		}
	}
	r.data.Publications = make(map[id.Publication]host.Publication, len(wanted))
	for some := range slices.Chunk(slices.Collect(maps.Keys(wanted)), inKeys) {
		rows, err := r.client.Publication.Query().Where(entpublication.IDIn(some...)).All(ctx)
		if err != nil {
			return err
		}
		for _, row := range rows {
			r.data.Publications[id.Publication(row.ID)] = toPublication(row)
		}
	}
	return nil
}

func (r *exporter) reports(ctx context.Context) error {
	var err error
	r.data.Reports, err = reports(r.client.Report.Query().Where(entreport.ReporterID(r.self)).
		Order(entreport.ByCreatedAt(), entreport.ByID()).All(ctx))
	for _, one := range r.data.Reports {
		r.people[uuid.UUID(one.Reported)] = true
	}
	return err
}

// others reads the members whom all this names, but for those whom a block hides.
func (r *exporter) others(ctx context.Context) error {
	hidden := make(map[uuid.UUID]bool)
	var blockers []uuid.UUID
	if err := r.client.Block.Query().Where(entblock.BlockedID(r.self)).Select(entblock.FieldBlockerID).Scan(ctx, &blockers); err != nil {
		return err
	}
	for _, b := range blockers {
		hidden[b] = true
	}
	for _, b := range r.data.Blocked {
		delete(hidden, uuid.UUID(b.Member)) // whom one has blocked, one knows, whatever they did
	}
	r.data.People = make(map[id.Member]member.Member, len(r.people))
	for some := range slices.Chunk(slices.Collect(maps.Keys(r.people)), inKeys) {
		if err := scanMembers(ctx, r.client, membersBy(r.dialect, "id", some...), func(row *memberRow) {
			if !hidden[row.own] {
				r.data.People[id.Member(row.own)] = row.member()
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

var (
	_ export.Store = (*Store)(nil)
	_ host.Store   = Hosts{}
	_ report.Store = Reports{}
)
