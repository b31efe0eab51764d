package golang

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/internal/testfiles"
)

var wholeStd = flag.Bool("std", false, "run the tests that index the whole standard library (a minute on two cores, ten with the race detector)")

// TestStandardLibrary indexes the Go tree itself: the main job on real input.
func TestStandardLibrary(t *testing.T) {
	if !*wholeStd {
		t.Skip("needs -std")
	}
	env, m := purebuild.Std()
	store := t.TempDir()
	root := filepath.Join(env.GoRoot, "src")
	f := openFixture(t, root, store, nil, lsp.WorkspaceOptions{})
	cold := f.index()
	t.Logf("cold: %+v", cold)
	if cold.Diagnostics != 0 {
		t.Errorf("%d diagnostics in the standard library", cold.Diagnostics)
	}
	f.close()
	f = openFixture(t, root, store, nil, lsp.WorkspaceOptions{})
	warm := f.index()
	t.Logf("warm: %+v", warm)
	if warm.Ran != 0 || warm.FilesRead != 0 {
		t.Errorf("a warm start ran %d queries and read %d files", warm.Ran, warm.FilesRead)
	}

	// Edits, unsaved so that the tree stays as it is.
	edit := func(path, old, replacement string) (checks uint64) {
		t.Helper()
		uri := f.uri(path)
		text := f.read(path)
		if !strings.Contains(text, old) {
			t.Fatalf("%s does not contain %q", path, old)
		}
		before := f.ran("golang/check")
		if err := f.w.SetOverlay(f.ctx, uri, []byte(strings.Replace(text, old, replacement, 1))); err != nil {
			t.Fatal(err)
		}
		f.settle()
		return f.ran("golang/check") - before
	}
	if n := edit("container/list/list.go", "e.next = nil", "e.next = (nil)"); n != 1 {
		t.Errorf("a body edit ran %d checks, want 1", n)
	}
	if n := edit("container/list/list.go", "func New() *List", "func Extra() {}\n\nfunc New() *List"); n != 1 {
		t.Errorf("a function that no package looks for ran %d checks, want 1", n)
	}
	if n := edit("container/list/list.go", "type List struct", "type List struct"); n != 0 {
		t.Errorf("going back ran %d checks", n)
	}
	if err := f.w.ClearOverlay(f.ctx, f.uri("container/list/list.go")); err != nil {
		t.Fatal(err)
	}
	f.settle()

	// A package of the standard library changes as any other where that is the workspace, also in
	// the form that tests of what it imports import.
	for file, name := range map[string]string{"sort/search.go": "Search", "strconv/number.go": "FormatInt"} {
		declared := strings.Index(f.read(file), "func "+name+"(") + len("func ")
		at := lsp.Location{URI: f.uri(file), Span: lsp.Span{Start: declared, End: declared}}
		if renamed, err := f.rename(at, name+"Anew"); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if lines := f.changedLines(renamed); len(lines) < 10 {
			t.Errorf("a rename of %s changes %q", name, lines)
		}
	}

	ids := []string{"errors", "bytes", "container/list", "strings", "sort", "io"}
	b := purebuild.New(t, env, m)
	tr := newTruth(t, b, ids)
	compareWithTruth(t, tr, 300, *truthSeed, f.definition, f.hover, f.references)
}

func TestRootThroughSymbolicLink(t *testing.T) {
	dir := testfiles.TempDir(t)
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	testfiles.Write(t, real, chainModule)
	testfiles.Symlink(t, real, link)
	f := openFixture(t, link, "", nil, lsp.WorkspaceOptions{})
	if sum := f.index(); sum.Units != 5 || sum.Diagnostics != 0 {
		t.Errorf("%+v", sum)
	}
	text := f.read("b/b.go")
	defs, err := f.definition(f.uri("b/b.go"), strings.Index(text, "F(1)"))
	if err != nil || len(defs) != 1 || defs[0].URI != f.uri("a/a.go") {
		t.Errorf("definition %v, %v: want a place in %s", defs, err, f.uri("a/a.go"))
	}
}
