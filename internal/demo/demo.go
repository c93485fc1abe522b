package demo

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/refusal"
)

// Store is the tables, as the domains see them.
type Store interface {
	member.Store
	network.Store
	notification.Store
}

// Demo makes the demo members and signs people in as them.
type Demo struct {
	store  Store
	base   string // where the server is reached, for the faces
	secret []byte
	now    func() time.Time
	newID  id.Source
}

// New makes a Demo for a server at a base URL whose tokens are signed with the secret.
func New(store Store, base string, secret []byte, now func() time.Time, newID id.Source) *Demo {
	return &Demo{store: store, base: base, secret: secret, now: now, newID: newID}
}

func subject(handle string) string { return "demo-" + handle }

func (d *Demo) face(handle string) string { return d.base + "/dev/faces/" + handle + ".svg" }

// nobody is woken while the demo is made.
type nobody struct{}

func (nobody) Wake(...notification.Hint) {}

// past is a clock that begins some months ago and moves on with every look, never past the present.
type past struct {
	next time.Time
	now  func() time.Time
}

func (p *past) look() time.Time {
	const step = 3*time.Hour + 17*time.Minute
	if next := p.next.Add(step); next.Before(p.now()) {
		p.next = next
	}
	return p.next
}

// Seed makes the demo members and their network, unless they are there, and says where their faces are now. Every step
// can be done again, so that a start that was interrupted, or two at once, do no harm; the first member's face, which is
// set last, tells that all is done.
func (d *Demo) Seed(ctx context.Context) error {
	const months = 5 * 30 * 24 * time.Hour
	clock := &past{next: d.now().Add(-months), now: d.now}
	members := member.NewService(d.store, clock.look, d.newID)
	first, err := d.store.MemberBySubject(ctx, subject(people[0].handle))
	switch {
	case err == nil && first.PhotoURL != "":
		return d.setFaces(ctx, members)
	case err != nil && !errors.Is(err, member.ErrNotFound):
		return err
	}

	ids := make(map[string]id.Member, len(people))
	for _, p := range people {
		m, err := members.SignIn(ctx, member.Claims{
			Subject: subject(p.handle), Name: p.name, PreferredUsername: p.handle, Email: p.handle + "@example.org",
		})
		if err != nil {
			return err
		}
		ids[p.handle] = m.ID
		if _, err := members.Update(ctx, m.ID, member.Update{
			Headline: &p.headline, Company: &p.company, Industry: &p.industry, Location: &p.location, Profile: p.profile(),
		}); err != nil {
			return err
		}
		if privacy, ok := private[p.handle]; ok {
			if _, err := members.UpdatePrivacy(ctx, m.ID, privacy); err != nil {
				return err
			}
		}
	}
	connections := network.NewService(d.store, nobody{}, network.DefaultPolicy(), clock.look, d.newID)
	for _, pair := range connected() {
		if err := connect(ctx, connections, ids[pair[0]], ids[pair[1]]); err != nil {
			return err
		}
	}
	if err := d.readAll(ctx, ids); err != nil {
		return err
	}
	for _, p := range pending {
		_, err := connections.Invite(ctx, ids[p.from], network.InviteInput{
			Recipient: ids[p.to], Note: p.note, Acquaintance: network.BusinessContact,
		})
		if err != nil && !isRefusal(err) {
			return err
		}
	}
	return d.setFaces(ctx, members)
}

// connect makes two members connected, if they are not.
func connect(ctx context.Context, connections *network.Service, a, b id.Member) error {
	inv, err := connections.Invite(ctx, a, network.InviteInput{Recipient: b, Acquaintance: network.Colleague})
	if err != nil && !isRefusal(err) {
		return err
	}
	if inv.State != network.Pending { // connected before
		return nil
	}
	_, err = connections.Respond(ctx, b, inv.ID, network.Accept, "")
	if err != nil && !isRefusal(err) {
		return err
	}
	return nil
}

// isRefusal reports whether what was asked for had been done already, by this start or another.
func isRefusal(err error) bool {
	var refused *refusal.Error
	return errors.As(err, &refused)
}

// connected are the pairs that know each other: most of every team, and the bridges.
func connected() [][2]string {
	var pairs [][2]string
	const skipped = 4 // every fourth pair of a team has not met
	n := 0
	for i, a := range people {
		for _, b := range people[i+1:] {
			if a.team != b.team || a.team == 5 { // the last team are independents
				continue
			}
			if n++; n%skipped != 0 {
				pairs = append(pairs, [2]string{a.handle, b.handle})
			}
		}
	}
	return append(pairs, bridges...)
}

// readAll marks what the making of the network notified as read: the demo begins with what waits for an answer.
func (d *Demo) readAll(ctx context.Context, ids map[string]id.Member) error {
	inbox := notification.NewService(d.store, nobody{}, d.now, d.newID)
	all := int64(len(people) * len(people))
	for _, m := range ids {
		if _, err := inbox.MarkRead(ctx, m, notification.Mark{Through: &all}); err != nil {
			return err
		}
	}
	return nil
}

// setFaces says where the faces are: at the address where the server is now. A picture that a member has chosen since
// stays.
func (d *Demo) setFaces(ctx context.Context, members *member.Service) error {
	for i := range people {
		p := people[len(people)-1-i] // the first one last
		m, err := d.store.MemberBySubject(ctx, subject(p.handle))
		if err != nil {
			return err
		}
		face := d.face(p.handle)
		ours := m.PhotoURL == "" || strings.HasSuffix(m.PhotoURL, "/dev/faces/"+p.handle+".svg")
		if ours && m.PhotoURL != face {
			if _, err := members.Update(ctx, m.ID, member.Update{PhotoURL: &face}); err != nil {
				return err
			}
		}
	}
	return nil
}
