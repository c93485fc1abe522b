package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/acquaint/acquaint/bench/internal/harness"
)

// watching are the settings of a server that counts its statements.
var watching = []string{"shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track_planning=on"}

// watched asks a database what its server's statements took. All of it does nothing where they are not counted.
type watched struct {
	db     *sql.DB // nil
	tables []harness.Table
}

func watch(ctx context.Context, address string) (*watched, error) {
	if err := execAll(ctx, address, "CREATE EXTENSION pg_stat_statements"); err != nil {
		return nil, err
	}
	db, err := sql.Open("postgres", address)
	return &watched{db: db}, err
}

func (w *watched) close() {
	if w.db != nil {
		_ = w.db.Close()
	}
}

// begin forgets what was counted.
func (w *watched) begin(ctx context.Context) error {
	if w.db == nil {
		return nil
	}
	_, err := w.db.ExecContext(ctx, "SELECT pg_stat_statements_reset()")
	return err
}

// end makes a table of what was counted since, the dearest first.
func (w *watched) end(ctx context.Context, what string, times int64) error {
	if w.db == nil {
		return nil
	}
	t := harness.Table{
		Title: "What PostgreSQL did for " + what,
		Head:  []string{"statement", "calls for each", "rows of each call", "ms of each call", "planning, ms", "of all"},
	}
	rows, err := w.db.QueryContext(ctx, `
		SELECT query, calls, rows, total_exec_time, total_plan_time,
			(total_exec_time + total_plan_time) / sum(total_exec_time + total_plan_time) OVER ()
		FROM pg_stat_statements JOIN pg_database d ON d.oid = dbid AND d.datname = current_database()
		ORDER BY total_exec_time + total_plan_time DESC LIMIT 12`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			query                 string
			calls, n              int64
			executing, plan, part float64
		)
		if err := rows.Scan(&query, &calls, &n, &executing, &plan, &part); err != nil {
			return err
		}
		const least = 0.01
		if part < least {
			continue
		}
		each := func(v float64) string { return fmt.Sprintf("%.3f", v/float64(calls)) }
		t.Rows = append(t.Rows, []string{
			"`" + shortened(query) + "`", fmt.Sprintf("%.2f", float64(calls)/float64(times)), fmt.Sprintf("%.1f", float64(n)/float64(calls)),
			each(executing), each(plan), fmt.Sprintf("%.0f %%", 100*part), //nolint:mnd // percent
		})
	}
	w.tables = append(w.tables, t)
	return rows.Err()
}

// shortened is the beginning of a statement, as a cell of a table.
func shortened(query string) string {
	const most = 70
	query = strings.NewReplacer("|", "¦", "`", "'").Replace(strings.Join(strings.Fields(query), " "))
	if len(query) > most {
		query = query[:most] + "…"
	}
	return query
}
