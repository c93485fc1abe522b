package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/refusal"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// unwoken wakes nobody.
type unwoken struct{}

func (unwoken) Wake(...notification.Hint) {}

// grouping is a store whose groups can be held up.
type grouping struct {
	*store.Store

	db      *sql.DB
	network *network.Service
	members []id.Member
	locks   chan struct{} // for each statement that locks a group's members
	inserts atomic.Int64  // statements that insert invitations
	alone   atomic.Int64  // those of them that are of no group
}

func newGrouping(t *testing.T, members int) *grouping {
	t.Helper()
	return newGroupingAt(t, storetest.EmptyPostgres(t)+patiently, members)
}

// patiently is for who holds up groups for longer than they bear.
const patiently = "&lock_timeout=1min"

func newGroupingAt(t *testing.T, address string, members int) *grouping {
	t.Helper()
	g := &grouping{locks: make(chan struct{}, 1000)}
	g.Store = storetest.Open(t, address, store.Options{Observe: func(query string, _ []any) {
		if strings.Contains(query, "last_number") && strings.Contains(query, "FOR NO KEY UPDATE") {
			g.locks <- struct{}{}
		}
		if strings.Contains(query, "INSERT INTO invitations") || strings.Contains(query, `INSERT INTO "invitations"`) {
			g.inserts.Add(1)
			if !strings.HasPrefix(query, "WITH") {
				g.alone.Add(1)
			}
		}
	}})
	g.network = network.NewService(g.Store, unwoken{}, network.DefaultPolicy(), app.Now, app.NewID)
	service := member.NewService(g.Store, app.Now, app.NewID)
	for n := range members {
		m, err := service.SignIn(t.Context(), member.Claims{Subject: fmt.Sprint("member ", n)})
		if err != nil {
			t.Fatal(err)
		}
		g.members = append(g.members, m.ID)
	}
	var err error
	if g.db, err = sql.Open("postgres", address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.db.Close() })
	return g
}

// hold holds up all groups, with an invitation from every second of the first members to the one that is so many further,
// until release is called.
func (g *grouping) hold(t *testing.T, all *sync.WaitGroup, further int) (release func(), taken int) {
	t.Helper()
	tx, err := g.db.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "SELECT FROM inboxes FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	for len(g.locks) > 0 { // of groups that are over
		<-g.locks
	}
	for n := range g.GroupsAtOnce() {
		all.Go(func() {
			if _, err := g.invite(2*n, 2*n+further); err != nil {
				t.Error(err)
			}
		})
		<-g.locks
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}, 2 * g.GroupsAtOnce()
}

func (g *grouping) invite(from, to int) (network.Invitation, error) {
	return g.network.Invite(context.Background(), g.members[from], network.InviteInput{Recipient: g.members[to]})
}

