package main

import (
	"context"

	"github.com/acquaint/acquaint/internal/app"
)

// serveCommand is acquaint serve.
type serveCommand struct {
	serverSettings
	tokenSettings
	Migrate bool `env:"ACQUAINT_MIGRATE" default:"true" negatable:"" help:"Bring the database to this version at the start."`
}

// Help is shown by acquaint serve --help.
func (serveCommand) Help() string {
	return `It needs one of the two ways to check tokens: --jwt-secret, or --jwks-url.
It answers at /graphql (HTTP and websocket), / (GraphiQL), /healthz (it lives) and /readyz (the database answers).
SIGTERM drains: /readyz fails, requests in flight finish, sockets close with 1001. A second one ends it at once.`
}

// Run runs it.
func (c serveCommand) Run(ctx context.Context, s streams) error {
	log := c.logger(s.err)
	config := c.config(log)
	config.JWTSecret, config.JWKSURL, config.JWTIssuer, config.JWTAudience = c.JWTSecret, c.JWKSURL, c.JWTIssuer, c.JWTAudience
	config.NoMigrate = !c.Migrate
	s.configure(&config)
	return serve(ctx, config, func(a *app.App) {
		log.InfoContext(ctx, "listening", "url", a.URL(), "graphql", a.URL()+"/graphql", "metrics", a.MetricsURL())
	})
}
