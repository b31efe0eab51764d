package conf

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/cytisus/cytisus/lsp/lsptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSessions plays the sessions in testdata; package lsptest says how they are written.
func TestSessions(t *testing.T) {
	lsptest.Play(t, Language{}, filepath.Join("testdata", "*.txtar"), lsptest.Options{})
}
