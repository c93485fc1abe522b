package store

import (
	"context"
	"database/sql"
	"errors"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	entblock "github.com/acquaint/acquaint/ent/block"
	entmember "github.com/acquaint/acquaint/ent/member"
	entpublication "github.com/acquaint/acquaint/ent/publication"
	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// Hosts is the tables, as the host application's use cases see them.
type Hosts struct{ *Store }

// Transact implements host.Store.
func (h Hosts) Transact(ctx context.Context, do func(ctx context.Context, tx host.Tx) error) ([]notification.Hint, error) {
	return h.writeLogs(ctx, func(t *tx) error { return do(ctx, hostTx{t}) })
}

// hostTx is the tables in one transaction, as the host application's use cases see them.
type hostTx struct{ *tx }

// MembersBySubject implements host.Store.
func (h Hosts) MembersBySubject(ctx context.Context, subjects []string) (map[string]id.Member, error) {
	rows, err := h.client.Member.Query().Where(entmember.SubjectIn(subjects...), entmember.ErasedAtIsNil()).
		Select(entmember.FieldID, entmember.FieldSubject).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]id.Member, len(rows))
	for _, row := range rows {
		out[row.Subject] = id.Member(row.ID)
	}
	return out, nil
}

// PublicationsByID implements host.Store.
func (h Hosts) PublicationsByID(ctx context.Context, ids []id.Publication) ([]host.Publication, error) {
	rows, err := h.client.Publication.Query().Where(entpublication.IDIn(uuids(ids)...)).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]host.Publication, len(rows))
	for i, row := range rows {
		out[i] = toPublication(row)
	}
	return out, nil
}

// Publication implements host.Tx.
func (t hostTx) Publication(ctx context.Context, key string) (host.Publication, error) {
	row, err := t.client.Publication.Query().Where(entpublication.Key(key)).Only(ctx)
	if ent.IsNotFound(err) {
		return host.Publication{}, host.ErrNotFound
	}
	if err != nil {
		return host.Publication{}, err
	}
	return toPublication(row), nil
}

// InsertPublication implements host.Tx.
func (t hostTx) InsertPublication(ctx context.Context, p host.Publication) (bool, error) {
	err := t.client.Publication.Create().
		SetID(uuid.UUID(p.ID)).SetKey(p.Key).SetFingerprint(p.Fingerprint).SetNillableActorID(optionalID(p.Actor)).
		SetTitle(p.Title).SetNillableBody(optionalText(p.Body)).SetNillableURL(optionalText(p.URL)).
		SetPublished(p.Published).SetPublishedAt(p.At).
		OnConflict(entsql.ConflictColumns(entpublication.FieldKey), entsql.DoNothing()).Exec(ctx)
	if errors.Is(err, sql.ErrNoRows) { // what ent makes of DO NOTHING having done nothing
		return false, nil
	}
	return err == nil, err
}

// Standing implements host.Tx.
func (t hostTx) Standing(ctx context.Context, members []id.Member, actor id.Member) (map[id.Member]host.Standing, error) {
	ids := uuids(members)
	rows, err := t.client.Member.Query().Where(entmember.IDIn(ids...), entmember.ErasedAtIsNil()).
		Select(entmember.FieldID, entmember.FieldSuspendedAt).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[id.Member]host.Standing, len(rows))
	for _, row := range rows {
		out[id.Member(row.ID)] = host.Standing{Exists: true, Suspended: row.SuspendedAt != nil}
	}
	if actor.IsZero() {
		return out, nil
	}
	self := uuid.UUID(actor)
	blocks, err := t.client.Block.Query().Where(entblock.Or(
		entblock.And(entblock.BlockerID(self), entblock.BlockedIDIn(ids...)),
		entblock.And(entblock.BlockedID(self), entblock.BlockerIDIn(ids...)),
	)).All(ctx)
	if err != nil {
		return nil, err
	}
	for _, block := range blocks {
		for _, side := range []uuid.UUID{block.BlockerID, block.BlockedID} {
			if standing, ok := out[id.Member(side)]; ok && side != self {
				standing.Barred = true
				out[id.Member(side)] = standing
			}
		}
	}
	return out, nil
}

func toPublication(row *ent.Publication) host.Publication {
	p := host.Publication{
		ID: id.Publication(row.ID), Key: row.Key, Fingerprint: row.Fingerprint, Title: row.Title, Body: textOf(row.Body),
		URL: textOf(row.URL), Published: row.Published, At: row.PublishedAt.UTC(),
	}
	if row.ActorID != nil {
		p.Actor = id.Member(*row.ActorID)
	}
	return p
}
