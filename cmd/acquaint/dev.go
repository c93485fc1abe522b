package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/auth"
)

// devCommand is acquaint dev.
type devCommand struct {
	serverSettings
}

// Help is shown by acquaint dev --help.
func (devCommand) Help() string {
	return `Everything in one process for trying it out: SQLite in the data folder, some thirty demo members with a small
network, a page to sign in as any of them, and GraphiQL. Anybody who can reach it can be anybody, so it answers on the
loopback interface only. Delete the data folder to begin anew.`
}

// Run runs it.
func (c devCommand) Run(ctx context.Context, s streams) error {
	host, _, err := net.SplitHostPort(c.Listen)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return &app.SettingError{Setting: "--listen", Reason: "acquaint dev answers on the loopback interface only, as in 127.0.0.1:8080"}
	}
	secret, err := devSecret(c.DataDir)
	if err != nil {
		return err
	}
	log := c.logger(s.err)
	config := c.config(log)
	config.Demo, config.JWTSecret = true, secret
	return serve(ctx, config, func(a *app.App) {
		fmt.Fprintf(s.out, `
  acquaint dev: for trying it out, never for production. Data in %s; Ctrl-C ends it.

  Open        %s
              and sign in as two members in two windows: subscribe in one, invite in the other.

  GraphQL     %s/graphql
  Subscribe   %s/graphql   (subprotocol graphql-transport-ws)
  A token     %s token --subject demo-ada --data-dir %s

`, c.DataDir, a.URL(), a.URL(), "ws"+strings.TrimPrefix(a.URL(), "http"), invocation(), c.DataDir)
	})
}

// secretFile is where acquaint dev keeps the secret of its tokens, so that they are good after a restart.
const secretFile = "jwt-secret"

// devSecret gives the secret in the data folder, and makes it the first time.
func devSecret(folder string) (string, error) {
	path := filepath.Join(folder, secretFile)
	raw, err := os.ReadFile(path)
	if err == nil && len(raw) >= auth.SecretMin {
		return string(raw), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("cannot read the secret of the data folder: %w", err)
	}
	secret := rand.Text() + rand.Text()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("cannot make the data folder: %w", err)
	}
	// Written whole, and then linked: of two first starts, one secret wins, and both have it.
	whole := path + "." + rand.Text()
	if err := os.WriteFile(whole, []byte(secret), 0o600); err != nil {
		return "", fmt.Errorf("cannot write the secret of the data folder: %w", err)
	}
	defer os.Remove(whole)
	if err := os.Link(whole, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("cannot write the secret of the data folder: %w", err)
	}
	raw, err = os.ReadFile(path)
	return string(raw), err
}

// invocation is how to run another command of the program as this one was run: go run builds into a temporary folder
// that is gone afterwards.
func invocation() string {
	if path, err := os.Executable(); err != nil || strings.Contains(path, "go-build") {
		return "go run ./cmd/acquaint"
	}
	return os.Args[0]
}
