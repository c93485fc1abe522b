package main

import (
	"os/exec"
	"syscall"
)

// endWithTest has a process killed when the test's ends, however that does.
func endWithTest(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
