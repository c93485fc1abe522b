package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/message"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
)

// group is a transaction of many use cases: what was read for them, under their locks, and what they write.
type group struct {
	pool    *groupPool
	conn    *sql.Conn
	single  bool                                 // of one use case only
	inboxes map[id.Member]*inbox                 // of all members concerned, locked
	pairs   map[int]facts                        // what was read for an invite, by its job
	found   map[id.Invitation]network.Invitation // what the other jobs are about
	touched map[id.Member]bool                   // what was read of these is no longer true
	writes  groupWrites
}

// inbox is a locked row of inboxes, and as it is going to be.
type inbox struct {
	number, change int64
	muted          int64
	pausedUntil    *time.Time
}

// facts are what was read for an invite.
type facts struct {
	standing network.Standing
	open     *network.Invitation // the pair's
}

// decide runs a use case, and collects what it writes if it succeeds.
func (g *group) decide(ctx context.Context, n int, j *job) ([]notification.Hint, error) {
	known, ok := g.pairs[n]
	t := &groupTx{group: g, about: j.about, facts: known, unknown: !ok}
	if err := j.do(ctx, t); err != nil {
		return nil, err
	}
	if t.alone {
		return nil, errAlone
	}
	for _, m := range t.members {
		g.touched[m] = true
	}
	g.writes.add(t.writes)
	return g.number(t.entries), nil
}

// number gives entries their numbers, under the locks of their inboxes, as writeEntries does.
func (g *group) number(entries []entry) []notification.Hint {
	hints := make([]notification.Hint, 0, len(entries))
	for _, e := range entries {
		box := g.inboxes[e.member]
		if box == nil || box.muted&e.bit != 0 {
			continue
		}
		e.held = e.log == notification.InboxLog && box.pausedUntil != nil && box.pausedUntil.After(e.at)
		if e.log == notification.FeedLog {
			box.change++
			e.number = box.change
		} else {
			box.number++
			e.number = box.number
		}
		g.writes.entries = append(g.writes.entries, e)
		hints = append(hints, notification.Hint{Log: e.log, Member: e.member, Number: e.number, Entry: e.written(e.number, e.held)})
	}
	return hints
}

// groupTx is the Tx of a use case in a group. It answers from what was read, and collects what is written; for all else
// the use case gets errAlone.
type groupTx struct {
	group   *group
	about   network.About
	facts   facts
	unknown bool        // nothing was read for it
	members []id.Member // locked for it
	writes  groupWrites
	entries []entry
	alone   bool // it was given errAlone, whatever it made of that
}

var _ network.Tx = (*groupTx)(nil)

func (t *groupTx) giveUp() error {
	t.alone = true
	return errAlone
}

// Lock implements notification.Tx. The group has locked them before.
func (t *groupTx) Lock(_ context.Context, members ...id.Member) (bool, error) {
	t.members = members
	for _, m := range members {
		if t.group.inboxes[m] == nil {
			return false, nil
		}
		if t.group.touched[m] {
			return false, t.giveUp()
		}
	}
	return true, nil
}

// Invitation implements network.Tx.
func (t *groupTx) Invitation(_ context.Context, invitation id.Invitation) (network.Invitation, error) {
	if invitation != t.about.Invitation {
		return network.Invitation{}, t.giveUp()
	}
	inv, ok := t.group.found[invitation]
	if !ok {
		return inv, network.ErrNotFound
	}
	return inv, nil
}

// InsertInvitation implements network.Tx.
func (t *groupTx) InsertInvitation(_ context.Context, inv network.Invitation) (bool, error) {
	if t.unknown || inv.Sender != t.about.Sender || inv.Recipient != t.about.Recipient {
		return false, t.giveUp()
	}
	if t.facts.open != nil {
		return false, nil
	}
	t.writes.inserted = append(t.writes.inserted, inv)
	return true, nil
}

// OpenInvitation implements network.Tx.
func (t *groupTx) OpenInvitation(_ context.Context, a, b id.Member) (network.Invitation, error) {
	switch {
	case !slices.Contains([]id.Member{t.about.Sender, t.about.Recipient}, a),
		!slices.Contains([]id.Member{t.about.Sender, t.about.Recipient}, b):
		return network.Invitation{}, t.giveUp()
	case t.facts.open == nil:
		return network.Invitation{}, network.ErrNotFound
	}
	return *t.facts.open, nil
}

// Standing implements network.Tx.
func (t *groupTx) Standing(_ context.Context, sender, recipient id.Member, since time.Time) (network.Standing, error) {
	if t.unknown || sender != t.about.Sender || recipient != t.about.Recipient || !since.Equal(t.about.Since) {
		return network.Standing{}, t.giveUp()
	}
	standing := t.facts.standing
	standing.InWindow += len(t.writes.inserted)
	standing.Open += len(t.writes.inserted)
	return standing, nil
}