// waiting is what the metrics say of how many wait for a group.
func waiting(t *testing.T, s *store.Store) float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(s.Metrics()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "acquaint_group_waiting" {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatal("no such metric")
	return 0
}

// Use cases that come while others are under way share a transaction, each with its own outcome.
func TestGroup(t *testing.T) {
	t.Parallel()
	const invites = 20
	g := newGrouping(t, 200)
	var all sync.WaitGroup
	release, first := g.hold(t, &all, 1)
	for n := range invites {
		all.Go(func() {
			if _, err := g.invite(first+2*n, first+2*n+1); err != nil {
				t.Error(err)
			}
		})
	}
	boom := errors.New("boom")
	all.Go(func() { // refused
		nobody := id.Member(app.NewID())
		_, err := g.network.Invite(context.Background(), g.members[190], network.InviteInput{Recipient: nobody})
		if refused, ok := errors.AsType[*refusal.Error](err); !ok || refused.Code != network.CodeMemberNotFound {
			t.Errorf("inviting nobody gave %v", err)
		}
	})
	all.Go(func() { // fails after it has written
		about := network.About{Sender: g.members[192], Recipient: g.members[193], Since: app.Now()}
		_, err := g.TransactTogether(context.Background(), about, func(ctx context.Context, tx network.Tx) error {
			_, err := tx.InsertInvitation(ctx, network.Invitation{
				ID: id.Invitation(app.NewID()), Sender: about.Sender, Recipient: about.Recipient, State: network.Pending,
				Acquaintance: network.Other, SentAt: app.Now(), ListedAt: app.Now(),
			})
			return errors.Join(err, boom)
		})
		if !errors.Is(err, boom) {
			t.Errorf("gave %v", err)
		}
	})
	ctx, leave := context.WithCancel(context.Background())
	left := make(chan error, 1)
	go func() { // leaves before its turn
		_, err := g.network.Invite(ctx, g.members[194], network.InviteInput{Recipient: g.members[195]})
		left <- err
	}()
	g.WaitForGroups(invites + 3)
	if n := waiting(t, g.Store); n != invites+3 {
		t.Errorf("the metric says that %v wait", n)
	}
	leave()
	if err := <-left; !errors.Is(err, refusal.ErrUnavailable) {
		t.Errorf("who left got %v", err)
	}
	release()
	all.Wait()
	if n := g.inserts.Load(); n > int64(g.GroupsAtOnce())+2 {
		t.Errorf("%d statements inserted the invitations", n)
	}
	for n, m := range g.members {
		sent, err := g.CountSent(t.Context(), m)
		if want := n%2 == 0 && n < first+2*invites; err != nil || (sent == 1) != want {
			t.Errorf("member %d has sent %d (%v)", n, sent, err)
		}
		inbox, err := g.CountNotifications(t.Context(), m)
		if want := n%2 == 1 && n < first+2*invites; err != nil || (inbox == 1) != want {
			t.Errorf("member %d has %d notifications (%v)", n, inbox, err)
		}
	}
}

// A use case that panics, or breaks the statement of its group, does so to itself alone.
func TestGroupOfOneThatFails(t *testing.T) {
	t.Parallel()
	g := newGrouping(t, 40)
	var all sync.WaitGroup
	release, first := g.hold(t, &all, 1)
	for n := range 5 {
		all.Go(func() {
			if _, err := g.invite(first+2*n, first+2*n+1); err != nil {
				t.Error(err)
			}
		})
	}
	all.Go(func() {
		defer func() {
			if recover() == nil {
				t.Error("nothing panicked")
			}
		}()
		_, _ = g.TransactTogether(context.Background(), network.About{Sender: g.members[30], Recipient: g.members[31], Since: app.Now()},
			func(context.Context, network.Tx) error { panic("boom") })
	})
	g.WaitForGroups(6)
	release()
	all.Wait()

	release, _ = g.hold(t, &all, 3)
	taken := network.Invitation{
		ID: id.Invitation(app.NewID()), State: network.Pending, Acquaintance: network.Other, SentAt: app.Now(), ListedAt: app.Now(),
	}
	failures := make(chan error, 2)
	for n := range 2 { // both insert under the same id
		all.Go(func() {
			inv := taken
			inv.Sender, inv.Recipient = g.members[32+2*n], g.members[33+2*n]
			_, err := g.TransactTogether(context.Background(), network.About{Sender: inv.Sender, Recipient: inv.Recipient, Since: app.Now()},
				func(ctx context.Context, tx network.Tx) error {
					_, err := tx.InsertInvitation(ctx, inv)
					return err
				})
			failures <- err
		})
	}
	all.Go(func() {
		if _, err := g.invite(36, 37); err != nil {
			t.Error(err)
		}
	})
	g.WaitForGroups(3)
	release()
	all.Wait()
	if a, b := <-failures, <-failures; (a == nil) == (b == nil) {
		t.Errorf("two under one id gave %v and %v", a, b)
	}
	for n := range g.GroupsAtOnce() + 5 {
		if sent, err := g.CountSent(t.Context(), g.members[2*n]); err != nil || sent < 1 {
			t.Errorf("member %d has sent %d (%v)", 2*n, sent, err)
		}
	}
}
