package golang

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// The test binary is also a go command that misbehaves, for tests that put it into the PATH under
// that name.
func TestMain(m *testing.M) {
	if strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") == "go" {
		fakeGo(os.Getenv(fakeEnv))
	}
	goleak.VerifyTestMain(m)
}
