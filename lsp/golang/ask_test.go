package golang

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/lsptest"
	"github.com/cytisus/cytisus/lsp/server"
)

// TestAsk plays the sessions in testdata/ask; package lsptest says how they are written.
func TestAsk(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	lsptest.Play(t, Language{}, filepath.Join("testdata", "ask", "*.txtar"), lsptest.Options{
		Server: server.Options{Workspace: lsp.WorkspaceOptions{
			Lint:  true,
			Tests: true, Env: []string{"GOFLAGS=", "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local"},
		}},
		Elsewhere: map[string]string{"GOROOT": strings.TrimSpace(string(goroot))},
	})
}
