package main

import (
	"context"

	"github.com/acquaint/acquaint/internal/store"
)

// migrateCommand is acquaint migrate.
type migrateCommand struct {
	databaseSettings
	logSettings
}

// Run runs it.
func (c migrateCommand) Run(ctx context.Context, s streams) error {
	log := c.logger(s.err)
	opened, err := store.Open(ctx, c.url(), store.Options{Log: log})
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "the database is at this version")
	return opened.Close()
}
