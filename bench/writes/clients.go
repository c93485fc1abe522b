package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/acquaint/acquaint/bench/internal/harness"
)

// trial is a server that is called.
type trial struct {
	*settings
	*watched

	server *harness.Server
	tokens []string // of senders, by number
}

// sent is an invitation that was sent, to be accepted.
type sent struct {
	recipient  int
	invitation string
}

// crowd is how a number of clients fared that is greater than usual.
type crowd struct {
	clients, refused    int
	perSecond, p50, p99 float64
}

// crowdsOf are how many clients there are then, as many times as usual.
var crowdsOf = []int{8, 32}

// run does all there is to measure of the server.
func (t *trial) run(ctx context.Context, r *result) (err error) {
	t.tokens = make([]string, t.senders+1)
	for n := 1; n <= t.senders; n++ {
		if t.tokens[n], err = harness.Token(harness.Subject(n)); err != nil {
			return err
		}
	}
	pages, err := t.lists()
	if err != nil {
		return err
	}
	if r.ours.lists, err = t.phaseOf(ctx, "list", pages); err != nil {
		return err
	}
	lists := make([][]sent, t.clients)
	if r.ours.invites, err = t.phaseOf(ctx, "invite", func(client int, c *caller) error {
		invitation, err := t.invite(c)
		if invitation.invitation != "" {
			lists[client] = append(lists[client], invitation)
		}
		return err
	}); err != nil {
		return err
	}
	accept, err := t.accepts(lists)
	if err != nil {
		return err
	}
	if r.ours.accepts, err = t.phaseOf(ctx, "accept", accept); err != nil {
		return err
	}
	if r.resident[0], err = t.resident(); err != nil {
		return err
	}
	for _, times := range crowdsOf {
		c, err := t.crowd(ctx, times*t.clients)
		if err != nil {
			return err
		}
		r.crowds = append(r.crowds, c)
	}
	r.resident[1], err = t.resident()
	return err
}

// address is where the server listens.
func (t *trial) address() string { return strings.TrimPrefix(t.server.URL, "http://") }

func (t *trial) resident() (megabytes float64, err error) {
	bytes, err := t.server.Resident()
	return float64(bytes) / (1 << 20), err //nolint:mnd // bytes of a MB
}

// phaseOf lets the usual clients do something, and looks at what the server and PostgreSQL did meanwhile, if that was asked
// for. It gives how often a second it was done.
func (t *trial) phaseOf(ctx context.Context, what string, do func(client int, c *caller) error) (float64, error) {
	if err := t.begin(ctx); err != nil {
		return 0, err
	}
	var profiling sync.WaitGroup
	if t.profile != "" {
		profiling.Go(func() { t.takeProfile(what) })
	}
	done, took, err := t.load(ctx, t.address(), t.clients, do)
	profiling.Wait()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	return float64(done) / took.Seconds(), t.end(ctx, what, done)
}

// invite sends an invitation from one of the senders to anybody. It is the zero one when it was refused, as when there is
// one.
func (t *trial) invite(c *caller) (sent, error) {
	sender, recipient := 1+rand.IntN(t.senders), 1+rand.IntN(t.members) //nolint:gosec // a load, no secret
	if sender == recipient {
		return sent{}, nil
	}
	to, err := harness.GlobalID(recipient)
	if err != nil {
		return sent{}, err
	}
	var data struct {
		InviteMember struct {
			Invitation *struct{ ID string }
			UserErrors []struct{ Code string }
		}
	}
	err = c.call(t.tokens[sender], `mutation($m: ID!) { inviteMember(input: {memberId: $m}) { invitation { id } userErrors { code } } }`,
		map[string]any{"m": to}, &data)
	if err != nil || len(data.InviteMember.UserErrors) > 0 {
		return sent{}, err
	}
	return sent{recipient, data.InviteMember.Invitation.ID}, nil
}

