package demo_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/demo"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// sizes counts what the demo made, for its first member.
func sizes(t *testing.T, s *store.Store) (connections, received int) {
	t.Helper()
	ctx := context.Background()
	ada, err := s.MemberByHandle(ctx, "ada")
	if err != nil {
		t.Fatal(err)
	}
	if connections, err = s.CountConnections(ctx, ada.ID); err != nil {
		t.Fatal(err)
	}
	if received, err = s.CountReceived(ctx, ada.ID, network.Pending); err != nil {
		t.Fatal(err)
	}
	return connections, received
}

// everybody gives the members of the demo.
func everybody(t *testing.T, s *store.Store) (all []id.Member) {
	t.Helper()
	for handle := range strings.FieldsSeq(`ada bruno chidi dilara emil fatima grace hiro ines jonas kavya leila mateo nadia oscar priya quentin rosa
		samuel tove umar valentina wen ximena yusuf zoe aiko ben clara dmitri`) {
		m, err := s.MemberByHandle(context.Background(), handle)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m.ID)
	}
	return all
}

// A start that was interrupted anywhere is completed by the next, and several at once make one demo.
func TestSeed(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		made := 0
		for _, interrupt := range []int{1, 5, 60, 120, 200} { // ids are made all along: count them to be anywhere
			ctx, cancel := context.WithCancel(context.Background())
			d := demo.New(s, "http://127.0.0.1:1", nil, app.Now, func() id.UUID {
				if made++; made >= interrupt {
					cancel()
				}
				return app.NewID()
			})
			if err := d.Seed(ctx); err == nil {
				t.Errorf("interrupted after %d ids, and no error", interrupt)
			}
			cancel()
		}
		var together sync.WaitGroup
		for range 3 {
			together.Go(func() {
				if err := demo.New(s, "http://127.0.0.1:2", nil, app.Now, app.NewID).Seed(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		together.Wait()
		connections, received := sizes(t, s)
		if connections < 3 || received != 3 {
			t.Errorf("%d connections and %d received invitations", connections, received)
		}
		if err := demo.New(s, "http://127.0.0.1:3", nil, app.Now, app.NewID).Seed(context.Background()); err != nil {
			t.Fatal(err)
		}
		told, err := s.Profiles(context.Background(), everybody(t, s))
		if err != nil || len(told) != 30 {
			t.Errorf("%d have told of themselves (%v)", len(told), err)
		}
		for _, p := range told {
			if p.About == "" || len(p.Positions) == 0 || p.Positions[0].Title == "" || len(p.Education) != 1 || len(p.Skills) < 3 || len(p.Languages) == 0 || len(p.Interests) < 3 {
				t.Errorf("hardly told: %+v", p)
			}
		}
		if c, r := sizes(t, s); c != connections || r != received {
			t.Errorf("another start made %d connections and %d invitations of %d and %d", c, r, connections, received)
		}
		ada, err := s.MemberByHandle(context.Background(), "ada")
		if err != nil || ada.PhotoURL != "http://127.0.0.1:3/dev/faces/ada.svg" {
			t.Errorf("the face is at %q (%v)", ada.PhotoURL, err)
		}
	})
}
