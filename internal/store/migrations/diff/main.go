// Command diff writes the migration from the newest version of the tables to what ent/schema says now, for PostgreSQL
// (on a private server, started for the purpose) and for SQLite:
//
//	go run ./internal/store/migrations/diff NAME
//
// Read what it wrote before committing it. On SQLite, a file that rebuilds a table needs "-- +goose NO TRANSACTION".
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	_ "github.com/lib/pq"  // driver
	_ "modernc.org/sqlite" // driver

	"github.com/acquaint/acquaint/ent/migrate"
	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: diff NAME (what changes, in lower_case)")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, name string) error {
	server, err := pgserver.Start(ctx)
	if err != nil {
		return err
	}
	defer server.Stop()
	for _, d := range databases(server.URL("postgres")) {
		err := d.write(ctx, filepath.Join("internal", "store", "migrations", d.driver), name)
		switch {
		case errors.Is(err, atlas.ErrNoPlan):
			log.Printf("%s: nothing to change", d.driver)
		case err != nil:
			return fmt.Errorf("%s: %w", d.driver, err)
		}
	}
	return nil
}

// database is where the migrations of one dialect are replayed: it must be empty.
type database struct{ dialect, driver, source string }

func databases(postgres string) []database {
	return []database{
		{dialect.Postgres, "postgres", postgres},
		{dialect.SQLite, "sqlite", "file:diff?mode=memory&cache=shared&_pragma=foreign_keys(1)"},
	}
}

// write replays the migrations of a folder and adds the one that is missing to reach ent/schema, or gives
// atlas.ErrNoPlan when none is.
func (d database) write(ctx context.Context, folder, name string) error {
	db, err := sql.Open(d.driver, d.source)
	if err != nil {
		return err
	}
	defer db.Close()
	dir, err := sqltool.NewGooseDir(folder)
	if err != nil {
		return err
	}
	// Atlas wants a file of checksums; the files are reviewed and kept by git, so ours is made here and thrown away.
	sum, err := dir.Checksum()
	if err != nil {
		return err
	}
	if err := atlas.WriteSumFile(dir, sum); err != nil {
		return err
	}
	defer os.Remove(filepath.Join(folder, atlas.HashFileName))
	m, err := schema.NewMigrate(entsql.OpenDB(d.dialect, db), schema.WithDir(dir), schema.WithMigrationMode(schema.ModeReplay),
		schema.WithDialect(d.dialect), schema.WithFormatter(sqltool.GooseFormatter),
		schema.WithDropColumn(true), schema.WithDropIndex(true), schema.WithErrNoPlan(true))
	if err != nil {
		return err
	}
	return m.NamedDiff(ctx, name, migrate.Tables...)
}
