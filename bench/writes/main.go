// Command writes measures what it costs to invite and to answer: invites and accepts a second of the real server, by
// keep-alive HTTP clients, beside pgbench doing the writes of an invite in the same prepared statements on the same
// server of PostgreSQL, in the same run. bench/README.md says how to read it.
//
//	go run ./bench/writes
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // for ids that pgbench, too, can compute
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/uuid"
	_ "github.com/lib/pq" // driver
	"go.jetify.com/typeid"

	"github.com/acquaint/acquaint/bench/internal/harness"
	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

//go:embed invite.sql
var inviteSQL string

// settings are what the flags say.
type settings struct {
	clients, members, senders, runs int
	phase                           time.Duration
	profile                         string
}

const (
	secret  = "a secret of the benchmarks, long enough for HS256"
	startup = 30 * time.Second
)

func main() {
	var s settings
	flag.IntVar(&s.clients, "clients", 16, "how many keep-alive `clients`, and as many of pgbench")
	flag.IntVar(&s.members, "members", 100_000, "how many `members` there are")
	flag.IntVar(&s.senders, "senders", 4000, "how many of them send")
	flag.IntVar(&s.runs, "runs", 3, "how many `times` everything is measured; the medians are shown")
	flag.DurationVar(&s.phase, "phase", 8*time.Second, "how long each thing is measured")
	flag.StringVar(&s.profile, "profile", "", "a `file` for a pprof profile of the server while it is invited on")
	harness.Main("writes", s.measure)
}

// measure gives the medians of all runs.
func (s *settings) measure(ctx context.Context) (*harness.Report, error) {
	folder, err := os.MkdirTemp("", "acquaint-writes-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	program, err := harness.Build(ctx, folder)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "starting PostgreSQL and making", s.members, "members")
	pg, err := pgserver.Start(ctx)
	if err != nil {
		return nil, err
	}
	defer pg.Stop()

	var baseline, invites, accepts []float64
	for run := range s.runs {
		name := fmt.Sprintf("writes%d", run)
		address := pg.URL(name)
		if err := prepare(ctx, pg.URL("postgres"), address, name, s.members); err != nil {
			return nil, err
		}
		server, err := start(ctx, program, address)
		if err != nil {
			return nil, err
		}
		invited, accepted, err := s.clientsOf(ctx, server)
		server.stop()
		if err != nil {
			return nil, err
		}
		tps, err := s.pgbench(ctx, address, folder)
		if err != nil {
			return nil, err
		}
		baseline, invites, accepts = append(baseline, tps), append(invites, invited), append(accepts, accepted)
		fmt.Fprintf(os.Stderr, "run %d of %d: pgbench %.0f, invites %.0f (%.2f), accepts %.0f a second\n", run+1, s.runs, tps, invited, invited/tps, accepted)
	}
	b, i, a := median(baseline), median(invites), median(accepts)
	return s.report(b, i, a), nil
}

// report puts them beside each other.
func (s *settings) report(pgbench, invites, accepts float64) *harness.Report {
	const baseline = "pgbench, the writes of an invite, prepared"
	r := &harness.Report{
		Name: "writes", Title: "Inviting and answering",
		About: fmt.Sprintf("%d keep-alive HTTP clients, %d members of whom %d send, for %s each; medians of %d runs.",
			s.clients, s.members, s.senders, s.phase, s.runs),
		Ratios: []harness.Ratio{
			{What: "inviteMember over HTTP", Unit: "a second", Ours: invites, Baseline: pgbench, Against: baseline, Aim: "0.7"},
			{What: "respondToInvitation(ACCEPT) over HTTP", Unit: "a second", Ours: accepts, Baseline: pgbench, Against: baseline},
		},
	}
	return r
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// prepare makes a database of its own, with members who have nothing yet.
func prepare(ctx context.Context, admin, address, name string, members int) error {
	db, err := sql.Open("postgres", admin)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return err
	}
	tables, err := store.Open(ctx, address, store.Options{})
	if err != nil {
		return err
	}
	if err := tables.Close(); err != nil {
		return err
	}
	db, err = sql.Open("postgres", address)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, fmt.Sprintf(`
		INSERT INTO members (id, subject, handle, name, created_at) SELECT md5('m' || n)::uuid, 's' || n, 'h' || n, 'N', now() FROM generate_series(1, %d) n;
		INSERT INTO inboxes (member_id) SELECT id FROM members;
		ANALYZE; CHECKPOINT`, members))
	return err
}

// running is a server of Acquaint.
type running struct {
	url, metrics string
	command      *exec.Cmd
}

