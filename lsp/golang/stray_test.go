package golang

import (
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/runtime"
)

const strayArchive = `
-- go.mod --
module m

go 1.26
-- disk/disk.go --
package disk

// Usage is how full a disk is.
type Usage struct{ /*@free*/Free uint64 }

func Of(path string) Usage { return of(path) }
-- disk/disk_linux.go --
package disk

func /*@linux*/of(path string) Usage { return Usage{} }
-- disk/disk_windows.go --
package disk

import "m/sys"

func /*@windows*/of(path string) Usage { return Usage{/*@useFree*/Free: sys./*@useSize*/Size(/*@usePath*/path)} }
-- disk/disk_plan9_test.go --
package disk_test

import "m/disk"

var _ = disk./*@useOf*/Of
-- sys/sys_windows.go --
package sys

// Size asks the system.
func /*@size*/Size(path string) uint64 { return 0 }
-- tags/a.go --
//go:build special && !plain

package tags

func /*@special*/A() int { return /*@useB*/B }
-- tags/b.go --
//go:build special

package tags

const /*@b*/B = 1
-- tools/gen.go --
//go:build ignore

package main

import "m/disk"

func main() { _ = disk./*@useUsage*/Usage{}; /*@useHelp*/help() }

func /*@help*/help() {}
-- tools/other.go --
//go:build ignore

package main

func main() {}

func help() {}
-- disk/testdata/x/one.go --
package x

var V = /*@useW*/W
-- disk/testdata/x/two.go --
package x

var /*@w*/W = 1
`

// definitionAt is where the name at a mark is declared.
func (f *fixture) definitionAt(mark string) lsp.Location {
	f.t.Helper()
	list, err := f.definition(f.Marks[mark].URI, f.Marks[mark].Span.Start)
	if err != nil || len(list) != 1 {
		f.t.Fatalf("definition at %s: %v, %v", mark, list, err)
	}
	return list[0]
}

func TestFilesThatTheBuildLeavesOut(t *testing.T) {
	f := newFixture(t, strayArchive, lsp.WorkspaceOptions{Tests: true, Env: []string{"GOOS=linux", "GOARCH=amd64"}})
	f.index()
	for use, declared := range map[string]string{
		"windows": "windows", // not the one of the build
		"useFree": "free",    // in a file of every build
		"useSize": "size",    // a package that this build has no file of
		"useB":    "b",       // tags
		"useHelp": "help",    // one program of several in a directory
		"useW":    "w",       // testdata: read on demand
	} {
		if got := f.definitionAt(use); got != f.Marks[declared] {
			t.Errorf("%s: %v, want %v", use, got, f.Marks[declared])
		}
	}
	if got := f.definitionAt("useOf"); got.URI != f.uri("disk/disk.go") {
		t.Errorf("useOf: %v", got)
	}
	if got := f.definitionAt("useUsage"); got.URI != f.uri("disk/disk.go") {
		t.Errorf("useUsage: %v", got)
	}
	if h, err := f.hover(f.Marks["usePath"].URI, f.Marks["usePath"].Span.Start); err != nil || h.Signature != "var path string" {
		t.Errorf("hover: %+v, %v", h, err)
	}
	at := f.Marks["useSize"]
	if h, err := f.hover(at.URI, at.Span.Start); err != nil || h.Signature != "func sys.Size(path string) uint64" || h.Doc != "Size asks the system." {
		t.Errorf("hover: %+v, %v", h, err)
	}
	// References in the whole workspace, and in the file's own package.
	at = f.Marks["useFree"]
	list, err := f.references(at.URI, at.Span.Start, true)
	if err != nil || !slices.Equal(list, []lsp.Location{f.Marks["free"], at}) {
		t.Errorf("references: %v, %v", list, err)
	}
	// What cannot be judged is not diagnosed.
	for _, name := range []string{"disk/disk_windows.go", "tools/gen.go", "disk/testdata/x/one.go"} {
		if ds := f.diagnostics(name); len(ds) != 0 {
			t.Errorf("%s: %v", name, ds)
		}
	}
}

