package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set at a release: go build -ldflags "-X main.version=v1.2.3".
var version string

// versionCommand is acquaint version.
type versionCommand struct{}

// Run runs it.
func (versionCommand) Run(s streams) error {
	_, err := fmt.Fprintln(s.out, versionText())
	return err
}

func versionText() string {
	v := version
	if info, ok := debug.ReadBuildInfo(); ok && v == "" {
		v = info.Main.Version
	}
	if v == "" {
		v = "(devel)"
	}
	return fmt.Sprintf("acquaint %s %s", v, runtime.Version())
}
