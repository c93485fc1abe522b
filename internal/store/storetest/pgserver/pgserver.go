// Package pgserver runs a private PostgreSQL from the programs installed on the machine: in a temporary folder, on a
// free port of 127.0.0.1, without durability. It is for tests, benchmarks and the migration tool.
package pgserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// ErrNotInstalled says that no PostgreSQL programs were found.
var ErrNotInstalled = errors.New("no PostgreSQL programs found: install the server (Debian: apt-get install postgresql), " +
	"put its bin folder on the PATH, or set TEST_DATABASE_URL to a server that may be written to")

// Server is a running PostgreSQL.
type Server struct {
	bin, dir string
	port     int
	commits  string // on: what was acknowledged survives Kill
	settings []string
	attr     *syscall.SysProcAttr
	cmd      *exec.Cmd
	leash    io.Closer
}

// Start makes a new database cluster and serves it. The server stops with Stop, and also when this process dies. It is
// quick, and not made to crash. Further settings are given as in "shared_buffers=1GB".
func Start(ctx context.Context, settings ...string) (*Server, error) {
	return start(ctx, "off", settings)
}

// StartDurable is Start of a server that keeps, when it is killed, what it has acknowledged.
func StartDurable(ctx context.Context) (*Server, error) { return start(ctx, "on", nil) }

// Program finds one of PostgreSQL's programs, as psql or pgbench.
func Program(name string) (string, error) {
	bin, err := programs()
	if err != nil {
		return "", err
	}
	if path := filepath.Join(bin, name); isFile(path) {
		return path, nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not installed; it comes with PostgreSQL: %w", name, err)
	}
	return path, nil
}

func start(ctx context.Context, commits string, settings []string) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "acquaint-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir, commits: commits, settings: settings}
	if err := s.create(ctx); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// create makes the cluster, and serves it.
func (s *Server) create(ctx context.Context) (err error) {
	if s.attr, err = s.unprivileged(); err != nil {
		return err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), "--pgdata", s.data(), "--username", "postgres",
		"--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = s.dir, s.attr
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	return s.serve(ctx)
}

func (s *Server) serve(ctx context.Context) error {
	// The shell is a leash: when its standard input closes, because Stop was called or this process died, it shuts the
	// server down. Exec would leave an orphan behind a test that was killed.
	postgres := []string{
		filepath.Join(s.bin, "postgres"), "-D", s.data(), "-k", s.dir, "-p", strconv.Itoa(s.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300", "-c", "fsync=off",
		"-c", "synchronous_commit=" + s.commits, "-c", "full_page_writes=off", "-c", "log_min_messages=fatal",
	}
	for _, setting := range s.settings {
		postgres = append(postgres, "-c", setting)
	}
	const script = `"$@" </dev/null & server=$!; read -r _; kill -INT $server 2>/dev/null; wait $server`
	s.cmd = exec.Command("/bin/sh", append([]string{"-c", script, "sh"}, postgres...)...)
	s.cmd.Dir, s.cmd.SysProcAttr = s.dir, s.attr
	var err error
	if s.leash, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	return s.awaitReady(ctx, stderr)
}

// awaitReady returns when the server takes connections. pg_isready does the looking.
func (s *Server) awaitReady(ctx context.Context, stderr io.Reader) error {
	said := make(chan string, 1)
	go func() { // ends with the server
		lines := bufio.NewScanner(stderr)
		var all []string
		for lines.Scan() {
			all = append(all, lines.Text())
		}
		said <- strings.Join(all, "\n")
	}()
	for {
		ready := exec.CommandContext(ctx, filepath.Join(s.bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-t", "10")
		if ready.Run() == nil {
			return nil
		}
		select {
		case out := <-said:
			return fmt.Errorf("postgres did not start:\n%s", out)
		case <-ctx.Done():
			s.halt()
			return ctx.Err()
		default:
		}
	}
}

// URL is the address of a database of the server.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

// Stop ends the server and removes its folder.
func (s *Server) Stop() {
	s.halt()
	os.RemoveAll(s.dir)
}

func (s *Server) halt() {
	s.leash.Close()
	_ = s.cmd.Wait()
}

// unprivileged gives the attributes to run the server as another user where this process is root, which PostgreSQL
// refuses, and gives that user the folder.
func (s *Server) unprivileged() (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{Setpgid: true}, nil // a Ctrl-C in the terminal is for the tests, which then stop us
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		if err := os.Chown(s.dir, int(uid), int(gid)); err != nil {
			return nil, err
		}
		return &syscall.SysProcAttr{
			Setpgid:    true,
			Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
		}, nil
	}
	return nil, errors.New("postgres refuses to run as root, and there is no user postgres or nobody to run it as")
}

// programs finds the folder with initdb and postgres: on the PATH, or where packages put it, the newest first.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil && isFile(filepath.Join(filepath.Dir(path), "postgres")) {
			return filepath.Dir(path), nil
		}
	}
	var found []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb",
		"/opt/homebrew/opt/postgresql@*/bin/initdb", "/usr/local/opt/postgresql@*/bin/initdb",
	} {
		matches, _ := filepath.Glob(pattern)
		found = append(found, matches...)
	}
	if len(found) == 0 {
		return "", ErrNotInstalled
	}
	version := func(path string) int {
		digits := strings.FieldsFunc(path, func(c rune) bool { return c < '0' || c > '9' })
		n, _ := strconv.Atoi(strings.Join(digits[:min(1, len(digits))], ""))
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
