package main

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk gives a folder on a disk of its own. It takes a machine on which the tests may mount one, as CI's is.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "acquaint-disk-") //nolint:usetesting // PostgreSQL's user may not look into t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	err = syscall.Mount("acquaint-test", folder, "tmpfs", 0, fmt.Sprintf("size=%d", bytes))
	if errors.Is(err, syscall.EPERM) && os.Getenv("CI") == "" {
		t.Skip("only root may mount a small disk")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// fill leaves nothing free of a disk but some bytes.
func fill(t *testing.T, disk string, but int64) {
	t.Helper()
	var all syscall.Statfs_t
	if err := syscall.Statfs(disk, &all); err != nil {
		t.Fatal(err)
	}
	size := int64(all.Bavail)*all.Bsize - but
	if size <= 0 {
		return
	}
	file, err := os.Create(filepath.Join(disk, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(make([]byte, size)); err != nil && !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// whenFull has the disk of a cluster's database become full under load, and free again, time after time.
func whenFull(t *testing.T, c *cluster, disk string) {
	t.Helper()
	underLoad(t, c, func() {
		for range 2 * *rounds {
			c.during(20)
			fill(t, disk, 128<<10)
			for _, n := range c.nodes {
				n.until(http.StatusServiceUnavailable)
				if err := call(t.Context(), n.address, "listener0", `{ viewer { unreadNotificationCount } }`, nil, &struct{}{}); err != nil {
					t.Errorf("with a full disk a query gives %v", err)
				}
			}
			if err := os.Remove(filepath.Join(disk, "ballast")); err != nil {
				t.Fatal(err)
			}
			for _, n := range c.nodes {
				n.ready()
			}
		}
		c.during(20)
	})
	if c.failed.Load() == 0 {
		t.Error("the disk was never full")
	}
	for _, n := range c.nodes {
		for _, says := range []string{"the disk of the database is full", "free some room", "the database takes writes again"} {
			if !strings.Contains(n.said.String(), says) {
				t.Errorf("the log does not say %q", says)
			}
		}
	}
}

// While the disk of the database is full what is written is UNAVAILABLE, and what is read is there; nothing that was
// acknowledged is lost, and writing goes on by itself when there is room.
func TestDiskIsFull(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		disk := smallDisk(t, 16<<20)
		c := newCluster(t)
		c.start(1, "sqlite:"+filepath.Join(disk, "a.db"))
		whenFull(t, c, disk)
	})
	t.Run("postgres", func(t *testing.T) {
		pg, disk := startPostgres(t), smallDisk(t, 48<<20)
		if err := pg.OwnedByServer(disk); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("postgres", pg.URL("postgres"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, statement := range []string{"CREATE TABLESPACE small LOCATION '" + disk + "'", "CREATE DATABASE small TABLESPACE small"} {
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		c := newCluster(t)
		c.start(2, pg.URL("small"))
		whenFull(t, c, disk)
		for _, n := range c.nodes { // before the disk is gone
			n.kill()
		}
	})
}

// A server does not start on a database file that it may only read, and says so in one line that names the setting. While a
// server runs the kernel lets nobody make its disk one that can only be read: that is busy, for the file is open for writing.
func TestReadOnlyDatabase(t *testing.T) {
	disk := smallDisk(t, 16<<20)
	database := "sqlite:" + filepath.Join(disk, "a.db")
	if code, _, said := runCommand("migrate", "--database-url", database); code != 0 {
		t.Fatal(said)
	}
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	code, _, said := runCommand("serve", "--database-url", database, "--jwt-secret", secret, "--listen", "127.0.0.1:0")
	if code != 2 || !strings.Contains(said, "--database-url: the database file cannot be written to") || strings.Count(said, "\n") != 1 {
		t.Errorf("on a read-only disk it ended with %d: %s", code, said)
	}
}
