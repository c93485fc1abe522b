package main

import (
	"database/sql"
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
)

// nextVersion is what a version to come adds to the tables: columns of those that are written to most, and an index.
var nextVersion = fstest.MapFS{
	"postgres/20990101000000_columns.sql": {Data: []byte(`-- +goose Up
ALTER TABLE "notifications" ADD COLUMN "next_note" text NOT NULL DEFAULT 'none';
ALTER TABLE "invitations" ADD COLUMN "next_kind" bigint NULL;
`)},
	"postgres/20990101000001_index.sql": {Data: []byte(`-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS "notifications_next";
CREATE INDEX CONCURRENTLY "notifications_next" ON "notifications" ("next_note", "created_at");
`)},
}

// Three nodes are replaced by those of a new version, one after the other and under load, of which the first changes the
// tables, while a backup runs. Nothing is lost; nodes of the old version go on until they are replaced, and do not start
// any more.
func TestRolloutOfNewVersion(t *testing.T) {
	c, pg := startCluster(t, 3)
	db, err := sql.Open("postgres", pg.URL("faults"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	stop := func(node *process) {
		node.out.Store(true)
		node.signal(syscall.SIGTERM)
		if err := node.command.Wait(); err != nil {
			t.Errorf("a node ended with %v", err)
		}
	}
	underLoad(t, c, func() {
		c.during(20)
		first, rest := c.nodes[0], c.nodes[1:]
		stop(first)
		backup, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = backup.Rollback() }()                                                             // nothing, after the commit
		if _, err := backup.Exec("LOCK TABLE notifications, invitations IN ACCESS SHARE MODE"); err != nil { // as pg_dump does
			t.Fatal(err)
		}
		first.next = true
		first.launch()
		first.said.wait(t, `(others hold tables that are to be migrated)`)
		c.during(100) // it does not hold up those who only want to work
		if err := backup.Commit(); err != nil {
			t.Fatal(err)
		}
		first.ready()
		c.during(50) // two of the old version, and one of the new
		for _, node := range rest {
			stop(node)
			node.launch()
			var ended *exec.ExitError
			if err := node.command.Wait(); !errors.As(err, &ended) || ended.ExitCode() != 1 || !strings.Contains(node.said.String(), "newer version") {
				t.Errorf("the old version ended with %v: %s", err, node.said)
			}
			node.next = true
			node.start()
			c.during(50)
		}
	})
	var columns, indexes int
	if err := db.QueryRow(`SELECT count(*) FROM information_schema.columns WHERE column_name LIKE 'next\_%'`).Scan(&columns); err != nil || columns != 2 {
		t.Errorf("%d new columns (%v)", columns, err)
	}
	if err := db.QueryRow(`SELECT count(*) FROM pg_index WHERE indexrelid = 'notifications_next'::regclass AND indisvalid`).Scan(&indexes); err != nil || indexes != 1 {
		t.Errorf("%d new indexes (%v)", indexes, err)
	}
}
