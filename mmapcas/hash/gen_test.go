package hash

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGeneratedCodeIsCurrent runs the generator, where its module's dependencies are at hand.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the generator")
	}
	if out, err := exec.Command("go", "list", "-C", "gen", "-deps", ".").CombinedOutput(); err != nil {
		t.Skipf("the generator's dependencies are not here: %v\n%s", err, out)
	}
	path := filepath.Join(t.TempDir(), "lanes_amd64.s")
	if out, err := exec.Command("go", "run", "-C", "gen", ".", "-out", path).CombinedOutput(); err != nil {
		t.Fatalf("generator: %v\n%s", err, out)
	}
	if got, want := code(t, path), code(t, "lanes_amd64.s"); !bytes.Equal(got, want) {
		t.Fatal("lanes_amd64.s is not what gen writes: run go generate")
	}
}

// code returns a generated file without its first line, which says with what arguments it was made.
func code(t *testing.T, path string) []byte {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(b, []byte("\n"))
	return rest
}
