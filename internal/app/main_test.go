package app_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

func TestMain(m *testing.M) {
	code := storetest.Main(m)
	apptest.CloseIdle()
	if code == 0 {
		if err := goleak.Find(goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener")); err != nil {
			println("goroutines left behind:", err.Error())
			code = 1
		}
	}
	os.Exit(code)
}

// each runs a test against a server on each kind of database.
func each(t *testing.T, test func(t *testing.T, s *apptest.Server)) {
	t.Helper()
	storetest.EachDatabase(t, func(t *testing.T, database string) { test(t, apptest.Start(t, database)) })
}
