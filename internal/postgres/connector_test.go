package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/postgres"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// soon is how long something may take that must not take as long as it likes.
const soon = 10 * time.Second

func open(t *testing.T, address string) (*sql.DB, *postgres.Connector) {
	t.Helper()
	connector, err := postgres.NewConnector(address)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, connector
}

// A server that takes a connection and then says nothing keeps nobody for longer than they want to wait.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes connections, and nobody looks at them
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	db, _ := open(t, "postgres://x@"+l.Addr().String()+"/x?sslmode=disable")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := db.PingContext(ctx); !errors.Is(err, postgres.ErrUnreachable) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > soon {
		t.Errorf("that took %v", took)
	}
}

// A transaction for which nothing comes ends, and with it what it has locked; the pool goes on. How long that takes the
// address may say.
func TestIdleTransactionEnds(t *testing.T) {
	t.Parallel()
	address := storetest.EmptyPostgres(t)
	db, _ := open(t, address)
	var usual string
	if err := db.QueryRowContext(t.Context(), "SHOW idle_in_transaction_session_timeout").Scan(&usual); err != nil || usual != "10s" {
		t.Errorf("transactions may be idle for %q (%v)", usual, err)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE t (n int); INSERT INTO t VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	impatient, _ := open(t, address+"&idle_in_transaction_session_timeout=100")
	held, err := impatient.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := held.ExecContext(t.Context(), "UPDATE t SET n = 2"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if _, err := db.ExecContext(ctx, "UPDATE t SET n = n + 2"); err != nil { // waits for it
		t.Errorf("what an idle transaction has locked stays locked: %v", err)
	}
	if err := held.Commit(); err == nil {
		t.Error("an idle transaction was committed")
	}
	var n int
	if err := impatient.QueryRowContext(t.Context(), "SELECT n FROM t").Scan(&n); err != nil || n != 3 {
		t.Errorf("then there is %d (%v)", n, err)
	}
}

// A statement ends with its context, in the server too, and the pool goes on.
func TestStatementEndsWithContext(t *testing.T) {
	t.Parallel()
	db, _ := open(t, storetest.EmptyPostgres(t))
	prepared, err := db.PrepareContext(t.Context(), "SELECT pg_sleep($1)") //nolint:sqlclosecheck // it is, below
	if err != nil {
		t.Fatal(err)
	}
	defer prepared.Close()
	for what, sleep := range map[string]func(context.Context) error{
		"plain": func(ctx context.Context) error { _, err := db.ExecContext(ctx, "SELECT pg_sleep(600)"); return err },
		"rows": func(ctx context.Context) error {
			return db.QueryRowContext(ctx, "SELECT pg_sleep($1)::text", 600).Scan(new(string))
		},
		"prepared": func(ctx context.Context) error { _, err := prepared.ExecContext(ctx, 600); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		began := time.Now()
		if err := sleep(ctx); err == nil || time.Since(began) > soon {
			t.Errorf("%s: %v after %v", what, err, time.Since(began))
		}
		cancel()
	}
	for deadline := time.Now().Add(soon); ; {
		var sleeping int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(%' AND pid <> pg_backend_pid()").Scan(&sleeping); err != nil {
			t.Fatal(err)
		}
		if sleeping == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d statements go on in the server", sleeping)
		}
	}
}

// A write that the server refuses, as a standby does, has every connection made anew, the idle and the busy alike.
func TestRenew(t *testing.T) {
	t.Parallel()
	db, _ := open(t, storetest.EmptyPostgres(t))
	if _, err := db.Exec("CREATE TABLE t (n int)"); err != nil {
		t.Fatal(err)
	}
	process := func(on interface {
		QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	}) (pid int) {
		if err := on.QueryRowContext(t.Context(), "SELECT pg_backend_pid()").Scan(&pid); err != nil {
			t.Fatal(err)
		}
		return pid
	}
	busy, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	refused, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	before := map[int]bool{process(busy): true, process(refused): true}
	if _, err := refused.Exec("INSERT INTO t VALUES (1)"); !errors.Is(err, postgres.ErrReadOnly) {
		t.Errorf("the write gave %v", err)
	}
	if err := refused.Rollback(); err != nil {
		t.Error(err)
	}
	if err := busy.Close(); err != nil {
		t.Error(err)
	}
	for range 3 {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if pid := process(conn); before[pid] {
			t.Errorf("process %d is still in use", pid)
		}
	}
}
