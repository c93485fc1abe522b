package main

import (
	"fmt"
	"runtime/debug"
)

// version is set at a release: go build -ldflags "-X main.version=v1.2.3".
var version string

// versionCommand is acquaint version.
type versionCommand struct{}

// Run runs it.
func (versionCommand) Run(s streams) error {
	info, ok := debug.ReadBuildInfo()
	if version == "" && ok {
		version = info.Main.Version
	}
	if version == "" {
		version = "(devel)"
	}
	_, err := fmt.Fprintf(s.out, "acquaint %s %s\n", version, info.GoVersion)
	return err
}
