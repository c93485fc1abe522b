// Command latency measures how long news takes: from sending inviteMember over HTTP to the notification's frame on the
// recipient's websocket, on one node and across two. bench/README.md says how to read it.
//
//	go run ./bench/latency
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/acquaint/acquaint/bench/internal/harness"
	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

// settings are what the flags say.
type settings struct {
	recipients, samples, rate, clients, runs int
	phase                                    time.Duration
}

func main() {
	var s settings
	flag.IntVar(&s.recipients, "recipients", 200, "how many members have a `socket` open")
	flag.IntVar(&s.samples, "samples", 300, "how many `invitations` are sent one by one")
	flag.IntVar(&s.rate, "rate", 50, "how many of those a `second`")
	flag.IntVar(&s.clients, "clients", 16, "how many keep-alive `clients` find out the most that can be sent")
	flag.DurationVar(&s.phase, "phase", 4*time.Second, "how long the most, and half of it, are sent")
	flag.IntVar(&s.runs, "runs", 3, "how many `times` everything is measured; the medians are shown")
	harness.Main("latency", s.measure)
}

// setup is how the nodes stand.
type setup struct {
	name   string
	broker string // "" for one node
}

// result is what one setup did in one run, in milliseconds.
type result struct {
	next, low, half             figures // to the socket
	httpNext, httpLow, httpHalf figures // to the answer
	most                        float64 // invitations a second
	resident                    float64 // MB of the node that is written to
}

// figures are the percentiles of one thing.
type figures struct{ p50, p99 float64 }

func figuresOf(all []time.Duration) figures {
	const slowest, middle = 0.99, 0.5
	return figures{harness.Milliseconds(harness.Percentile(all, middle)), harness.Milliseconds(harness.Percentile(all, slowest))}
}

// measure measures all setups in turn, again and again.
func (s *settings) measure(ctx context.Context) (*harness.Report, error) {
	if s.recipients < 1 || s.samples < 1 || s.rate < 1 || s.clients < 1 || s.runs < 1 {
		return nil, errors.New("every number must be at least 1")
	}
	folder, err := os.MkdirTemp("", "acquaint-latency-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	program, err := harness.Build(ctx, folder)
	if err != nil {
		return nil, err
	}
	postgres, err := pgserver.Start(ctx)
	if err != nil {
		return nil, err
	}
	defer postgres.Stop()
	broker, err := startNATS()
	if err != nil {
		return nil, err
	}
	defer broker.Shutdown()
	setups := []setup{{"one node", ""}, {"two nodes, LISTEN/NOTIFY", "postgres"}, {"two nodes, NATS", broker.ClientURL()}}
	results := make(map[string][]result)
	var base []baseline
	for run := range s.runs {
		name := fmt.Sprint("latency", run)
		address := postgres.URL(name)
		if err := harness.CreateMembers(ctx, postgres.URL("postgres"), address, name, s.recipients+senders); err != nil {
			return nil, err
		}
		turn := &pairs{recipients: s.recipients}
		for _, setup := range setups {
			r, err := s.one(ctx, program, address, setup, turn)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", setup.name, err)
			}
			results[setup.name] = append(results[setup.name], r)
			harness.Progressf("run %d of %d, %s: p50 / p99 one after the other %s ms, at %d a second %s, at half of %.0f %s",
				run+1, s.runs, setup.name, r.next, s.rate, r.low, r.most, r.half)
		}
		last := results[setups[0].name][run]
		b, err := s.baseline(ctx, address, folder, last.most)
		if err != nil {
			return nil, err
		}
		base = append(base, b)
		harness.Progressf("run %d of %d: pgbench one after the other %s ms, at %d a second %s; echo %s, %s; %.0f stalls a second, the longest %s",
			run+1, s.runs, b.writesNext, s.rate, b.writes, b.echoNext, b.echo, b.stalls.perSecond, b.stalls.longest)
	}
	return report(s, setups, results, base), nil
}

// startTimeout bounds how long the broker may take to start.
const startTimeout = 10 * time.Second

// startNATS starts a NATS server in this process.
func startNATS() (*server.Server, error) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	if err != nil {
		return nil, err
	}
	go s.Start()
	if !s.ReadyForConnections(startTimeout) {
		s.Shutdown()
		return nil, errors.New("the NATS server does not start")
	}
	return s, nil
}
