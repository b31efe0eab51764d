// Package testfiles writes the files of tests, and knows the places that are marked in them.
package testfiles

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// Marks are places in files: /*@name*/ marks the offset behind it.
type Marks map[string]lsp.Location

var markPattern = regexp.MustCompile(`/\*@(\w+)\*/`)

// Write writes the files of an archive below a directory and returns their marks.
func Write(t testing.TB, dir, archive string) Marks {
	t.Helper()
	found := Marks{}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, m := range markPattern.FindAllSubmatchIndex(f.Data, -1) {
			name := string(f.Data[m[2]:m[3]])
			if _, ok := found[name]; ok {
				t.Fatalf("mark %s is there twice", name)
			}
			found[name] = lsp.Location{URI: files.URI(path), Span: lsp.Span{Start: m[1], End: syntax.WordEnd(f.Data, m[1])}}
		}
	}
	return found
}

// TempDir is t.TempDir as the go command sees it.
func TempDir(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Symlink makes a symbolic link, or skips the test where that is not allowed.
func Symlink(t testing.TB, to, link string) {
	t.Helper()
	if err := os.Symlink(to, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
}
