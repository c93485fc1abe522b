package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/acquaint/acquaint/bench/internal/harness"
	"github.com/acquaint/acquaint/internal/store"
)

// result is what a network costs.
type result struct {
	members  int
	describe string
	loading  time.Duration
	bytes    int64
	costs    map[string]*cost // by the name of the question
}

// cost is what a question costs: of each run the percentiles, in milliseconds, and the memory afterwards.
type cost struct {
	p50, p99           []float64 // over HTTP
	storeP50, storeP99 []float64 // of the store alone; none for what has no one call of its own
	resident           []float64 // MB of the server
}

// measurement measures one network.
type measurement struct {
	*settings
	*population

	program, address string
	server           *harness.Server
	client           *harness.Client
	tables           *store.Store
	random           *rand.Rand
	tokens           map[int]string
	invited          map[[2]int]bool
	ranked           []int // members by degree, the largest first
}

// measure asks all questions, in each run of a new server.
func (m *measurement) measure(ctx context.Context, into *result) error {
	m.tokens, m.invited = make(map[int]string), make(map[[2]int]bool)
	for _, i := range m.invitations {
		m.invited[[2]int{min(i.sender, i.recipient), max(i.sender, i.recipient)}] = true
	}
	m.ranked = make([]int, m.members)
	for i := range m.ranked {
		m.ranked[i] = i
	}
	slices.SortStableFunc(m.ranked, func(a, b int) int { return len(m.of(b)) - len(m.of(a)) })
	m.random = rand.New(rand.NewPCG(m.seed, 0)) //nolint:gosec // the same every time
	var err error
	if m.tables, err = store.Open(ctx, m.address, store.Options{NoMigrate: true}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.tables.Close()) }()
	for run := range m.runs {
		if err := m.run(ctx, into); err != nil {
			return err
		}
		harness.Progressf("%d members: run %d of %d", m.members, run+1, m.runs)
	}
	return err
}

func (m *measurement) run(ctx context.Context, into *result) (err error) {
	if m.server, err = harness.Serve(ctx, m.program, m.address, "--invitation-limit", "100000", "--open-invitation-limit", "100000"); err != nil {
		return err
	}
	defer m.server.Stop()
	m.client = harness.NewClient(m.server.URL)
	defer m.client.Close()
	for _, q := range m.questions() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !strings.Contains(q.name, m.only) {
			continue
		}
		if err := m.ask(ctx, q, into); err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
	}
	return nil
}

// warmth is one in how many samples comes before, uncounted; and at least warmLeast do, so that statements are prepared on
// every connection.
const (
	warmth    = 4
	warmLeast = 20
)

// ask asks one question again and again.
func (m *measurement) ask(ctx context.Context, q question, into *result) error {
	ask, err := q.prepare(m)
	if err != nil || ask == nil {
		return err // nil: there is no such thing in this network
	}
	warm := max(warmLeast, m.samples/warmth)
	var http, inStore []time.Duration
	for i := range warm + m.samples {
		s, err := ask(i)
		if err != nil {
			return err
		}
		took, err := s.http()
		if err != nil {
			return err
		}
		if i >= warm {
			http = append(http, took)
		}
		if s.store == nil {
			continue
		}
		began := time.Now()
		if err := s.store(ctx); err != nil {
			return err
		}
		if i >= warm {
			inStore = append(inStore, time.Since(began))
		}
	}
	resident, err := m.server.Resident()
	if err != nil {
		return err
	}
	c := into.costs[q.name]
	if c == nil {
		c = &cost{}
		into.costs[q.name] = c
	}
	c.p50, c.p99 = append(c.p50, percentile(http, median)), append(c.p99, percentile(http, slowest))
	if len(inStore) > 0 {
		c.storeP50, c.storeP99 = append(c.storeP50, percentile(inStore, median)), append(c.storeP99, percentile(inStore, slowest))
	}
	c.resident = append(c.resident, float64(resident)/(1<<20)) //nolint:mnd // bytes of a MB
	return nil
}

// The shares of the percentiles.
const median, slowest = 0.5, 0.99

func percentile(all []time.Duration, share float64) float64 {
	return harness.Milliseconds(harness.Percentile(all, share))
}

// token is a member's, signed when first asked for.
func (m *measurement) token(member int) (string, error) {
	if token, ok := m.tokens[member]; ok {
		return token, nil
	}
	token, err := harness.Token(subject(member))
	m.tokens[member] = token
	return token, err
}
