package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/lib/pq"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/internal/postgres"
	"github.com/acquaint/acquaint/internal/store/storetest"
	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

func openConn(t *testing.T, address string) *sql.Conn {
	t.Helper()
	db, _ := open(t, address)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func exec(t *testing.T, conn *sql.Conn, statement string) {
	t.Helper()
	if _, err := conn.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// text gives one text.
func text(t *testing.T, conn *sql.Conn, query string) (out string) {
	t.Helper()
	if err := conn.QueryRowContext(t.Context(), query).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// A script's statements run in their order, each seeing what the one before did, and each gives its rows.
func TestScript(t *testing.T) {
	t.Parallel()
	conn := openConn(t, storetest.EmptyPostgres(t))
	exec(t, conn, "CREATE TEMP TABLE things (n bigint PRIMARY KEY)")
	insert := postgres.Call{Query: "INSERT INTO things SELECT unnest($1::bigint[]) RETURNING n", Args: []any{pq.Array([]int64{1, 2, 3})}}
	none := postgres.Call{Query: "SELECT n FROM things WHERE n > $1", Args: []any{int64(9)}}
	count := postgres.Call{Query: "SELECT count(*) FROM things"}
	for range 2 { // the second time they are prepared
		got := make(map[int][]int64)
		err := postgres.Script{Before: "BEGIN", Calls: []postgres.Call{insert, none, count}}.Run(t.Context(), conn, func(call int, rows *sql.Rows) error {
			var n int64
			err := rows.Scan(&n)
			got[call] = append(got[call], n)
			return err
		})
		if err != nil || !slices.Equal(got[0], []int64{1, 2, 3}) || len(got[1]) != 0 || !slices.Equal(got[2], []int64{3}) {
			t.Fatalf("gave %v, %v", got, err)
		}
		exec(t, conn, "ROLLBACK")
	}
	if n := text(t, conn, "SELECT count(*)::text FROM things"); n != "0" {
		t.Errorf("%s things are left of transactions that were rolled back", n)
	}
}

// Of a script whose statement fails nothing more is run, whether it fails at once or after rows.
func TestScriptFails(t *testing.T) {
	t.Parallel()
	conn := openConn(t, storetest.EmptyPostgres(t))
	exec(t, conn, "CREATE SEQUENCE runs")
	next := postgres.Call{Query: "SELECT nextval('runs')"}
	for _, failing := range []string{"SELECT 1 / $1::int", "SELECT 1 / (n - 2) FROM generate_series(1, 3) n WHERE $1::int = 0"} {
		err := postgres.Script{Before: "BEGIN", Calls: []postgres.Call{{Query: failing, Args: []any{int64(0)}}, next}}.
			Run(t.Context(), conn, func(int, *sql.Rows) error { return nil })
		if refused, ok := errors.AsType[*pq.Error](err); !ok || refused.Code.Name() != "division_by_zero" {
			t.Errorf("%s gave %v", failing, err)
		}
		exec(t, conn, "ROLLBACK")
	}
	if n := text(t, conn, "SELECT nextval('runs')::text"); n != "1" {
		t.Errorf("what came after a failure was run: %s", n)
	}
	stop := errors.New("enough")
	err := postgres.Script{Calls: []postgres.Call{next, next}}.Run(t.Context(), conn, func(int, *sql.Rows) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("gave %v", err)
	}
	if n := text(t, conn, "SELECT nextval('runs')::text"); n != "4" {
		t.Errorf("the connection is not where it should be: %s", n)
	}
}

// Every argument comes to the server as it is.
func TestScriptArguments(t *testing.T) {
	t.Parallel()
	conn := openConn(t, storetest.EmptyPostgres(t))
	words := rapid.StringOfN(rapid.OneOf(
		rapid.SampledFrom([]rune{'\'', '\\', '"', '$', ';', '{', '}', ',', '-', '\n', ' ', 'E', 0x1f600}), rapid.Rune().Filter(func(r rune) bool { return r != 0 }),
	), 0, 40, -1)
	rapid.Check(t, func(t *rapid.T) {
		one, list := words.Draw(t, "text"), rapid.SliceOfN(words, 0, 5).Draw(t, "list")
		number, truth := rapid.Int64().Draw(t, "number"), rapid.Bool().Draw(t, "bool")
		call := postgres.Call{
			Query: "SELECT $1::text, $2::text[], $3::bigint, $4::boolean, $5::text IS NULL",
			Args:  []any{one, pq.Array(list), number, truth, nil},
		}
		err := postgres.Script{Calls: []postgres.Call{call}}.Run(context.Background(), conn, func(_ int, rows *sql.Rows) error {
			var (
				gotOne    string
				gotList   []string
				gotNumber int64
				gotTruth  bool
				null      bool
			)
			err := rows.Scan(&gotOne, pq.Array(&gotList), &gotNumber, &gotTruth, &null)
			if gotOne != one || !slices.Equal(gotList, list) || gotNumber != number || gotTruth != truth || !null {
				t.Errorf("%q %q %d %t came as %q %q %d %t", one, list, number, truth, gotOne, gotList, gotNumber, gotTruth)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// An argument that a script cannot have is refused before anything is sent.
func TestScriptRefusesArguments(t *testing.T) {
	t.Parallel()
	conn := openConn(t, storetest.EmptyPostgres(t))
	for _, arg := range []any{"before\x00'; DROP TABLE things", 1.5, []byte("bytes"), struct{}{}} {
		call := postgres.Call{Query: "SELECT $1::text", Args: []any{arg}}
		err := postgres.Script{Before: "BEGIN", Calls: []postgres.Call{call}}.Run(t.Context(), conn, func(int, *sql.Rows) error { return nil })
		if _, sent := errors.AsType[*pq.Error](err); err == nil || sent {
			t.Errorf("%q gave %v", arg, err)
		}
		if now := text(t, conn, "SELECT (now() = statement_timestamp())::text"); now != "true" {
			t.Fatal("a transaction was begun")
		}
	}
}

// A number is read to the end: a statement may fail after its row was sent.
func TestNumber(t *testing.T) {
	t.Parallel()
	conn := openConn(t, storetest.EmptyPostgres(t))
	exec(t, conn, "CREATE TEMP TABLE things (word text PRIMARY KEY)")
	call := postgres.Call{Query: "WITH i AS (INSERT INTO things SELECT $1::text RETURNING 1) SELECT 7", Args: []any{`it's "so" \`}}
	if n, err := call.Number(t.Context(), conn); n != 7 || err != nil {
		t.Fatalf("gave %d, %v", n, err)
	}
	if _, err := call.Number(t.Context(), conn); err == nil {
		t.Error("the second time gave no error")
	}
	if word := text(t, conn, "SELECT string_agg(word, '') FROM things"); word != `it's "so" \` {
		t.Errorf("wrote %q", word)
	}
	for _, query := range []string{"SELECT 'word'", "SELECT 1 WHERE false", "SELECT 1 / (3 - n) FROM generate_series(1, 3) n"} {
		if n, err := (postgres.Call{Query: query}).Number(t.Context(), conn); err == nil {
			t.Errorf("%s gave %d", query, n)
		}
	}
	if n, err := (postgres.Call{Query: "SELECT 8"}).Number(t.Context(), conn); n != 8 || err != nil {
		t.Errorf("after all that: %d, %v", n, err)
	}
}

// What has been used for long is prepared anew, between the uses, and what a script runs is planned then, too.
func TestRenewStatements(t *testing.T) {
	t.Parallel()
	const uses = 100
	conn := openConn(t, storetest.EmptyPostgres(t)+"&plan_cache_mode=force_generic_plan")
	script := postgres.Script{Calls: []postgres.Call{{Query: "SELECT $1::int + $2::int", Args: []any{int64(1), int64(2)}}}}
	bound := postgres.Call{Query: "SELECT 5 + $1::int", Args: []any{int64(1)}}
	use := func() {
		if err := script.Run(t.Context(), conn, func(int, *sql.Rows) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if n, err := bound.Number(t.Context(), conn); n != 6 || err != nil {
			t.Fatal(n, err)
		}
	}
	renew := func() {
		if err := postgres.Renew(t.Context(), conn); err != nil {
			t.Fatal(err)
		}
	}
	const plans = "SELECT coalesce(string_agg(generic_plans::text, ' ' ORDER BY name DESC), '') FROM pg_prepared_statements" // the script's first
	for range uses - 1 {
		use()
	}
	renew()
	if n := text(t, conn, plans); n != "99 99" {
		t.Errorf("before its time it was renewed: %s", n)
	}
	use()
	renew()
	if n := text(t, conn, plans); n != "1 0" {
		t.Errorf("after %d uses it was not: %s", uses, n)
	}
	use()
	renew()
	if n := text(t, conn, plans); n != "2 1" {
		t.Errorf("it was renewed again at once: %s", n)
	}
}

// A call ends with its context, and its connection with it.
func TestScriptEndsInTime(t *testing.T) {
	t.Parallel()
	db, _ := open(t, storetest.EmptyPostgres(t))
	for name, run := range map[string]func(ctx context.Context, conn *sql.Conn) error{
		"Script": func(ctx context.Context, conn *sql.Conn) error {
			return postgres.Script{Calls: []postgres.Call{{Query: "SELECT pg_sleep(60)"}}}.Run(ctx, conn, func(int, *sql.Rows) error { return nil })
		},
		"Number": func(ctx context.Context, conn *sql.Conn) error {
			_, err := postgres.Call{Query: "SELECT 1 FROM pg_sleep(60)"}.Number(ctx, conn)
			return err
		},
	} {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		began := time.Now()
		err = run(ctx, conn)
		cancel()
		if err == nil || time.Since(began) > soon {
			t.Errorf("%s gave %v after %v", name, err, time.Since(began))
		}
		_ = conn.Close()
		if err := db.PingContext(t.Context()); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
	}
}

// A commit that the server did not do is none, and a rollback is one.
func TestCommit(t *testing.T) {
	t.Parallel()
	conn := openConn(t, storetest.EmptyPostgres(t))
	exec(t, conn, "CREATE TABLE things (n int)")
	in := func(statement string) error {
		return postgres.Script{Before: "BEGIN", Calls: []postgres.Call{{Query: statement}}}.Run(t.Context(), conn, func(int, *sql.Rows) error { return nil })
	}
	const insert = "INSERT INTO things VALUES (1) RETURNING n"
	if err := errors.Join(in(insert), postgres.Commit(t.Context(), conn), in(insert), postgres.Rollback(t.Context(), conn)); err != nil {
		t.Error(err)
	}
	if in("SELECT 1 / 0") == nil || postgres.Commit(t.Context(), conn) == nil {
		t.Error("a transaction that failed was committed")
	}
	if n := text(t, conn, "SELECT count(*)::text FROM things"); n != "1" {
		t.Errorf("there are %s things", n)
	}
}

// A commit that waits for a standby does not go on waiting, and keep what is locked, when its time is over.
func TestCommitDoesNotWaitForever(t *testing.T) {
	t.Parallel()
	server, err := pgserver.Start(t.Context(), "synchronous_standby_names=nobody")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	db, _ := open(t, server.URL("postgres"))
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, statement := range []string{"CREATE TABLE things (n int)", "SET synchronous_commit = on", "BEGIN", "INSERT INTO things VALUES (1)"} {
		exec(t, conn, statement)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_ = postgres.Commit(ctx, conn) // done here, and not on the standby
	deadline := time.Now().Add(soon)
	for waiting := 1; waiting > 0; {
		const query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
		if err := db.QueryRowContext(t.Context(), query).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("it waits still")
		}
	}
}

// A connection that is discarded is not used again.
func TestDiscard(t *testing.T) {
	t.Parallel()
	db, _ := open(t, storetest.EmptyPostgres(t))
	db.SetMaxOpenConns(1)
	pid := func() string {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		defer postgres.Discard(conn)
		return text(t, conn, "SELECT pg_backend_pid()::text")
	}
	if a, b := pid(), pid(); a == b {
		t.Errorf("connection %s was used twice", a)
	}
}
