package host

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/refusal"
	"github.com/acquaint/acquaint/internal/text"
)

// What a publication may hold, in code points, and how many members it may be for.
const (
	keyMax      = 200
	titleMax    = 200
	bodyMax     = 2000
	urlMax      = 2048
	audienceMax = 100
)

// CodeMemberNotFound is what an actor gets who does not exist.
const CodeMemberNotFound refusal.Code = "MEMBER_NOT_FOUND"

// published are the categories that are the host application's.
var published = []notification.Category{
	notification.Mention, notification.Comment, notification.Like, notification.GroupUpdate, notification.WorkAnniversary,
}

// Publishes reports whether notifications of a category come from the host application.
func Publishes(c notification.Category) bool { return slices.Contains(published, c) }

// Publication is what the host application had members notified of.
type Publication struct {
	ID          id.Publication
	Key         string
	Fingerprint []byte    // of all that was asked for
	Actor       id.Member // zero for nobody
	Title       string
	Body        string // "" for none
	URL         string // "" for none
	Published   int    // how many members it was for
	At          time.Time
}

// PublishInput is what to notify whom of. Members are named by their subjects or ids, or some so and some so; the actor,
// if any, one way or the other.
type PublishInput struct {
	Key              string
	Category         notification.Category
	Subjects         []string
	Members          []id.Member
	Named            int // how many members were named in all, ids that are none included
	Actor            id.Member
	ActorSubject     string
	ActorNamed       int // in how many ways
	Title, Body, URL string
}

// Publish notifies members, and gives how many. Those who do not exist, are suspended, are the actor, or are in a block
// with the actor are passed over. Again with the same key it notifies nobody, and gives the same number.
func (s *Service) Publish(ctx context.Context, in PublishInput) (int, error) {
	if err := in.clean(); err != nil {
		return 0, err
	}
	fingerprint, err := in.fingerprint()
	if err != nil {
		return 0, err
	}
	bySubject, err := s.store.MembersBySubject(ctx, append(slices.Clone(in.Subjects), in.ActorSubject))
	if err != nil {
		return 0, err
	}
	audience := slices.Clone(in.Members)
	for _, subject := range in.Subjects {
		if m, ok := bySubject[subject]; ok {
			audience = append(audience, m)
		}
	}
	slices.SortFunc(audience, func(a, b id.Member) int { return slices.Compare(a[:], b[:]) })
	audience = slices.Compact(audience)
	if in.ActorSubject != "" {
		in.Actor = bySubject[in.ActorSubject]
	}

	var result Publication
	err = s.transact(ctx, func(ctx context.Context, tx Tx) error {
		var err error
		result, err = s.publish(ctx, tx, in, fingerprint, audience)
		return err
	})
	return result.Published, err
}

func (s *Service) publish(ctx context.Context, tx Tx, in PublishInput, fingerprint []byte, audience []id.Member) (Publication, error) {
	everybody := slices.Clone(audience)
	if !in.Actor.IsZero() {
		everybody = append(everybody, in.Actor)
	}
	if len(everybody) > 0 {
		if _, err := tx.Lock(ctx, everybody...); err != nil { // those who are not there are passed over below
			return Publication{}, err
		}
	}
	before, err := tx.Publication(ctx, in.Key)
	switch {
	case err == nil:
		if !slices.Equal(before.Fingerprint, fingerprint) {
			return Publication{}, refusal.New(refusal.Invalid, "Something else was published with this key.", "key")
		}
		return before, nil
	case !errors.Is(err, ErrNotFound):
		return Publication{}, err
	}
	standing, err := tx.Standing(ctx, everybody, in.Actor)
	if err != nil {
		return Publication{}, err
	}
	if in.ActorNamed > 0 && !standing[in.Actor].Exists {
		return Publication{}, refusal.New(CodeMemberNotFound, "There is no such actor.", in.actorField())
	}
	audience = slices.DeleteFunc(slices.Clone(audience), func(m id.Member) bool {
		of := standing[m]
		return m == in.Actor || !of.Exists || of.Suspended || of.Barred
	})
	p := Publication{
		ID: id.Publication(s.newID()), Key: in.Key, Fingerprint: fingerprint, Actor: in.Actor,
		Title: in.Title, Body: in.Body, URL: in.URL, Published: len(audience), At: s.now(),
	}
	inserted, err := tx.InsertPublication(ctx, p)
	if err != nil {
		return Publication{}, err
	}
	if !inserted { // another was faster, for other members
		return Publication{}, ErrStale
	}
	for _, m := range audience {
		draft := notification.Draft{Member: m, Category: in.Category, Actor: in.Actor, Publication: p.ID}
		if err := tx.Notify(ctx, id.Notification(s.newID()), draft, p.At); err != nil {
			return Publication{}, err
		}
	}
	return p, nil
}

func (in *PublishInput) clean() error {
	var err error
	if in.Key, err = (text.Rule{Max: keyMax, Required: true}).Clean(in.Key, "key"); err != nil {
		return err
	}
	if !Publishes(in.Category) {
		return refusal.New(refusal.Invalid, "Only MENTION, COMMENT, LIKE, GROUP_UPDATE and WORK_ANNIVERSARY are published.", "category")
	}
	if in.Named == 0 || in.Named > audienceMax {
		return refusal.New(refusal.Invalid, fmt.Sprintf("Name 1 to %d members, by subjects, memberIds or both.", audienceMax), "subjects")
	}
	if in.ActorNamed > 1 {
		return refusal.New(refusal.Invalid, "Name the actor one way: actorId or actorSubject.", "actorSubject")
	}
	if in.Title, err = (text.Rule{Max: titleMax, Required: true}).Clean(in.Title, "title"); err != nil {
		return err
	}
	if in.Body, err = (text.Rule{Max: bodyMax, Lines: true}).Clean(in.Body, "body"); err != nil {
		return err
	}
	if in.URL, err = (text.Rule{Max: urlMax}).Clean(in.URL, "url"); err != nil || in.URL == "" {
		return err
	}
	// So that no client is made to run it.
	if u, err := url.Parse(in.URL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return refusal.New(refusal.Invalid, "The address starts with https:// or http://.", "url")
	}
	return nil
}

func (in *PublishInput) actorField() string {
	if in.ActorSubject != "" {
		return "actorSubject"
	}
	return "actorId"
}

// fingerprint is a hash of all that is asked for, whatever the order in which members are named.
func (in *PublishInput) fingerprint() ([]byte, error) {
	subjects, members := slices.Clone(in.Subjects), slices.Clone(in.Members)
	slices.Sort(subjects)
	slices.SortFunc(members, func(a, b id.Member) int { return slices.Compare(a[:], b[:]) })
	raw, err := json.Marshal([]any{
		in.Category, subjects, members, in.Named, in.Actor, in.ActorSubject, in.ActorNamed, in.Title, in.Body, in.URL,
	})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	return sum[:], nil
}
