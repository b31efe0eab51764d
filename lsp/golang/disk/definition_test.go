package disk_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/disk"
)

// What a go.work file uses is understood also where the go command does not accept the file, so
// that it names one build.
func TestUsesOfAGoWorkFile(t *testing.T) {
	const (
		block = "use (\n\t./one // the first\n\t\"./two\"\n)\nuse three\n"
		named = "one three two"
	)
	for _, c := range []struct{ name, text, want string }{
		{"accepted", "go 1.24\n" + block, named},
		{"unknown directive", "go 1.24\n" + block + "require ex.org/none v1.0.0\n", named},
		{"bad version", "go nonsense\n" + block, named},
		{"open parenthesis", block + "use (\n", named},
		{"half a line", "go 1.24\n" + block + "use ./on e\nreplace (\n\tx\n\t./four\n)\n", named},
		{"quotes", "nonsense\nuse `one`\nuse \"tw\n", "\"tw one"},
		{"nothing", "", ""},
		{"no words", "nonsense\nuse\nuse (\n)\n// use one\n", ""},
	} {
		dir := t.TempDir()
		work := filepath.Join(dir, "go.work")
		if err := os.WriteFile(work, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		d, ok := disk.WorkDefinition(work)
		if !ok {
			t.Fatalf("%s: the file cannot be read", c.name)
		}
		var want []string
		for name := range strings.FieldsSeq(c.want) {
			want = append(want, filepath.Join(dir, name))
		}
		if !slices.Equal(d.Uses, want) {
			t.Errorf("%s: uses %q, want %q", c.name, d.Uses, want)
		}
	}
}
