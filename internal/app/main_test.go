package app_test

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == "rapid.checks" })
	if !set { // each is a life of servers; to look for longer: -args -rapid.checks=200
		_ = flag.Set("rapid.checks", "8")
	}
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