// accepts answers what was sent, each by its recipient.
func (t *trial) accepts(lists [][]sent) (func(client int, c *caller) error, error) {
	signed := make([]map[int]string, len(lists))
	for client, list := range lists { // not while the clock runs
		signed[client] = make(map[int]string, len(list))
		for _, i := range list {
			token, err := harness.Token(harness.Subject(i.recipient))
			if err != nil {
				return nil, err
			}
			signed[client][i.recipient] = token
		}
	}
	return func(client int, c *caller) error {
		list := lists[client]
		if len(list) == 0 {
			return errDone
		}
		last := list[len(list)-1]
		lists[client] = list[:len(list)-1]
		var data struct {
			RespondToInvitation struct {
				Invitation *struct{ State string }
				UserErrors []struct{ Code string }
			}
		}
		err := c.call(signed[client][last.recipient], `mutation($i: ID!) {
			respondToInvitation(input: {invitationId: $i, response: ACCEPT}) { invitation { state } userErrors { code } } }`,
			map[string]any{"i": last.invitation}, &data)
		// Of two who invited each other, the second was given the first's invitation.
		if errors := data.RespondToInvitation.UserErrors; err == nil && len(errors) > 0 && errors[0].Code != "INVITATION_NOT_FOUND" {
			err = fmt.Errorf("not accepted: %v", errors)
		}
		return err
	}, nil
}

// listQuery asks for the first page of notifications, and readPages checks that its actors are there.
const (
	listQuery   = `query($n: Int!) { viewer { notifications(first: $n) { nodes { id sequence category createdAt readAt actor { id name headline photoUrl } } } } }`
	eachInAPage = `"actor":{"id":"`
)

// lists reads the first page of notifications of members who have some.
func (t *trial) lists() (func(client int, c *caller) error, error) {
	requests := make([][]byte, min(t.listed(), t.senders))
	for i := range requests {
		var err error
		if requests[i], err = request(t.address(), t.tokens[1+i], listQuery, map[string]any{"n": pageSize}); err != nil {
			return nil, err
		}
	}
	return readPages(requests), nil
}

// readPages sends any of some requests for a page. It decodes no page, as pgbench does not: that takes longer than to
// answer with one.
func readPages(requests [][]byte) func(client int, c *caller) error {
	return func(_ int, c *caller) error {
		status, answer, err := c.send(requests[rand.IntN(len(requests))]) //nolint:gosec // a load, no secret
		if err == nil && (status != http.StatusOK || bytes.Count(answer, []byte(eachInAPage)) != pageSize) {
			err = fmt.Errorf("%w: %.200s", harness.ErrAnswer, answer)
		}
		return err
	}
}

// crowd lets many clients invite.
func (t *trial) crowd(ctx context.Context, clients int) (crowd, error) {
	out := crowd{clients: clients}
	times := make([][]time.Duration, clients)
	refused := make([]int, clients)
	done, took, err := t.load(ctx, t.address(), clients, func(client int, c *caller) error {
		began := time.Now()
		if _, err := t.invite(c); errors.Is(err, harness.ErrAnswer) {
			refused[client]++
		} else if err != nil {
			return err
		}
		times[client] = append(times[client], time.Since(began))
		return nil
	})
	var all []time.Duration
	for client := range clients {
		all = append(all, times[client]...)
		out.refused += refused[client]
	}
	const slowest, middle = 0.99, 0.5
	out.perSecond = float64(int(done)-out.refused) / took.Seconds()
	out.p50, out.p99 = harness.Milliseconds(harness.Percentile(all, middle)), harness.Milliseconds(harness.Percentile(all, slowest))
	return out, err
}

// errDone is a client's that has nothing left to do.
var errDone = errors.New("done")

// load lets clients do something again and again for a phase, and gives how often it was done, in what time.
func (s *settings) load(ctx context.Context, address string, clients int, do func(client int, c *caller) error) (int64, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, s.phase)
	defer cancel()
	var (
		all   sync.WaitGroup
		done  atomic.Int64
		mu    sync.Mutex
		first error
	)
	begin := time.Now()
	for client := range clients {
		all.Go(func() {
			c := &caller{address: address}
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
	return done.Load(), time.Since(begin), first
}

// takeProfile writes a profile of the server's processors while something is done.
func (t *trial) takeProfile(what string) {
	seconds := max(1, int(t.phase.Seconds())-1)
	response, err := http.Get(fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", t.server.Metrics, seconds)) //nolint:noctx // as long as asked for
	if err != nil {
		harness.Progressf("no profile of %s: %v", what, err)
		return
	}
	defer response.Body.Close()
	profile, err := io.ReadAll(response.Body)
	if err == nil {
		err = os.WriteFile(filepath.Join(t.profile, what+".prof"), profile, 0o600)
	}
	if err != nil {
		harness.Progressf("no profile of %s: %v", what, err)
	}
}
