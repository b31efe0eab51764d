package disk_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/disk"
)

// TestStandardPackages checks that the list has what an environment can import, and nothing else.
func TestStandardPackages(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	env := disk.Environment{GoRoot: strings.TrimSpace(string(goroot)), GoOS: "linux", GoArch: "amd64"}
	plain, err := env.StandardPackages()
	if err != nil {
		t.Fatal(err)
	}
	env.Experiment = "arenas"
	arenas, err := env.StandardPackages()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"fmt", "net/http", "unsafe"} {
		if !slices.Contains(plain, path) {
			t.Errorf("%s is missing", path)
		}
	}
	for _, path := range []string{"builtin", "arena", "runtime/asan", "internal/abi", "cmd/go"} {
		if slices.Contains(plain, path) {
			t.Errorf("%s is listed", path)
		}
	}
	if !slices.Contains(arenas, "arena") {
		t.Error("with the experiment arena is missing")
	}
}
