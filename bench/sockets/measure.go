package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// variant is a subscription that the clients have.
type variant struct{ name, about, query string }

var variants = []variant{
	{"A", "the notification alone", `subscription { notificationReceived { cursor node { __typename id sequence category createdAt` +
		` ... on InvitationReceivedNotification { reminder } } } }`},
	{"B", "with its actor, which is a statement more for each event", `subscription { notificationReceived { cursor node {` +
		` __typename id sequence category createdAt actor { id name } ... on InvitationReceivedNotification { reminder } } } }`},
}

// phase is a way for events to come.
type phase struct {
	name    string
	backlog bool // all events are there before anybody is woken; else there is a new one whenever all had the last
	own     bool // the server is told of what was written, as when it has written it itself
}

var phases = []phase{
	{name: "one by one, written here", own: true}, {name: "one by one, written elsewhere"}, {name: "a backlog", backlog: true},
}

// result is what one server did in one run.
type result struct {
	idle, used footprint // before any event, and after many
	deliveries map[string]delivered
}

// footprint is what a socket takes.
type footprint struct{ rss, live, goroutines float64 }

// delivered is how the deliveries of one phase went.
type delivered struct {
	perSecond float64
	cpu       float64 // microseconds of the server a delivery
	bytes     int     // of a message
}

// measurement is one run of the program.
type measurement struct {
	settings

	database *database
	run      int
	last     int64 // the number of the last event
}

// measure measures both servers, again and again, and prints the medians.
func (s *settings) measure(ctx context.Context) (err error) {
	m := &measurement{settings: *s}
	if m.database, err = openDatabase(ctx, s.database, s.sockets); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.database.close()) }()
	var bare, acquaint []result
	for m.run = range s.runs {
		fmt.Fprintf(os.Stderr, "run %d of %d\n", m.run+1, s.runs)
		a, b, err := m.both(ctx)
		if err != nil && ctx.Err() != nil && m.run > 0 {
			break // out of time; what is done is good
		}
		if err != nil {
			return err
		}
		acquaint, bare = append(acquaint, a), append(bare, b)
	}
	return s.report(os.Stdout, bare, acquaint)
}

// both measures the two servers, one after the other.
func (m *measurement) both(ctx context.Context) (acquaint, bare result, err error) {
	if acquaint, err = m.acquaint(ctx); err != nil {
		return acquaint, bare, fmt.Errorf("acquaint: %w", err)
	}
	if bare, err = m.bare(ctx, acquaint); err != nil { // its messages are as long as those that were seen
		return acquaint, bare, fmt.Errorf("bare server: %w", err)
	}
	return acquaint, bare, nil
}

// acquaint measures the Acquaint server.
func (m *measurement) acquaint(ctx context.Context) (result, error) {
	args := make([]string, argCount)
	args[argDatabase] = m.database.address
	if m.settings.database == "memory" {
		args[argMemory] = "memory"
		m.last = 0 // each server begins with none
	}
	if m.profiles != "" {
		args[argProfile] = "profile"
	}
	server, err := start(ctx, roleAcquaint, args...)
	if err != nil {
		return result{}, err
	}
	defer server.stop()
	t := &trial{measurement: m, server: server, prepare: m.database.notify}
	if m.settings.database == "memory" {
		t.prepare = func(context.Context, int64, int64) error { return nil }
	}
	t.query = func(v variant) string { return v.query }
	t.size = func(string) int { return 0 }
	t.check = func(sample string) error {
		if !strings.Contains(sample, `"type":"next"`) || strings.Contains(sample, `"errors"`) {
			return fmt.Errorf("this is no event: %s", sample)
		}
		return nil
	}
	if m.profiles != "" {
		if err := os.MkdirAll(m.profiles, 0o750); err != nil {
			return result{}, err
		}
		t.profile = func(name string) string { return filepath.Join(m.profiles, fmt.Sprintf("run%d-%s", m.run+1, name)) }
	}
	return t.measure(ctx)
}

// bare measures the bare server, with messages as long as those of the Acquaint server.
func (m *measurement) bare(ctx context.Context, like result) (result, error) {
	server, err := start(ctx, roleBare)
	if err != nil {
		return result{}, err
	}
	defer server.stop()
	t := &trial{
		measurement: m, server: server,
		prepare: func(context.Context, int64, int64) error { return nil },
		query:   func(variant) string { return "" },
		size:    func(key string) int { return like.deliveries[key].bytes },
		check:   func(string) error { return nil },
	}
	return t.measure(ctx)
}

// trial measures one server; the functions are how the two differ.
type trial struct {
	*measurement

	server  *child
	prepare func(ctx context.Context, first, last int64) error // writes events that nobody is woken for yet
	query   func(variant) string
	size    func(key string) int // of a message
	check   func(sample string) error
	profile func(name string) string // where a profile goes; nil for none
}

// warmSockets are opened and closed before the first count, so that what a server needs once is not taken for what its
// sockets need.
const warmSockets = 200

