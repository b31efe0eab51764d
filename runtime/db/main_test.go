package db

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if raceEnabled {
		// The models run in one goroutine: the detector makes them slow and finds nothing in them.
		// -rapid.checks still overrides.
		if err := flag.Set("rapid.checks", "20"); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	goleak.VerifyTestMain(m)
}
