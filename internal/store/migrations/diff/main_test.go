package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	atlas "ariga.io/atlas/sql/migrate"

	"github.com/acquaint/acquaint/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// The migrations lead to what ent/schema says: nothing is missing. (If this fails: make migration NAME=what_changed.)
func TestMigrationsAreCurrent(t *testing.T) {
	t.Parallel()
	for _, d := range databases(storetest.EmptyPostgres(t)) {
		t.Run(d.driver, func(t *testing.T) { // one after the other: ent changes the tables that it is given
			folder := t.TempDir()
			if err := os.CopyFS(folder, os.DirFS(filepath.Join("..", d.driver))); err != nil {
				t.Fatal(err)
			}
			if err := d.write(context.Background(), folder, "missing"); !errors.Is(err, atlas.ErrNoPlan) {
				files, _ := filepath.Glob(filepath.Join(folder, "*_missing.sql"))
				for _, f := range files {
					text, _ := os.ReadFile(f)
					t.Logf("%s", text)
				}
				t.Fatalf("ent/schema differs from the migrations (%v)", err)
			}
		})
	}
}
