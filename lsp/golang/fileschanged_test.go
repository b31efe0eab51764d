package golang

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/internal/testfiles"
)

// Reports of what no build has or wants cost a look, and nothing is computed or kept for them.
func TestReportsOfNothing(t *testing.T) {
	f := newFixture(t, chainModule, lsp.WorkspaceOptions{})
	f.index()
	f.settle()
	before, shapes := f.w.generation(), f.ran("golang/shape")
	var names []string
	for i := range 3000 {
		for _, name := range []string{"a/none%d.go", "none%d.txt", "none%d/x.go", "../elsewhere%d/x.go", "node_modules/%d"} {
			names = append(names, f.uri(fmt.Sprintf(name, i)))
		}
	}
	names = append(names, f.uri("a/a.go"), f.uri("a/a.go"))
	if err := f.w.FilesChanged(f.ctx, names); err != nil {
		t.Fatal(err)
	}
	f.settle()
	f.w.mu.Lock()
	touched := len(f.w.touched)
	f.w.mu.Unlock()
	// a.go may be too young to be known by its stat, and is then read again.
	if generations, ran := f.w.generation()-before, f.ran("golang/shape")-shapes; touched > 0 || generations > 1 || ran > 0 {
		t.Errorf("%d names: %d kept, %d commits, %d shapes", len(names), touched, generations, ran)
	}

	f.write("a/new.go", "package a\n\nfunc New() int { return \"\" }\n")
	if err := f.w.FilesChanged(f.ctx, append(names, f.uri("a/new.go"))); err != nil {
		t.Fatal(err)
	}
	f.settle()
	if got := f.published("a/new.go"); len(got) != 1 || !strings.Contains(got[0], "cannot use") {
		t.Errorf("published %q", got)
	}
}

// A change of the root is a look at all that the workspace reads, wherever it lies.
func TestChangeOfTheRoot(t *testing.T) {
	top := testfiles.TempDir(t)
	found := testfiles.Write(t, top, `
-- m/go.mod --
module m

go 1.26

require other v0.0.0

replace other => ../other
-- m/a.go --
package m

import (
	_ "embed"

	"other"
)

var n int = other.N()
-- m/gone.go --
package m

var gone = missing
-- m/sub/e.go --
package sub

import _ "embed"

//go:embed data/*.txt
var text string
-- m/sub/data/x.txt --
text
-- m/testdata/stray.go --
package stray

func /*@stray*/S() int { return 1 }
-- other/go.mod --
module other

go 1.26
-- other/o.go --
package other

func N() int { return 1 }
`)
	elsewhere := testfiles.TempDir(t)
	testfiles.Write(t, elsewhere, `
-- go.mod --
module third

go 1.26
-- t.go --
package third

var t int = u()
-- u.go --
package third

func u() int { return 1 }
`)
	f := openFixture(t, filepath.Join(top, "m"), "", found, lsp.WorkspaceOptions{})
	third := f.relative(files.URI(elsewhere))
	f.index()
	f.open(third + "/t.go")
	f.settle()
	stray := f.at("stray")
	if h, err := f.hover(stray.URI, stray.Span.Start); err != nil || h.Signature != "func S() int" {
		t.Fatalf("hover %+v %v", h, err)
	}
	if got := f.published("gone.go"); len(got) != 1 {
		t.Fatalf("published of gone.go: %q", got)
	}
	f.write("new.go", "package m\n\nvar x = missing\n")
	f.write("../other/o.go", "package other\n\nfunc N() string { return \"\" }\n")
	f.write(third+"/u.go", "package third\n\nfunc u() string { return \"\" }\n")
	f.write("testdata/stray.go", "package stray\n\nfunc /*@stray*/S() string { return \"\" }\n")
	for _, name := range []string{"gone.go", "sub/data/x.txt"} {
		if err := os.Remove(filepath.Join(f.root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.w.FilesChanged(f.ctx, []string{files.URI(f.root)}); err != nil {
		t.Fatal(err)
	}
	f.settle()
	for name, want := range map[string]string{
		"a.go": "cannot use other.N()", "new.go": "undefined: missing", "sub/e.go": "pattern data/*.txt: no matching files found", "gone.go": "",
		third + "/t.go": "cannot use u()",
	} {
		got := f.published(name)
		if n := len(got); want == "" && n > 0 || want != "" && (n != 1 || !strings.Contains(got[0], want)) {
			t.Errorf("published of %s: %q", name, got)
		}
	}
	if h, err := f.hover(stray.URI, stray.Span.Start); err != nil || h.Signature != "func S() string" {
		t.Errorf("hover %+v %v", h, err)
	}
	if known := f.known(f.root); slices.Contains(known, "gone.go") {
		t.Errorf("known: %q", known)
	}
}

// A directory in the place of a file that was known has the file forgotten, also where a file in
// the directory is told of first.
func TestDirectoryInThePlaceOfAFile(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/m

go 1.24
-- a.go --
package m

var a int = missing
-- b.go --
package m
`, lsp.WorkspaceOptions{})
	f.index()
	wantDiagnostic(t, f.diagnostics("a.go"), "undefined: missing")
	if err := os.Remove(filepath.Join(f.root, "a.go")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(f.root, "a.go"), 0o755); err != nil {
		t.Fatal(err)
	}
	f.write("a.go/within.go", "package within\n")
	f.changed("a.go/within.go")
	f.changed("a.go")
	f.settle()
	if got := f.diagnostics("a.go"); len(got) > 0 {
		t.Errorf("diagnostics of a file that is a directory by this time: %q", got)
	}
}