func (t *trial) measure(ctx context.Context) (result, error) {
	out := result{deliveries: make(map[string]delivered)}
	warm, err := t.connect(ctx, variants[0], min(warmSockets, t.sockets))
	if err != nil {
		return out, err
	}
	warm.stop()
	empty, err := t.await(ctx, 0)
	if err != nil {
		return out, err
	}
	for i, v := range variants {
		if err := t.measureVariant(ctx, v, i == 0, &empty, &out); err != nil {
			return out, fmt.Errorf("variant %s: %w", v.name, err)
		}
		if _, err := t.await(ctx, 0); err != nil {
			return out, err
		}
	}
	return out, nil
}

// measureVariant lets clients of one variant get events in every phase; with the first it looks at the memory, too.
func (t *trial) measureVariant(ctx context.Context, v variant, memory bool, empty *Usage, out *result) error {
	clients, err := t.connect(ctx, v, t.sockets)
	if err != nil {
		return err
	}
	defer clients.stop()
	if memory {
		if out.idle, err = t.footprint(ctx, empty); err != nil {
			return err
		}
		if t.profile != nil {
			if err := t.server.call("Server.Snapshot", t.profile("idle"), &struct{}{}); err != nil {
				return err
			}
		}
	}
	var got Arrived
	for _, p := range phases {
		key := p.name + " " + v.name
		if out.deliveries[key], err = t.deliver(ctx, clients, p, key, &got); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if err := t.check(got.Sample); err != nil {
			return err
		}
	}
	if memory {
		out.used, err = t.footprint(ctx, empty)
	}
	return err
}

// connect starts clients and opens their sockets.
func (t *trial) connect(ctx context.Context, v variant, sockets int) (*child, error) {
	var address string
	if err := t.server.call("Server.Address", struct{}{}, &address); err != nil {
		return nil, err
	}
	clients, err := start(ctx, roleClients)
	if err != nil {
		return nil, err
	}
	if err := clients.call("Clients.Connect", Plan{address, sockets, t.query(v)}, &struct{}{}); err != nil {
		clients.stop()
		return nil, err
	}
	return clients, nil
}

// deliver lets every client get the events of a phase, and takes the time until the last has come.
func (t *trial) deliver(ctx context.Context, clients *child, p phase, key string, got *Arrived) (delivered, error) {
	events, turns := t.paced, t.paced
	if p.backlog {
		events, turns = t.rounds, 1
	}
	if t.profile != nil {
		if err := t.server.call("Server.StartCPU", t.profile(strings.ReplaceAll(strings.ReplaceAll(key, ",", ""), " ", "-")+".cpu.pprof"), &struct{}{}); err != nil {
			return delivered{}, err
		}
	}
	before := *got
	var elapsed, cpu time.Duration
	for range turns {
		d := Delivery{Sockets: t.sockets, First: t.last + 1, Last: t.last + int64(events/turns), Own: p.own, Bytes: t.size(key)}
		t.last = d.Last
		if err := t.prepare(ctx, d.First, d.Last); err != nil {
			return delivered{}, err
		}
		var cpuBefore, cpuAfter time.Duration
		if err := t.server.call("Server.CPU", struct{}{}, &cpuBefore); err != nil {
			return delivered{}, err
		}
		began := time.Now()
		sending := t.server.rpc.Go("Server.Deliver", d, &struct{}{}, nil)
		err := clients.call("Clients.Await", got.Count+int64(t.sockets)*(d.Last-d.First+1), got)
		elapsed += time.Since(began)
		err = errors.Join(err, (<-sending.Done).Error, t.server.call("Server.CPU", struct{}{}, &cpuAfter))
		if err != nil {
			return delivered{}, err
		}
		cpu += cpuAfter - cpuBefore
	}
	if t.profile != nil {
		if err := t.server.call("Server.StopCPU", struct{}{}, &struct{}{}); err != nil {
			return delivered{}, err
		}
	}
	count := got.Count - before.Count
	if want := int64(t.sockets) * int64(events); count != want {
		return delivered{}, fmt.Errorf("%d messages came instead of %d", count, want)
	}
	return delivered{
		perSecond: float64(count) / elapsed.Seconds(),
		cpu:       float64(cpu.Microseconds()) / float64(count),
		bytes:     int((got.Bytes - before.Bytes) / count),
	}, nil
}

// footprint is what each of the sockets has added to the empty server.
func (t *trial) footprint(ctx context.Context, empty *Usage) (footprint, error) {
	full, err := t.await(ctx, t.sockets)
	n := float64(t.sockets)
	return footprint{
		rss:        float64(full.RSS-empty.RSS) / n,
		live:       float64(full.Go-empty.Go) / n,
		goroutines: float64(full.Goroutines-empty.Goroutines) / n,
	}, err
}

// awaitEvery is how often a server is asked whether it has noticed that clients are gone.
const awaitEvery = 100 * time.Millisecond

// await gives what the server uses, once it has that many sockets.
func (t *trial) await(ctx context.Context, sockets int) (Usage, error) {
	for {
		var u Usage
		if err := t.server.call("Server.Usage", struct{}{}, &u); err != nil || u.Sockets == sockets {
			return u, err
		}
		select {
		case <-time.After(awaitEvery):
		case <-ctx.Done():
			return u, ctx.Err()
		}
	}
}
