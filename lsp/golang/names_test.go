package golang

import (
	"slices"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/internal/testfiles"
)

const namesArchive = `-- go.mod --
module example.com/m

go 1.24
-- a/a.go --
package a

func F(x int) int { return x }

type T struct{ Field int }

func quiet() {}
-- b/b.go --
package b

import "example.com/m/a"

func G() a.T { return a.T{} }

var _ = a.F(1)
-- dots/d.go --
package dots

import . "example.com/m/a"

var V T
-- lacks/l.go --
package lacks

import "example.com/m/a"

func L() { a.Missing() }
-- through/t.go --
package through

import "example.com/m/b"

var V = b.G().Field
-- other/o.go --
package other

import (
	"example.com/m/a"
	"example.com/m/b"
)

func O() {
	_ = a.F
	_ = b.G
}
-- only/o.go --
package only

import "example.com/m/a"

var V = a.F(2)
`

// An edit of a declaration checks the packages that looked at it, its own among them.
func TestEditsCheckWhoLooked(t *testing.T) {
	root, store := testfiles.TempDir(t), t.TempDir()
	found := testfiles.Write(t, root, namesArchive)
	f := openFixture(t, root, store, found, lsp.WorkspaceOptions{})
	f.index()
	all := f.ran("golang/check")
	if all != 7 {
		t.Fatalf("%d packages were checked at first", all)
	}
	edit := func(what, old, replacement string, want uint64) {
		t.Helper()
		before := f.ran("golang/check")
		f.edit("a/a.go", old, replacement)
		f.index()
		if n := f.ran("golang/check") - before; n != want {
			t.Errorf("%s: %d packages were checked, want %d", what, n, want)
		}
	}
	lacks := func(want ...string) {
		t.Helper()
		if got := f.diagnostics("lacks/l.go"); !slices.Equal(got, want) {
			t.Errorf("lacks: %q, want %q", got, want)
		}
	}
	lacks("Missing: types: undefined: a.Missing")
	edit("a body", "return x }", "return x + 0 }", 1)
	edit("an unexported function is added", "func quiet() {}", "func quiet() {}\n\nfunc still() {}", 1)
	edit("a function is added", "func quiet() {}", "func New() {}\n\nfunc quiet() {}", 2)                   // and dots
	edit("the function that is lacking is added", "func New() {}", "func New() {}\n\nfunc Missing() {}", 3) // and dots, lacks
	lacks()
	edit("it is gone", "func Missing() {}", "", 1) // to the others it is as it was before
	lacks("Missing: types: undefined: a.Missing")
	edit("it comes in other case", "func New() {}", "func New() {}\n\nfunc MISSING() {}", 3)
	lacks("Missing: types: undefined: a.Missing (but have MISSING)")
	edit("another name of a parameter", "F(x int) int { return x", "F(y int) int { return y", 4)  // and b, other, only
	edit("another field", "Field int }", "Field int; Another string }", 5)                        // and b, dots, through, other
	edit("another type of a field", "Field int;", "Field uint;", 5)                               // the same
	edit("another type of a parameter", "F(y int) int { return y", "F(y uint) int { return 0", 4) // and b, other, only

	f.close()
	f = openFixture(t, root, store, found, lsp.WorkspaceOptions{})
	if f.index(); f.ran("golang/check") != 0 {
		t.Errorf("%d packages were checked after a restart", f.ran("golang/check"))
	}
	edit("a function is added after a restart", "func quiet() {}", "func Newer() {}\n\nfunc quiet() {}", 2) // and dots
	edit("a function has another result after a restart", "F(y uint) int", "F(y uint) uint", 4)
}
