package mmapcas

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/cytisus/cytisus/arena"
)

const raceEnabled = arena.Race

func TestMain(m *testing.M) {
	if what := os.Getenv(childEnv); what != "" {
		beChild(what)
	}
	goleak.VerifyTestMain(m)
}
