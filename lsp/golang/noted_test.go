package golang

import (
	goruntime "runtime"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/lint"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// TestNotesOfOtherTrees: which bodies analyzers look at, to note facts, is chosen by the trees of
// functions. It is the same functions where another tree of the same text is known, as while a view
// holds one that was forgotten elsewhere.
func TestNotesOfOtherTrees(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/m

go 1.26
-- die.go --
package m

import "os"

func Die() { os.Exit(1) }
`, lsp.WorkspaceOptions{})
	f.index()
	uri := f.uri("die.go")
	other := syntax.Parse(uri, []byte(f.read("die.go")))
	err := f.in(func(t *runtime.Task) error {
		blob, err := contents.Get(t, uri)
		knownTrees.put(uri, blob, other)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	key := noteKey{f.w.root, "example.com/m", lint.Settings{}.Notes().Key()}
	err = f.in(func(task *runtime.Task) error {
		out, err := notes.Get(task, key)
		if err == nil && !slices.Contains(out.Ending, "Die") {
			t.Errorf("these never return: %q; Die is not among them", out.Ending)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	goruntime.KeepAlive(other)
}
