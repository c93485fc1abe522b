package store_test

import (
	"flag"
	"os"
	"testing"

	"github.com/acquaint/acquaint/internal/store/storetest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == "rapid.checks" })
	if !set { // each runs hundreds of transactions; to look for longer: -args -rapid.checks=200
		_ = flag.Set("rapid.checks", "25")
	}
	os.Exit(storetest.Main(m))
}
