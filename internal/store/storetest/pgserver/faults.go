package pgserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/lib/pq" // driver
)

// process gives the process that the others of the server are children of.
func (s *Server) process() (int, error) {
	file, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(file), "\n")
	return strconv.Atoi(strings.TrimSpace(first))
}

// Kill ends the server as the kernel would that is out of memory: all at once, with SIGKILL.
func (s *Server) Kill() error {
	pid, err := s.process()
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return err
	}
	s.halt()
	return nil
}

// Restart serves again what was killed, at the same address. It waits for the last processes of the one before to notice
// that it is gone.
func (s *Server) Restart(ctx context.Context) error {
	for timeout := restartTimeout; ; timeout *= 2 {
		attempt, cancel := context.WithTimeout(ctx, timeout)
		err := s.serve(attempt)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
		s.halt()
	}
}

// restartTimeout is after how long a server that was started again is taken to have failed, the first time: its shell goes
// on without it, and so does not tell.
const restartTimeout = 2 * time.Second

// Pause has every process of the server stand still: connections stay open, new ones are taken by the kernel, and nothing
// is answered. The function it gives lets them go on.
func (s *Server) Pause(ctx context.Context) (resume func() error, err error) {
	db, err := sql.Open("postgres", s.URL("postgres"))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	parent, err := s.process()
	if err != nil {
		return nil, err
	}
	if err := syscall.Kill(parent, syscall.SIGSTOP); err != nil { // first: now there are no more of them
		return nil, err
	}
	all := []int{parent}
	resume = func() error {
		var errs []error
		for _, pid := range all {
			if err := syscall.Kill(pid, syscall.SIGCONT); !errors.Is(err, syscall.ESRCH) {
				errs = append(errs, err)
			}
		}
		return errors.Join(errs...)
	}
	children, err := activity(ctx, conn)
	if err != nil {
		return nil, errors.Join(err, resume())
	}
	_ = conn.Close()
	for _, pid := range children {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			if errors.Is(err, syscall.ESRCH) { // it has ended meanwhile
				continue
			}
			return nil, errors.Join(err, resume())
		}
		all = append(all, pid)
	}
	return resume, nil
}

// activity gives the processes that do something for the server.
func activity(ctx context.Context, conn *sql.Conn) ([]int, error) {
	rows, err := conn.QueryContext(ctx, "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var pids []int
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, rows.Err()
}

// Standby starts a copy of the server that follows it, and can be read but not written to.
func (s *Server) Standby(ctx context.Context) (*Server, error) {
	dir, err := os.MkdirTemp("", "acquaint-postgres-")
	if err != nil {
		return nil, err
	}
	standby := &Server{bin: s.bin, dir: dir, commits: s.commits}
	if err := s.copyTo(ctx, standby); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return standby, nil
}

func (s *Server) copyTo(ctx context.Context, standby *Server) (err error) {
	if standby.attr, err = standby.unprivileged(); err != nil {
		return err
	}
	if standby.port, err = freePort(); err != nil {
		return err
	}
	backup := exec.CommandContext(ctx, filepath.Join(s.bin, "pg_basebackup"), "--host", "127.0.0.1", "--port", strconv.Itoa(s.port),
		"--username", "postgres", "--pgdata", standby.data(), "--write-recovery-conf", "--checkpoint", "fast", "--no-sync")
	backup.Dir, backup.SysProcAttr = standby.dir, standby.attr
	if out, err := backup.CombinedOutput(); err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	return standby.serve(ctx)
}

// OwnedByServer gives the server's user a folder, as a tablespace needs it.
func (s *Server) OwnedByServer(folder string) error {
	if s.attr.Credential == nil {
		return nil
	}
	return os.Chown(folder, int(s.attr.Credential.Uid), int(s.attr.Credential.Gid))
}