// ReplaceInvitation implements network.Tx.
func (t *groupTx) ReplaceInvitation(_ context.Context, before, after network.Invitation) error {
	t.writes.replaced = append(t.writes.replaced, replacement{before, after})
	return nil
}

// LiftBars implements network.Tx.
func (t *groupTx) LiftBars(_ context.Context, a, b id.Member) error {
	t.writes.lifted = append(t.writes.lifted, [2]id.Member{a, b})
	return nil
}

// Connect implements network.Tx.
func (t *groupTx) Connect(_ context.Context, a, b id.Member, at time.Time) error {
	t.writes.connected = append(t.writes.connected, connected{a, b, at})
	return nil
}

// Notify implements notification.Tx.
func (t *groupTx) Notify(_ context.Context, nid id.Notification, d notification.Draft, at time.Time) error {
	if !slices.Contains(t.members, d.Member) || d.Message != (id.Message{}) || d.Publication != (id.Publication{}) {
		return t.giveUp()
	}
	t.entries = append(t.entries, notificationEntry(nid, d, at))
	return nil
}

// Append implements notification.Tx.
func (t *groupTx) Append(_ context.Context, eid id.UUID, d feed.Draft) error {
	if !slices.Contains(t.members, d.Member) || d.Message != (id.Message{}) {
		return t.giveUp()
	}
	t.entries = append(t.entries, feedEntry(eid, d))
	return nil
}

// All else is rare, or may take long while others are locked.

// Blocked implements network.Tx.
func (t *groupTx) Blocked(context.Context, id.Member, id.Member) (bool, error) {
	return false, t.giveUp()
}

// HaveMutual implements network.Tx.
func (t *groupTx) HaveMutual(context.Context, id.Member, id.Member) (bool, error) {
	return false, t.giveUp()
}

// Usage implements network.Tx.
func (t *groupTx) Usage(context.Context, id.Member, time.Time, int, int) (network.Usage, error) {
	return network.Usage{}, t.giveUp()
}

// Bar implements network.Tx.
func (t *groupTx) Bar(context.Context, id.Member, id.Member, network.Bar) error { return t.giveUp() }

// Disconnect implements network.Tx.
func (t *groupTx) Disconnect(context.Context, id.Member, id.Member) (bool, error) {
	return false, t.giveUp()
}

// InsertBlock implements network.Tx.
func (t *groupTx) InsertBlock(context.Context, id.Member, id.Member, time.Time) (bool, error) {
	return false, t.giveUp()
}

// DeleteBlock implements network.Tx.
func (t *groupTx) DeleteBlock(context.Context, id.Member, id.Member) (bool, error) {
	return false, t.giveUp()
}

// Flag implements network.Tx.
func (t *groupTx) Flag(context.Context, id.Member, id.Member, time.Time) error { return t.giveUp() }

// FlagCount implements network.Tx.
func (t *groupTx) FlagCount(context.Context, id.Member, time.Time, time.Time) (network.FlagCount, error) {
	return network.FlagCount{}, t.giveUp()
}

// Restrict implements network.Tx.
func (t *groupTx) Restrict(context.Context, id.Member, network.Restriction) error { return t.giveUp() }

// Retract implements network.Tx.
func (t *groupTx) Retract(context.Context, id.Member, id.Invitation) error { return t.giveUp() }

// RetractFrom implements network.Tx.
func (t *groupTx) RetractFrom(context.Context, id.Member, id.Member) error { return t.giveUp() }

// MessageByKey implements message.Tx.
func (t *groupTx) MessageByKey(context.Context, id.Member, string) (message.Message, id.Member, error) {
	return message.Message{}, id.Member{}, t.giveUp()
}

// MessageStanding implements message.Tx.
func (t *groupTx) MessageStanding(context.Context, id.Member, id.Member) (message.Standing, error) {
	return message.Standing{}, t.giveUp()
}

// WriteMessage implements message.Tx.
func (t *groupTx) WriteMessage(context.Context, message.Message, id.Member, string, id.Conversation) (message.Message, error) {
	return message.Message{}, t.giveUp()
}

// LinkConversation implements message.Tx.
func (t *groupTx) LinkConversation(context.Context, id.Invitation, id.Conversation) error {
	return t.giveUp()
}

// groupWrites is what use cases write.
type groupWrites struct {
	inserted  []network.Invitation
	replaced  []replacement
	lifted    [][2]id.Member
	connected []connected
	entries   []entry // with their numbers
}

type replacement struct{ before, after network.Invitation }

type connected struct {
	a, b id.Member
	at   time.Time
}

func (w *groupWrites) add(more groupWrites) {
	w.inserted = append(w.inserted, more.inserted...)
	w.replaced = append(w.replaced, more.replaced...)
	w.lifted = append(w.lifted, more.lifted...)
	w.connected = append(w.connected, more.connected...)
}

func (w *groupWrites) empty() bool {
	return len(w.inserted) == 0 && len(w.replaced) == 0 && len(w.lifted) == 0 && len(w.connected) == 0 && len(w.entries) == 0
}
