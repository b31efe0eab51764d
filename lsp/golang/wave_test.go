package golang

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/internal/testfiles"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// What a change breaks is published where a file is open before it is published elsewhere.
func TestOpenFilesComeBeforeOthers(t *testing.T) {
	root := testfiles.TempDir(t)
	found := testfiles.Write(t, root, `-- go.mod --
module example.com/m

go 1.24
-- a/a.go --
package a

func Exported() {}
-- b/b.go --
package b

import "example.com/m/a"

func B() { a.Exported() }
-- z/z.go --
package z

import "example.com/m/a"

func Z() { a.Exported() }
`)
	f := openFixture(t, root, t.TempDir(), found, lsp.WorkspaceOptions{})
	f.open("z/z.go")
	f.index()
	var (
		mu    sync.Mutex
		order []string
	)
	told := func(key string, _, _ *[]lsp.Diagnostic) bool { // by each committer, in the order of commits
		mu.Lock()
		defer mu.Unlock()
		k, err := partition.Diagnostics.Decode(key)
		if err != nil {
			t.Error(err)
		}
		order = append(order, f.relative(k.URI))
		return false
	}
	stop, err := partition.Diagnostics.Untyped().Watch(f.eng, runtime.All(), told, func(*runtime.Task, runtime.Changes) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	f.edit("a/a.go", "Exported", "Renamed")
	if err := f.w.FilesChanged(f.ctx, []string{f.uri("a/a.go")}); err != nil {
		t.Fatal(err)
	}
	f.settle()
	if b, z := f.published("b/b.go"), f.published("z/z.go"); len(b) != 1 || len(z) != 1 {
		t.Fatalf("b: %q, z: %q", b, z)
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(order, []string{"z/z.go", "b/b.go"}) {
		t.Errorf("published in the order %q", order)
	}
}

// What the own package of an edited file finds is published before the variant with tests is looked
// at; what only that finds is not taken back in between.
func TestOwnPackageComesBeforeItsTests(t *testing.T) {
	root := testfiles.TempDir(t)
	testfiles.Write(t, root, `-- go.mod --
module example.com/m

go 1.24
-- a/a.go --
package a

type A struct{}

func (A) M() string { return "" }

type T struct{ A }

func F() {}
-- a/b.go --
package a

var B string = T{}.M()

func G() {}
-- a/a_test.go --
package a

func (T) M() int { return 0 }
`)
	var (
		mu    sync.Mutex
		order []string
	)
	pass := func(step string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, step)
	}
	eng, err := runtime.Open("", runtime.Options{Workers: 2, AuditShare: -1, Trace: func(ev runtime.TraceEvent) {
		if ev.What.String() == "run" && ev.Query == "golang/findings" && strings.Contains(ev.Key, "m/a") {
			what := "own"
			if strings.Contains(ev.Key, ".test]") {
				what = "with tests"
			}
			pass(what)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	f := openFixtureOn(t, eng, root, nil, lsp.WorkspaceOptions{Tests: true})
	f.open("a/a.go")
	f.open("a/b.go")
	f.index()
	f.settle()
	told := func(key string, _, now *[]lsp.Diagnostic) bool {
		k, err := partition.Diagnostics.Decode(key)
		if err != nil {
			t.Error(err)
		}
		n := 0
		if now != nil {
			n = len(*now)
		}
		pass(fmt.Sprint(f.relative(k.URI), ": ", n))
		return false
	}
	stop, err := partition.Diagnostics.Untyped().Watch(f.eng, runtime.All(), told, func(*runtime.Task, runtime.Changes) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	edit := func(name, old, replacement string, want ...string) {
		t.Helper()
		mu.Lock()
		order = nil
		mu.Unlock()
		text := strings.Replace(f.read(name), old, replacement, 1)
		if err := f.w.SetOverlay(f.ctx, f.uri(name), []byte(text)); err != nil {
			t.Fatal(err)
		}
		f.settle()
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(order, want) {
			t.Errorf("%s, %q: %q, want %q", name, replacement, order, want)
		}
	}
	edit("a/a.go", "F() {}", "F() { wrong() }", "own", "a/a.go: 1", "with tests")
	edit("a/a.go", "F() {}", "F() { _ = 1 }", "own", "a/a.go: 0", "with tests")
	edit("a/b.go", "G() {}", "G() { wrong() }", "own", "with tests", "a/b.go: 2")
	edit("a/b.go", "G() {}", "G() { _ = 1 }", "own", "with tests", "a/b.go: 1")
	edit("a/b.go", "T{}.M()", `""`, "own", "with tests", "a/b.go: 0")
	edit("a/b.go", "T{}.M()", `0`, "own", "a/b.go: 1", "with tests")
}
