package main

import (
	"context"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"os/exec"
)

// The roles of the program's children. Each is a process of its own, so that a server's memory and processor time are
// its own.
const (
	roleBare     = "bare-server"
	roleAcquaint = "acquaint-server"
	roleClients  = "clients"
)

// child is a process in a role. It is told what to do over its standard input and output, and ends with them: also
// when this process is killed.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	rpc   *rpc.Client
}

// start starts this program again in another role. It is killed when ctx ends.
func start(ctx context.Context, role string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"-role", role}, args...)...) //nolint:gosec // it is this program
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the %s: %w", role, err)
	}
	return &child{cmd: cmd, stdin: stdin, rpc: rpc.NewClient(pipes{stdout, stdin})}, nil
}

// stop ends the process and waits for it.
func (c *child) stop() {
	_ = c.stdin.Close()
	_ = c.cmd.Wait() // how it ended does not matter any more
}

// call calls a method of the child and waits for its answer.
func (c *child) call(method string, args, answer any) error {
	if err := c.rpc.Call(method, args, answer); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return nil
}

// obey lets the parent process call the methods of a receiver, and never returns: the process ends with its parent.
func obey(name string, receiver any) error {
	if err := rpc.RegisterName(name, receiver); err != nil {
		return err
	}
	rpc.ServeConn(pipes{leash{os.Stdin}, os.Stdout})
	return nil
}

// leash ends the process when its parent is gone or wants no more of it, whatever is still going on.
type leash struct{ io.Reader }

// Read implements io.Reader.
func (l leash) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if err != nil {
		os.Exit(0)
	}
	return n, nil
}

// pipes is the two directions of a conversation as one.
type pipes struct {
	io.Reader
	io.WriteCloser
}
