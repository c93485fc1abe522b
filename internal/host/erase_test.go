package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/refusal"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// quiet is a waker, and an access, that does nothing.
type quiet struct{}

func (quiet) Wake(...notification.Hint) {}
func (quiet) End(...id.Member)          {}

// An erasure that is interrupted, wherever that is, has taken the access away or done nothing; whoever goes on finishes
// it, and tells each of the others once.
func TestEraseInterrupted(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		var (
			left atomic.Int64 // statements until the database fails
			stop atomic.Pointer[context.CancelFunc]
		)
		left.Store(-1)
		s := storetest.Open(t, database, store.Options{Observe: func(string, []any) {
			if left.Add(-1) == 0 {
				(*stop.Load())()
			}
		}})
		members := member.NewService(s, app.Now, app.NewID)
		relations := network.NewService(s, quiet{}, network.DefaultPolicy(), app.Now, app.NewID)
		hosts := host.NewService(store.Hosts{Store: s}, quiet{}, quiet{}, app.Now, app.NewID)
		signIn := func(subject string) id.Member {
			m, err := members.SignIn(t.Context(), member.Claims{Subject: subject})
			if err != nil {
				t.Fatal(err)
			}
			return m.ID
		}
		ben, cyd := signIn("ben"), signIn("cyd")
		ended := func(of, by id.Member) (n int) {
			start := notification.Cursor{Member: of}
			entries, err := (store.Feeds{Store: s}).After(t.Context(), []notification.Cursor{start}, 10_000)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries[start] {
				if e.Other == by && (e.Kind == feed.ConnectionRemoved || e.Kind == feed.InvitationClosed && e.Invitation == id.Invitation{}) {
					n++
				}
			}
			return n
		}
		for statements := int64(1); ; statements++ {
			subject := fmt.Sprint("ada", statements)
			ada := signIn(subject)
			invitation, err := relations.Invite(t.Context(), ada, network.InviteInput{Recipient: ben})
			if err == nil {
				_, err = relations.Respond(t.Context(), ben, invitation.ID, network.Accept, "")
			}
			if err == nil {
				_, err = relations.Invite(t.Context(), cyd, network.InviteInput{Recipient: ada})
			}
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			stop.Store(&cancel)
			left.Store(statements)
			_, failed := hosts.Delete(ctx, subject)
			left.Store(-1)
			cancel()

			// Either nothing has happened, and the host asks again, or the task goes on.
			if _, err := hosts.Delete(t.Context(), subject); err != nil {
				if refused, ok := errors.AsType[*refusal.Error](err); !ok || refused.Code != member.CodeNotFound {
					t.Fatal(err)
				}
			}
			if err := hosts.FinishErasures(t.Context(), func() error { return nil }); err != nil {
				t.Fatal(err)
			}
			if _, err := s.MemberBySubject(t.Context(), subject); !errors.Is(err, member.ErrNotFound) {
				t.Fatalf("interrupted at statement %d: %v", statements, err)
			}
			if left, err := (store.Hosts{Store: s}).TiedTo(t.Context(), ada, 10); err != nil || len(left) > 0 {
				t.Fatalf("interrupted at statement %d: still tied to %v (%v)", statements, left, err)
			}
			if n, m := ended(ben, ada), ended(cyd, ada); n != 1 || m != 1 {
				t.Fatalf("interrupted at statement %d: the others were told %d and %d times", statements, n, m)
			}
			if list, err := (store.Hosts{Store: s}).Erasing(t.Context(), 10); err != nil || len(list) > 0 {
				t.Fatalf("interrupted at statement %d: unfinished %v (%v)", statements, list, err)
			}
			if failed == nil { // so many statements it does not need
				break
			}
		}
	})
}
