package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
)

// asProgram makes the test's own binary the program, so that its processes can be killed; asNextVersion, the program of a
// version to come, of which it gives the number.
const (
	asProgram     = "ACQUAINT_TEST_AS_PROGRAM"
	asNextVersion = "ACQUAINT_TEST_AS_NEXT_VERSION"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(asBroker); address != "" {
		if err := serveNATS(address); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	s := streams{out: os.Stdout, err: os.Stderr}
	if version := os.Getenv(asNextVersion); version != "" {
		s.adjust = func(config *app.Config) { config.Migrations = nextVersions(version) }
	}
	os.Exit(program(s))
}

const faultSecret = "a secret of the tests of faults, long enough"

// patience is how long a node may take to start, or a subscriber to have had everything.
const patience = 60 * time.Second

// process is a node of Acquaint.
type process struct {
	t        *testing.T
	address  string
	database string
	settings []string // flags, besides those of all
	version  int      // of those to come; 0 is this one
	command  *exec.Cmd
	said     *output // its log, since it was started last
	gate     gate    // shut while the balancer keeps it out

	asked     atomic.Int64 // requests of the load under way
	listening atomic.Int64 // connections of subscribers
	cuts      atomic.Int64 // of those, that were lost
}

func newProcess(t *testing.T, database string, settings ...string) *process {
	t.Helper()
	return &process{t: t, address: freeAddress(t), database: database, settings: settings}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts the process, and waits until it answers.
func (p *process) start() {
	p.t.Helper()
	p.launch()
	p.ready()
}

// launch starts the process.
func (p *process) launch() {
	p.t.Helper()
	settings := append([]string{
		"serve", "--listen", p.address, "--log-format", "json", "--request-rate", "0", "--sockets-per-member", "0",
		// A few members make all of the load.
		"--invitation-limit", "1000000", "--open-invitation-limit", "1000000",
	}, p.settings...)
	p.command = exec.Command(os.Args[0], settings...)
	p.command.Env = append(os.Environ(), asProgram+"=1", "ACQUAINT_DATABASE_URL="+p.database, "ACQUAINT_JWT_SECRET="+faultSecret)
	if p.version > 0 {
		p.command.Env = append(p.command.Env, fmt.Sprint(asNextVersion, "=", p.version))
	}
	p.said = newOutput()
	p.command.Stderr = p.said
	endWithTest(p.command)
	if err := p.command.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// readyz gives what /readyz says, 0 for nothing, to a connection of its own.
func (p *process) readyz() int {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Get("http://" + p.address + "/readyz")
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// until waits until /readyz says something.
func (p *process) until(status int) {
	p.t.Helper()
	last := 0
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if last = p.readyz(); last == status {
			return
		}
	}
	p.t.Fatalf("%s says %d, and not %d: %s", p.address, last, status, p.said)
}

func (p *process) ready() {
	p.t.Helper()
	p.until(http.StatusOK)
	p.gate.open()
}

func (p *process) signal(s syscall.Signal) { _ = p.command.Process.Signal(s) }

// kill ends the process as the kernel would.
func (p *process) kill() {
	if p.command == nil {
		return
	}
	p.signal(syscall.SIGKILL)
	_ = p.command.Wait()
}

// stop tells the process to end, and waits until it has.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if err := p.command.Wait(); err != nil {
		p.t.Errorf("a node ended with %v: %s", err, p.said)
	}
}

// gate is whether the balancer leads to a node.
type gate struct {
	mu     sync.Mutex
	opened chan struct{} // closed when it opens again; nil while it is open
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		g.opened = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		close(g.opened)
		g.opened = nil
	}
}

// wait gives what ends when it opens; nil while it is open.
func (g *gate) wait() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opened
}
