package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/acquaint/acquaint/bench/internal/harness"
)

// sent is an invitation that was sent, to be accepted.
type sent struct {
	recipient  int
	invitation string
}

// clientsOf measures invites, and then accepts of those.
func (s *settings) clientsOf(ctx context.Context, server *harness.Server) (invites, accepts float64, err error) {
	tokens := make([]string, s.senders+1)
	for n := 1; n <= s.senders; n++ {
		if tokens[n], err = harness.Token(harness.Subject(n)); err != nil {
			return 0, 0, err
		}
	}
	if s.profile != "" {
		go s.takeProfile(server)
	}
	lists := make([][]sent, s.clients)
	perSecond, err := s.load(ctx, server, func(client int, c *caller) error {
		sender, recipient := 1+rand.IntN(s.senders), 1+rand.IntN(s.members) //nolint:gosec // a load, no secret
		if sender == recipient {
			return nil
		}
		id, err := harness.GlobalID(recipient)
		if err != nil {
			return err
		}
		var data struct {
			InviteMember struct {
				Invitation *struct{ ID string }
				UserErrors []struct{ Code string }
			}
		}
		if err := c.call(tokens[sender], `mutation($m: ID!) { inviteMember(input: {memberId: $m}) { invitation { id } userErrors { code } } }`,
			map[string]any{"m": id}, &data); err != nil {
			return err
		}
		if len(data.InviteMember.UserErrors) == 0 {
			lists[client] = append(lists[client], sent{recipient, data.InviteMember.Invitation.ID})
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	signed := make([]map[int]string, s.clients)
	for client, list := range lists { // not while the clock runs
		signed[client] = make(map[int]string, len(list))
		for _, i := range list {
			if signed[client][i.recipient], err = harness.Token(harness.Subject(i.recipient)); err != nil {
				return 0, 0, err
			}
		}
	}
	accepted, err := s.load(ctx, server, func(client int, c *caller) error {
		list := lists[client]
		if len(list) == 0 {
			return errDone
		}
		last := list[len(list)-1]
		lists[client] = list[:len(list)-1]
		return c.call(signed[client][last.recipient], `mutation($i: ID!) {
			respondToInvitation(input: {invitationId: $i, response: ACCEPT}) { invitation { state } userErrors { code } } }`,
			map[string]any{"i": last.invitation}, &struct{}{})
	})
	return perSecond, accepted, err
}

// errDone is a client's that has nothing left to do.
var errDone = errors.New("done")

// load lets all clients do something again and again for a phase, and gives how often a second it was done.
func (s *settings) load(ctx context.Context, server *harness.Server, do func(client int, c *caller) error) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, s.phase)
	defer cancel()
	var (
		all   sync.WaitGroup
		done  atomic.Int64
		mu    sync.Mutex
		first error
	)
	begin := time.Now()
	for client := range s.clients {
		all.Go(func() {
			c := &caller{address: strings.TrimPrefix(server.URL, "http://")}
			defer c.close()
			for ctx.Err() == nil {
				if err := do(client, c); err != nil {
					mu.Lock()
					if first == nil && !errors.Is(err, errDone) {
						first = err
					}
					mu.Unlock()
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	return float64(done.Load()) / time.Since(begin).Seconds(), first
}

// takeProfile writes a profile of the server's processors while it is invited on.
func (s *settings) takeProfile(server *harness.Server) {
	seconds := max(1, int(s.phase.Seconds())-1)
	response, err := http.Get(fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", server.Metrics, seconds)) //nolint:noctx // as long as asked for
	if err != nil {
		return
	}
	defer response.Body.Close()
	if profile, err := io.ReadAll(response.Body); err == nil {
		_ = os.WriteFile(s.profile, profile, 0o600)
	}
}
