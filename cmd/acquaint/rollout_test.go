package main

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
)

// nextVersions is what the versions to come add to the tables, up to one of them; each adds columns to those that are
// written to most, and an index.
func nextVersions(upTo string) fs.FS {
	last, _ := strconv.Atoi(upTo)
	files := make(fstest.MapFS)
	for n := 1; n <= last; n++ {
		files[fmt.Sprintf("postgres/20990101%04d00_columns.sql", n)] = &fstest.MapFile{Data: fmt.Appendf(nil, `-- +goose Up
ALTER TABLE "notifications" ADD COLUMN "next_note_%[1]d" text NOT NULL DEFAULT 'none';
ALTER TABLE "invitations" ADD COLUMN "next_kind_%[1]d" bigint NULL;
`, n)}
		files[fmt.Sprintf("postgres/20990101%04d01_index.sql", n)] = &fstest.MapFile{Data: fmt.Appendf(nil, `-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS "notifications_next_%[1]d";
CREATE INDEX CONCURRENTLY "notifications_next_%[1]d" ON "notifications" ("next_note_%[1]d", "created_at");
`, n)}
	}
	return files
}

// Three nodes are replaced by those of a new version, one after the other and under load, of which the first changes the
// tables, while a backup runs. Nothing is lost, and every request is answered; nodes of the old version go on until they are
// replaced, and do not start any more.
func TestRolloutOfNewVersion(t *testing.T) {
	c, pg := startCluster(t, 3, "--drain-delay", "500ms")
	db, err := sql.Open("postgres", pg.URL("faults"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c.mayLose = func(error) bool { return false }
	underLoad(t, c, func() {
		for round := range *rounds {
			rollOut(t, c, db, round+1)
		}
	})
	if failed := c.failed.Load(); failed > 0 {
		t.Errorf("%d requests were not answered", failed)
	}
	var columns, indexes int
	if err := db.QueryRow(`SELECT count(*) FROM information_schema.columns WHERE column_name LIKE 'next\_%'`).Scan(&columns); err != nil || columns != 2**rounds {
		t.Errorf("%d new columns (%v)", columns, err)
	}
	if err := db.QueryRow(`SELECT count(*) FROM pg_index WHERE indexrelid::regclass::text LIKE 'notifications\_next\_%' AND indisvalid`).Scan(&indexes); err != nil || indexes != *rounds {
		t.Errorf("%d new indexes (%v)", indexes, err)
	}
}

// rollOut replaces the nodes of a cluster by those of a version.
func rollOut(t *testing.T, c *cluster, db *sql.DB, version int) {
	t.Helper()
	stop := func(node *process) {
		node.signal(syscall.SIGTERM)
		node.until(http.StatusServiceUnavailable)
		node.gate.shut() // the balancer has noticed
		if err := node.command.Wait(); err != nil {
			t.Errorf("a node ended with %v: %s", err, node.said)
		}
	}
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
	first.version = version
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
		node.version = version
		node.start()
		c.during(50)
	}
}
