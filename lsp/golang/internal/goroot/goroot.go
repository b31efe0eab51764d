// Package goroot finds the sources of Go's standard library, for tests.
package goroot

import (
	"go/build"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var dir = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	return strings.TrimSpace(string(out)), err
})

// Src returns the directory of the sources. A program that was built with -trimpath does not know
// it, so the go command is asked. [build.Default] knows it from then on, and so does what package
// importer makes; tests that run at once with the first call must not use that.
func Src(t testing.TB) string {
	t.Helper()
	root, err := dir()
	if err != nil || root == "" {
		t.Fatalf("where Go is: %q, %v", root, err)
	}
	if build.Default.GOROOT == "" {
		build.Default.GOROOT = root
	}
	return filepath.Join(root, "src")
}
