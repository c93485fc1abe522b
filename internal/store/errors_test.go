package store

import (
	"errors"
	"fmt"
	"testing"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"github.com/acquaint/acquaint/internal/postgres"
	"github.com/acquaint/acquaint/internal/refusal"
)

// What passes by itself is UNAVAILABLE, everything else a fault of ours.
func TestTranslate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code   string
		passes bool
	}{
		{"08006", true}, // connection_failure
		{"53100", true}, // disk_full
		{"53200", true}, // out_of_memory
		{"53300", true}, // too_many_connections
		{"55P03", true}, // lock_not_available
		{"57014", true}, // query_canceled
		{"57P01", true}, // admin_shutdown
		{"57P02", true}, // crash_shutdown
		{"57P03", true}, // cannot_connect_now
		{"58030", true}, // io_error
		{"25P03", true}, // idle_in_transaction_session_timeout
		{"25P02", false},
		{"0A000", false},
		{"22001", false},
		{"23505", false}, // unique_violation
		{"42P01", false}, // undefined_table
		{"XX000", false},
	} {
		err := translate(fmt.Errorf("a statement: %w", &pq.Error{Code: pqerror.Code(c.code)}))
		if errors.Is(err, refusal.ErrUnavailable) != c.passes {
			t.Errorf("%s gives %v", c.code, err)
		}
		if errors.Is(err, errFull) != (c.code == diskFull) {
			t.Errorf("%s: is it that the disk is full? %v", c.code, err)
		}
	}
	for _, err := range []error{postgres.ErrReadOnly, postgres.ErrUnreachable} {
		if !errors.Is(translate(err), refusal.ErrUnavailable) {
			t.Errorf("%v is not unavailable", err)
		}
	}
}
