package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/acquaint/acquaint/bench/internal/harness"
)

// senders is how many members send.
const senders = 4000

// atOnceTimes is how many times as many are sent one right after the other as are with pauses, which take longer.
const atOnceTimes = 5

// warmUp is how many invitations are sent before any is counted.
const warmUp = 100

// pairs gives pairs of a sender and a recipient, none twice.
type pairs struct {
	recipients int
	next       atomic.Int64
	tokens     sync.Map // of senders, by number
}

func (p *pairs) take() (recipient int, token string, err error) {
	n := int(p.next.Add(1) - 1)
	sender := p.recipients + 1 + n/p.recipients%senders
	if n >= p.recipients*senders {
		return 0, "", fmt.Errorf("more than %d invitations were sent", n)
	}
	if known, ok := p.tokens.Load(sender); ok {
		token, _ = known.(string)
		return n % p.recipients, token, nil
	}
	token, err = harness.Token(harness.Subject(sender))
	p.tokens.Store(sender, token)
	return n % p.recipients, token, err
}

// trial is one setup, running.
type trial struct {
	*settings

	pairs      *pairs
	url        string // of the node that is written to
	recipients []*recipient
}

// one measures one setup.
func (s *settings) one(ctx context.Context, program, address string, setup setup, turn *pairs) (out result, err error) {
	flags := []string{"--invitation-limit", "1000000", "--open-invitation-limit", "1000000"}
	if setup.broker != "" {
		flags = append(flags, "--broker", setup.broker)
	}
	written, err := harness.Serve(ctx, program, address, flags...)
	if err != nil {
		return out, err
	}
	defer written.Stop()
	listened := written
	if setup.broker != "" {
		if listened, err = harness.Serve(ctx, program, address, flags...); err != nil {
			return out, err
		}
		defer listened.Stop()
	}
	t := &trial{settings: s, pairs: turn, url: written.URL}
	if t.recipients, err = connect(listened.URL, s.recipients); err != nil {
		return out, err
	}
	defer closeAll(t.recipients)
	client := harness.NewClient(t.url)
	defer client.Close()
	for range warmUp {
		if _, _, err := t.invite(client, time.Now()); err != nil {
			return out, err
		}
	}
	http, socket, err := t.oneByOne(ctx, client, atOnceTimes*s.samples, 0)
	if err != nil {
		return out, err
	}
	out.httpNext, out.next = figuresOf(http), figuresOf(socket)
	if http, socket, err = t.oneByOne(ctx, client, s.samples, time.Second/time.Duration(s.rate)); err != nil {
		return out, err
	}
	out.httpLow, out.low = figuresOf(http), figuresOf(socket)
	if out.most, err = t.atMost(ctx); err != nil {
		return out, err
	}
	http, socket, err = t.steadily(ctx, out.most/2) //nolint:mnd // half
	if err != nil {
		return out, err
	}
	out.httpHalf, out.half = figuresOf(http), figuresOf(socket)
	bytes, err := written.Resident()
	out.resident = float64(bytes) / (1 << 20) //nolint:mnd // bytes of a MB
	return out, err
}

// invite sends an invitation that was due at a time, and waits for its frame. It gives how long after that time the answer
// was there, and the frame.
func (t *trial) invite(client *harness.Client, due time.Time) (http, socket time.Duration, err error) {
	to, token, err := t.pairs.take()
	if err != nil {
		return 0, 0, err
	}
	r := t.recipients[to]
	r.Lock()
	defer r.Unlock()
	var data struct {
		InviteMember struct{ UserErrors []struct{ Code string } }
	}
	_, err = client.Call(token, `mutation($m: ID!) { inviteMember(input: {memberId: $m}) { invitation { id } userErrors { code } } }`,
		map[string]any{"m": r.id}, &data)
	http = time.Since(due)
	if err != nil || len(data.InviteMember.UserErrors) > 0 {
		return 0, 0, fmt.Errorf("not invited: %v %w", data.InviteMember.UserErrors, err)
	}
	at, err := r.next()
	return http, at.Sub(due), err
}

// oneByOne sends so many, one after the other: each when it is due, or, without an interval, when the frame of the one
// before has come.
func (t *trial) oneByOne(ctx context.Context, client *harness.Client, samples int, every time.Duration) (http, socket []time.Duration, err error) {
	began := time.Now()
	for i := range samples {
		h, s, err := t.invite(client, time.Now())
		if err != nil {
			return nil, nil, err
		}
		http, socket = append(http, h), append(socket, s)
		select {
		case <-time.After(time.Until(began.Add(time.Duration(i+1) * every))):
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
	return http, socket, nil
}

// atMost lets clients send as fast as they can, and gives how many a second they did.
func (t *trial) atMost(ctx context.Context) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, t.phase)
	defer cancel()
	var (
		all   sync.WaitGroup
		done  atomic.Int64
		first atomic.Pointer[error]
	)
	began := time.Now()
	for range t.clients {
		all.Go(func() {
			client := harness.NewClient(t.url)
			defer client.Close()
			for ctx.Err() == nil {
				if _, _, err := t.invite(client, time.Now()); err != nil {
					first.CompareAndSwap(nil, &err)
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	if err := first.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / time.Since(began).Seconds(), nil
}

// steadily sends so many a second, each when it is due, whether those before are done or not. Time is taken from when it was
// due, so that waiting for a client counts.
func (t *trial) steadily(ctx context.Context, rate float64) (http, socket []time.Duration, err error) {
	const clients = 64
	free := make(chan *harness.Client, clients)
	for range clients {
		c := harness.NewClient(t.url)
		defer c.Close()
		free <- c
	}
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	began := time.Now()
	for i := range max(1, int(rate*t.phase.Seconds())) {
		due := began.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		client := <-free
		all.Go(func() {
			h, s, err := t.invite(client, due)
			free <- client
			mu.Lock()
			defer mu.Unlock()
			if err != nil && first == nil {
				first = err
			}
			http, socket = append(http, h), append(socket, s)
		})
	}
	all.Wait()
	if first == nil {
		first = ctx.Err()
	}
	return http, socket, first
}
