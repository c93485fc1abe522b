package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Secret signs the clients' tokens.
const Secret = "a secret of the benchmarks, long enough for HS256"

// startup is how long a server may take until it is ready.
const startup = 30 * time.Second

// ProgramVariable names the program where it has been built already, as the collector does.
const ProgramVariable = "ACQUAINT_BENCH_PROGRAM"

// Build builds the program into a folder and gives its path.
func Build(ctx context.Context, folder string) (string, error) {
	if built := os.Getenv(ProgramVariable); built != "" {
		return built, nil
	}
	program := filepath.Join(folder, "acquaint")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/acquaint/acquaint/cmd/acquaint") //nolint:gosec // our own
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("run this in the repository: %w\n%s", err, out)
	}
	return program, nil
}

// Server is an acquaint serve in a process of its own.
type Server struct {
	URL, Metrics string
	command      *exec.Cmd
}

// Serve starts the program over a database, with more flags, and waits until it is ready.
func Serve(ctx context.Context, program, database string, flags ...string) (*Server, error) {
	address, metrics, err := freeAddresses()
	if err != nil {
		return nil, err
	}
	s := &Server{URL: "http://" + address, Metrics: "http://" + metrics}
	flags = append([]string{"serve", "--listen", address, "--metrics-listen", metrics, "--request-rate", "0", "--log-level", "warn"}, flags...)
	s.command = exec.CommandContext(ctx, program, flags...) //nolint:gosec // our own
	s.command.Env = append(os.Environ(), "ACQUAINT_DATABASE_URL="+database, "ACQUAINT_JWT_SECRET="+Secret)
	s.command.Stderr = os.Stderr
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(startup); ; time.Sleep(10 * time.Millisecond) {
		response, err := http.Get(s.URL + "/readyz") //nolint:noctx // bounded by the deadline
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			s.Stop()
			return nil, errors.New("the server does not start")
		}
	}
}

// Stop ends the server, and waits for it.
func (s *Server) Stop() {
	_ = s.command.Process.Signal(syscall.SIGTERM)
	_ = s.command.Wait()
}

// Resident is the server's physical memory in bytes.
func (s *Server) Resident() (int64, error) { return Resident(s.command.Process.Pid) }

// Resident is the physical memory of a process in bytes, counted page by page; /proc/PID/status is some pages behind.
func Resident(pid int) (int64, error) {
	rollup, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/smaps_rollup")
	if err != nil {
		return 0, fmt.Errorf("memory can be measured on Linux only: %w", err)
	}
	for line := range strings.Lines(string(rollup)) {
		var kilobytes int64
		if _, err := fmt.Sscanf(line, "Rss: %d kB", &kilobytes); err == nil {
			return kilobytes << 10, nil
		}
	}
	return 0, errors.New("no Rss in smaps_rollup")
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

// Root is the folder of the repository.
func Root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/acquaint/acquaint").Output()
	if err != nil {
		return "", fmt.Errorf("run this in the repository: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
