package golang

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/internal/testfiles"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// known lists the files below a directory that the engine has the text of, relative to it.
func (f *fixture) known(dir string) []string {
	f.t.Helper()
	snap := f.eng.Snapshot()
	defer snap.Release()
	uris, err := savedTexts.Keys(snap, runtime.Prefix(files.URIPrefix(dir)))
	if err != nil {
		f.t.Fatal(err)
	}
	var names []string
	for _, uri := range uris {
		names = append(names, strings.TrimPrefix(uri, files.URIPrefix(dir)))
	}
	return names
}

// relative names a file as the fixture's helpers do.
func (f *fixture) relative(uri string) string {
	f.t.Helper()
	name, err := filepath.Rel(f.root, files.PathOf(uri))
	if err != nil {
		f.t.Fatal(err)
	}
	return filepath.ToSlash(name)
}

func (f *fixture) open(name string) {
	f.t.Helper()
	if err := f.w.SetOverlay(f.ctx, f.uri(name), []byte(f.read(name))); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) wantKnown(dir string, want ...string) {
	f.t.Helper()
	if got := f.known(dir); !slices.Equal(got, want) {
		f.t.Errorf("known in %s: %q, want %q", filepath.Base(dir), got, want)
	}
}

// manyFiles is an archive of files in directories of a hundred each.
func manyFiles(dir string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "-- %s/d%d/f%d.go --\npackage d%d\n", dir, i/100, i, i/100)
	}
	return b.String()
}

func TestFileOutsideOfModulesHasItsDirectory(t *testing.T) {
	f := newFixture(t, "-- go.mod --\nmodule m\n\ngo 1.26\n-- a.go --\npackage m\n", lsp.WorkspaceOptions{})
	f.index()
	home := testfiles.TempDir(t)
	found := testfiles.Write(t, home, `
-- x.go --
package x

func X() int { return /*@use*/helper() + "" }
-- y.go --
package x

// helper helps.
func helper() int { return 1 }
-- sub/s.go --
package sub

func S() int { return "" + /*@sub*/local() }

func local() int { return 1 }
`+manyFiles("many", 1000))
	use := found["use"]
	if h, err := f.hover(use.URI, use.Span.Start); err != nil || !strings.Contains(h.Signature, "func helper() int") {
		t.Fatalf("hover %+v %v", h, err)
	}
	f.wantKnown(home, "x.go", "y.go")

	openAndLook := func(uri string) {
		t.Helper()
		name := f.relative(uri)
		f.open(name)
		if list := f.diagnostics(name); len(list) != 1 || !strings.Contains(list[0], "mismatched types") {
			t.Errorf("diagnostics of %s: %q", name, list)
		}
	}
	openAndLook(use.URI)
	f.settle()

	// What is told of the directory, or of something below it, brings in no more.
	sub := found["sub"].URI
	if err := f.w.FilesChanged(f.ctx, []string{files.URI(home), sub, files.URI(filepath.Join(home, "many"))}); err != nil {
		t.Fatal(err)
	}
	f.settle()
	f.wantKnown(home, "x.go", "y.go")
	if f.w.Reads(sub) || !f.w.Reads(use.URI) {
		t.Errorf("Reads says %v of a file below and %v of a file", f.w.Reads(sub), f.w.Reads(use.URI))
	}
	snap := f.eng.Snapshot()
	defer snap.Release()
	list, err := partition.Watches.Get(snap, f.root)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(w partition.Watch) bool { return w.Dir == home })
	if i < 0 || slices.ContainsFunc(list[i].Globs, func(glob string) bool { return strings.Contains(glob, "**") }) || !slices.Contains(list[i].Globs, "*.go") {
		t.Errorf("watched: %+v", list)
	}

	// One below it that is open is a build by itself.
	openAndLook(sub)
	f.settle()
	f.wantKnown(home, "sub/s.go", "x.go", "y.go")
}

func TestPlainFolderIsReadWithinLimits(t *testing.T) {
	archive := `
-- a.go --
package a
-- one/b.go --
package b
-- one/mod/go.mod --
module near

go 1.26
-- one/mod/m.go --
package near
-- one/two/c.go --
package c
-- one/two/three/d.go --
package d

func D() int { return /*@deep*/helper() + "" }

func helper() int { return 1 }
-- one/two/three/mod/go.mod --
module far

go 1.26
-- one/two/three/mod/m.go --
package far
-- one/two/three/four/e.go --
package e
`
	whole := []string{
		"a.go", "one/b.go", "one/mod/go.mod", "one/mod/m.go", "one/two/c.go", "one/two/three/d.go", "one/two/three/four/e.go",
		"one/two/three/mod/go.mod", "one/two/three/mod/m.go",
	}
	slices.Sort(whole)
	cut := []string{"a.go", "one/b.go", "one/mod/go.mod", "one/mod/m.go", "one/two/c.go"}
	for name, limits := range map[string]disk.FolderLimits{
		"levels":      {Levels: 2, Directories: 100, Files: 100},
		"directories": {Levels: 100, Directories: 3, Files: 100},
		"files":       {Levels: 100, Directories: 100, Files: 3},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, archive, lsp.WorkspaceOptions{})
			f.w.limits = limits
			sum := f.index()
			f.wantKnown(f.root, cut...)
			if len(sum.Missing) != 1 || !strings.Contains(sum.Missing[0], "what is more than 2 levels down is read when it is opened") {
				t.Errorf("missing: %q", sum.Missing)
			}
			if list := f.published("."); len(list) != 1 || !strings.Contains(list[0], "2 levels") {
				t.Errorf("diagnostics of the folder: %q", list)
			}

			// What is reported from beyond is not brought in; what is opened there is.
			deep := f.at("deep")
			if err := f.w.FilesChanged(f.ctx, []string{deep.URI, f.uri("one"), f.uri("one/two/three/four/e.go")}); err != nil {
				t.Fatal(err)
			}
			f.settle()
			f.wantKnown(f.root, cut...)
			f.open("one/two/three/d.go")
			if h, err := f.hover(deep.URI, deep.Span.Start); err != nil || !strings.Contains(h.Signature, "func helper() int") {
				t.Errorf("hover %+v %v", h, err)
			}
			if list := f.diagnostics("one/two/three/d.go"); len(list) != 1 || !strings.Contains(list[0], "mismatched types") {
				t.Errorf("diagnostics: %q", list)
			}
			f.settle()
			f.index()
			f.wantKnown(f.root, append(slices.Clone(cut), "one/two/three/d.go")...)

			f.w.limits = disk.DefaultFolderLimits
			if sum := f.index(); len(sum.Missing) != 0 {
				t.Errorf("missing: %q", sum.Missing)
			}
			f.wantKnown(f.root, whole...)
		})
	}
}