func start(ctx context.Context, program, database string) (*running, error) {
	address, metrics, err := freeAddresses()
	if err != nil {
		return nil, err
	}
	r := &running{url: "http://" + address, metrics: "http://" + metrics}
	r.command = exec.CommandContext(ctx, program, "serve", "--listen", address, "--metrics-listen", metrics, //nolint:gosec // our own
		"--request-rate", "0", "--log-level", "warn")
	r.command.Env = append(os.Environ(), "ACQUAINT_DATABASE_URL="+database, "ACQUAINT_JWT_SECRET="+secret)
	r.command.Stderr = os.Stderr
	if err := r.command.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(startup); ; time.Sleep(10 * time.Millisecond) {
		response, err := http.Get(r.url + "/readyz") //nolint:noctx // bounded by the deadline
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return r, nil
			}
		}
		if time.Now().After(deadline) {
			r.stop()
			return nil, errors.New("the server does not start")
		}
	}
}

func (r *running) stop() {
	_ = r.command.Process.Signal(syscall.SIGTERM)
	_ = r.command.Wait()
}

func freeAddresses() (a, b string, err error) {
	var out [2]string
	for i := range out {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // local, and at once
		if err != nil {
			return "", "", err
		}
		defer l.Close()
		out[i] = l.Addr().String()
	}
	return out[0], out[1], nil
}

func key(n int) uuid.UUID { return uuid.UUID(md5.Sum([]byte("m" + strconv.Itoa(n)))) } //nolint:gosec // as above

// sent is an invitation that was sent, to be accepted.
type sent struct {
	recipient  int
	invitation string
}

// clientsOf measures invites, and then accepts of those.
func (s *settings) clientsOf(ctx context.Context, server *running) (invites, accepts float64, err error) {
	tokens := make([]string, s.members+1)
	token := func(n int) string { // signed when first asked for, by one client at a time
		signed, err := auth.Sign([]byte(secret), member.Claims{Subject: "s" + strconv.Itoa(n)}, "", "", time.Now(), time.Hour)
		if err != nil {
			panic(err)
		}
		return signed
	}
	for n := 1; n <= s.senders; n++ {
		tokens[n] = token(n)
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
		id, err := typeid.FromUUIDBytesWithPrefix("mbr", idBytes(recipient))
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
			map[string]any{"m": id.String()}, &data); err != nil {
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
			signed[client][i.recipient] = token(i.recipient)
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

func idBytes(n int) []byte { k := key(n); return k[:] }

// errDone is a client's that has nothing left to do.
var errDone = errors.New("done")

// load lets all clients do something again and again for a phase, and gives how often a second it was done.
func (s *settings) load(ctx context.Context, server *running, do func(client int, c *caller) error) (float64, error) {
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
			c := &caller{address: strings.TrimPrefix(server.url, "http://")}
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

// caller is one client's connection. It is no http.Client: that costs as much as what is measured, on the same processors,
// and pgbench has nothing of the kind.
type caller struct {
	address string
	conn    net.Conn
	in      *bufio.Reader
	out     bytes.Buffer
}

func (c *caller) close() {
	if c.conn != nil {
		_ = c.conn.Close()
	}
}

func (c *caller) call(token, query string, variables map[string]any, into any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	if c.conn == nil {
		if c.conn, err = net.Dial("tcp", c.address); err != nil { //nolint:noctx // local, and at once
			return err
		}
		c.in = bufio.NewReader(c.conn)
	}
	c.out.Reset()
	fmt.Fprintf(&c.out, "POST /graphql HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		c.address, token, len(body))
	c.out.Write(body)
	if _, err := c.conn.Write(c.out.Bytes()); err != nil {
		return err
	}
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	out := struct {
		Data   any `json:"data"`
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}{Data: into}
	if err := json.Unmarshal(answer, &out); err != nil || len(out.Errors) > 0 {
		return fmt.Errorf("status %d: %s", response.StatusCode, answer)
	}
	return nil
}

// takeProfile writes a profile of the server's processors while it is invited on.
func (s *settings) takeProfile(server *running) {
	seconds := max(1, int(s.phase.Seconds())-1)
	response, err := http.Get(fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", server.metrics, seconds)) //nolint:noctx // as long as asked for
	if err != nil {
		return
	}
	defer response.Body.Close()
	if profile, err := io.ReadAll(response.Body); err == nil {
		_ = os.WriteFile(s.profile, profile, 0o600)
	}
}

var tpsLine = regexp.MustCompile(`tps = ([\d.]+)`)

// pgbench gives how often a second pgbench does the writes of an invite.
func (s *settings) pgbench(ctx context.Context, address, folder string) (float64, error) {
	script := filepath.Join(folder, "invite.sql")
	if err := os.WriteFile(script, []byte(inviteSQL), 0o600); err != nil {
		return 0, err
	}
	program, err := exec.LookPath("pgbench")
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
		if len(found) == 0 {
			return 0, errors.New("pgbench is not installed; it comes with PostgreSQL")
		}
		program = found[len(found)-1]
	}
	out, err := exec.CommandContext(ctx, program, "-n", "-M", "prepared", "-c", strconv.Itoa(s.clients), "-j", "2", //nolint:gosec // pgbench
		"-T", strconv.Itoa(int(s.phase.Seconds())), "-D", "n="+strconv.Itoa(s.members), "-f", script, address).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	found := tpsLine.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("pgbench said nothing of tps:\n%s", strings.TrimSpace(string(out)))
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
