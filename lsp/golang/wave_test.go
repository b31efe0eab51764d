package golang

import (
	"slices"
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