// An edit of a stray file, and of its neighbours, shows at once; the first index after the question
// keeps the answers.
func TestStraysFollowEdits(t *testing.T) {
	f := newFixture(t, strayArchive, lsp.WorkspaceOptions{Tests: true, Env: []string{"GOOS=linux", "GOARCH=amd64"}})
	f.index()
	f.definitionAt("useW")
	text := "package x\n\n\n\nvar W = 1\n"
	if err := f.w.SetOverlay(f.ctx, f.uri("disk/testdata/x/two.go"), []byte(text)); err != nil {
		t.Fatal(err)
	}
	if got := f.definitionAt("useW"); got.Span.Start != strings.Index(text, "W") {
		t.Error(got)
	}
	if err := f.w.ClearOverlay(f.ctx, f.uri("disk/testdata/x/two.go")); err != nil {
		t.Fatal(err)
	}
	f.index()
	if got := f.definitionAt("useW"); got != f.Marks["w"] {
		t.Error(got)
	}
	// A neighbour that is only in the editor.
	fresh := f.uri("disk/testdata/x/fresh.go")
	use := f.read("disk/testdata/x/one.go") + "\nvar _ = Fresh\n"
	for uri, text := range map[string]string{fresh: "package x\n\nvar Fresh int\n", f.uri("disk/testdata/x/one.go"): use} {
		if err := f.w.SetOverlay(f.ctx, uri, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := f.definition(f.uri("disk/testdata/x/one.go"), strings.Index(use, "Fresh")); err != nil || len(list) != 1 || list[0].URI != fresh {
		t.Errorf("%v, %v", list, err)
	}
}

// TestOpenStrayIsCheckedAlone: what is wrong in an open file that the build leaves out is found
// without a check of its package.
func TestOpenStrayIsCheckedAlone(t *testing.T) {
	f := newFixture(t, strayArchive, lsp.WorkspaceOptions{Tests: true, Env: []string{"GOOS=linux", "GOARCH=amd64"}})
	f.index()
	_, before := f.answers()
	text := strings.Replace(f.read("disk/disk_windows.go"), "return Usage{", "wrong := 1; return Usage{", 1)
	if err := f.w.SetOverlay(f.ctx, f.uri("disk/disk_windows.go"), []byte(text)); err != nil {
		t.Fatal(err)
	}
	list := f.diagnostics("disk/disk_windows.go")
	if len(list) != 1 || !strings.Contains(list[0], "declared and not used: wrong [windows,") {
		t.Errorf("diagnostics: %v", list)
	}
	f.settle()
	_, now := f.answers()
	ran := func(query string) uint64 { return now[query] - before[query] }
	if ran("golang/check") != 0 || ran("golang/findings") != 0 || ran("golang/stray-findings") != 1 {
		_, parts := sumOfDifferences(before, now)
		t.Errorf("ran %s", strings.Join(parts, ", "))
	}
}

// The check of an open stray for its diagnostics has the bodies of that file alone, so its session
// is the file's own: the package's, which has all bodies, is neither taken nor made by it.
func TestStrayHasASessionOfItsOwn(t *testing.T) {
	f := newFixture(t, strayArchive, lsp.WorkspaceOptions{Tests: true, Env: []string{"GOOS=linux", "GOARCH=amd64"}})
	f.index()
	uri := f.uri("disk/disk_windows.go")
	if err := f.w.SetOverlay(f.ctx, uri, []byte(f.read("disk/disk_windows.go")+"\n")); err != nil {
		t.Fatal(err)
	}
	f.diagnostics("disk/disk_windows.go")
	f.settle()
	var id string
	if err := f.in(func(t *runtime.Task) (err error) {
		id, err = strays.Get(t, pkgKey{f.w.root, uri})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	state := func(id string) check.SessionState {
		return check.Sessions.State(&metadata.Package{ID: id, Files: []string{uri}})
	}
	if got := state(id); got != check.NoSession {
		t.Errorf("the diagnostics of one file left a session (%d) to its package, whose bodies they have not", got)
	}
	if got := state(uri + " in " + id); got == check.NoSession {
		t.Error("the diagnostics of an open stray left no session of the file: the next edit checks all of it again")
	}
}

func TestStrayIDs(t *testing.T) {
	for _, s := range []stray{
		{build: disk.Target{OS: "windows", Arch: "386", Cgo: true, Tags: []string{"a", "b"}}, kind: strayTests, at: "file:///a%20b/c", name: "c"},
		{build: disk.Target{OS: "linux", Arch: "amd64"}, kind: strayAlone, at: "file:///a/b.go"},
	} {
		path, got, ok := parseStray(s.id("m/c"))
		if !ok || path != "m/c" || got.id("m/c") != s.id("m/c") || !isStray(s.id("m/c")) || metadata.PathOf(s.id("m/c")) != "m/c" {
			t.Errorf("%q: %q, %+v, %v", s.id("m/c"), path, got, ok)
		}
	}
	for _, id := range []string{"", "m", "m [m.test]", "m [stray ]", "m [stray a b c]"} {
		if _, _, ok := parseStray(id); ok {
			t.Errorf("%q is taken for a stray", id)
		}
	}
}
