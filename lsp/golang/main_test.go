package golang

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/cytisus/cytisus/lsp/golang/internal/fakego"
)

// The test binary is also a go command that misbehaves, for tests that put it into the PATH under
// that name.
func TestMain(m *testing.M) {
	if strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") == "go" {
		fakego.Main(os.Getenv(fakego.Env))
	}
	goleak.VerifyTestMain(m)
}
