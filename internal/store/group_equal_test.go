package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/refusal"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// society is a network of its own, in which the same happens as in another.
type society struct {
	store   *store.Store
	db      *sql.DB
	network *network.Service
	members []id.Member

	mu   sync.Mutex
	open map[[2]int]id.Invitation // the last invitation from one to another
}

func (s *society) last(from, to int) id.Invitation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[[2]int{from, to}]
}

func newSociety(t *testing.T, address string, now func() time.Time, alone bool) *society {
	t.Helper()
	s := &society{store: storetest.Open(t, address, store.Options{Alone: alone})}
	policy := network.DefaultPolicy()
	policy.InvitationLimit, policy.OpenInvitationLimit, policy.InvitationWindow = 2, 2, 100*time.Hour
	policy.ReminderInterval, policy.ReinviteCooldown = 5*time.Hour, 50*time.Hour
	s.network = network.NewService(s.store, unwoken{}, policy, now, app.NewID)
	s.db, _, _ = rawDB(t, address)
	return s
}

// populate makes new members.
func (s *society) populate(t rapid.TB, life, n int) {
	t.Helper()
	s.members, s.open = nil, make(map[[2]int]id.Invitation)
	service := member.NewService(s.store, app.Now, app.NewID)
	for i := range n {
		m, err := service.SignIn(context.Background(), member.Claims{Subject: fmt.Sprint(life, "-", i), PreferredUsername: fmt.Sprintf("m%dof%d", i, life)})
		if err != nil {
			t.Fatal(err)
		}
		s.members = append(s.members, m.ID)
	}
}

// deed is something that a member does to another.
type deed struct {
	what     string
	from, to int
}

// do does it, and tells what came of it.
func (s *society) do(d deed) string {
	ctx := context.Background()
	from, to := s.members[d.from], s.members[d.to]
	var (
		inv network.Invitation
		err error
	)
	switch d.what {
	case "invite":
		inv, err = s.network.Invite(ctx, from, network.InviteInput{Recipient: to, Note: `Grüße, "friend" {\}, NULL`})
		if err == nil && inv.Sender == from {
			s.mu.Lock()
			s.open[[2]int{d.from, d.to}] = inv.ID
			s.mu.Unlock()
		}
	case "withdraw":
		inv, err = s.network.Withdraw(ctx, from, s.last(d.from, d.to))
	case "remind":
		inv, err = s.network.Remind(ctx, from, s.last(d.from, d.to))
	case "remove":
		err = s.network.Remove(ctx, from, to)
	case "block":
		err = s.network.Block(ctx, from, to)
	case "unblock":
		err = s.network.Unblock(ctx, from, to)
	case "mute":
		_, err = s.db.ExecContext(ctx, "UPDATE inboxes SET muted = 3 - muted WHERE member_id = $1", from.String())
	case "pause":
		_, err = s.db.ExecContext(ctx, "UPDATE inboxes SET paused_until = now() + interval '100 years' WHERE member_id = $1", from.String())
	default:
		inv, err = s.network.Respond(ctx, from, s.last(d.to, d.from), network.Action(d.what), "")
	}
	if refused, ok := errors.AsType[*refusal.Error](err); ok {
		return fmt.Sprint(refused.Code, refused.RetryAt)
	}
	return fmt.Sprint(inv.State, inv.SentAt, inv.AcceptedAt, inv.Reminders, inv.RemindedAt, inv.ListedAt, inv.Note, inv.Flagged, err)
}

// rows are all that concerns the members, without ids that differ between networks.
func (s *society) rows(t *rapid.T) string {
	var all strings.Builder
	const names = ` WITH who AS (SELECT id, handle FROM members) `
	for _, query := range []string{
		`SELECT a.handle, b.handle, c.handle, d.handle, i.state, i.flagged, i.note, i.acquaintance, i.sent_at, i.accepted_at, i.reminders, i.reminded_at, i.listed_at
			FROM invitations i JOIN who a ON a.id = i.sender_id JOIN who b ON b.id = i.recipient_id
			LEFT JOIN who c ON c.id = i.pair_lo LEFT JOIN who d ON d.id = i.pair_hi ORDER BY 1, 2, i.sent_at, i.id`,
		`SELECT a.handle, b.handle, connected_at FROM connections JOIN who a ON a.id = owner_id JOIN who b ON b.id = peer_id ORDER BY 1, 2`,
		`SELECT a.handle, b.handle, declined_at, withdrawn_at FROM reinvite_bars JOIN who a ON a.id = sender_id JOIN who b ON b.id = recipient_id ORDER BY 1, 2`,
		`SELECT a.handle, n.sequence, n.category, b.handle, i.sent_at, n.reminder, n.held, n.created_at FROM notifications n JOIN who a ON a.id = n.member_id
			LEFT JOIN who b ON b.id = n.actor_id LEFT JOIN invitations i ON i.id = n.invitation_id ORDER BY 1, 2`,
		`SELECT a.handle, f.number, f.kind, b.handle, i.sent_at FROM feed_entries f JOIN who a ON a.id = f.member_id
			LEFT JOIN who b ON b.id = f.other_id LEFT JOIN invitations i ON i.id = f.invitation_id ORDER BY 1, 2`,
		`SELECT a.handle, last_number, last_change FROM inboxes JOIN who a ON a.id = member_id ORDER BY 1`,
	} {
		rows, err := s.db.Query(names + "SELECT r::text FROM (" + query + ") r")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var row string
			if err := rows.Scan(&row); err != nil {
				t.Fatal(err)
			}
			all.WriteString(row + "\n")
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		all.WriteString("\n")
	}
	return all.String()
}

// Whatever members do to each other, in groups it leaves the same rows and gives the same answers as one by one.
func TestGroupsAreAsAlone(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	grouped, alone := newSociety(t, storetest.EmptyPostgres(t), clock, false), newSociety(t, storetest.EmptyPostgres(t), clock, true)
	life := 0
	rapid.Check(t, func(t *rapid.T) {
		life++
		const members = 4
		grouped.populate(t, life, members)
		alone.populate(t, life, members)
		whats := []string{
			"invite", "invite", "invite", "invite", "accept", "accept", "ignore", "decline", "dont_know", "remind", "remind",
			"withdraw", "remove", "block", "unblock", "mute", "pause",
		}
		for range rapid.IntRange(10, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "hours")) * time.Hour)
			// Two deeds at the same time, of four members.
			who := rapid.Permutation([]int{0, 1, 2, 3}).Draw(t, "who")
			deeds := make([]deed, members/2)
			for i := range deeds {
				deeds[i] = deed{rapid.SampledFrom(whats).Draw(t, "what"), who[2*i], who[2*i+1]}
			}
			want := make([]string, len(deeds))
			for i, d := range deeds {
				want[i] = alone.do(d)
			}
			got := make([]string, len(deeds))
			var all sync.WaitGroup
			for i, d := range deeds {
				all.Go(func() { got[i] = grouped.do(d) })
			}
			all.Wait()
			for i := range deeds {
				if got[i] != want[i] {
					t.Fatalf("%+v\nin a group %s\nalone      %s", deeds[i], got[i], want[i])
				}
			}
		}
		if a, b := grouped.rows(t), alone.rows(t); a != b {
			t.Fatalf("in groups\n%s\nalone\n%s", a, b)
		}
	})
}
