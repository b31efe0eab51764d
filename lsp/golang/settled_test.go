package golang

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/internal/testfiles"
	"github.com/cytisus/cytisus/runtime"
)

// settledModule is a module that requires one of the module cache.
const settledModule = `-- m/go.mod --
module example.com/m

go 1.24

require example.com/dep v1.0.0
-- m/m.go --
package m

import "example.com/dep"

var _ = dep.F()
-- modules/cache/download/example.com/dep/@v/v1.0.0.mod --
module example.com/dep

go 1.24
-- modules/cache/download/example.com/dep/@v/v1.0.0.info --
{"Version":"v1.0.0"}
-- modules/cache/download/example.com/dep/@v/v1.0.0.ziphash --
h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
-- modules/example.com/dep@v1.0.0/go.mod --
module example.com/dep

go 1.24
-- modules/example.com/dep@v1.0.0/dep.go --
package dep

func F() int { return G() }
-- modules/example.com/dep@v1.0.0/g.go --
package dep

func G() int { return 0 }
-- modules/example.com/dep@v1.0.0/sub/sub.go --
package sub

func Sub() int { return 0 }
`

// depDir is where the module lies that the other requires, as that sees it.
const depDir = "../modules/example.com/dep@v1.0.0/"

// withModules are options with the module cache of a fixture.
func withModules(root string) lsp.WorkspaceOptions {
	return lsp.WorkspaceOptions{Env: []string{
		"GOMODCACHE=" + filepath.Join(root, "..", "modules"), "GOFLAGS=-mod=mod", "GOSUMDB=off",
	}}
}

// restarted closes a fixture and opens its workspace anew, with what the store has kept.
func restarted(t *testing.T, f *fixture, store string) *fixture {
	t.Helper()
	f.close()
	return openFixture(t, f.root, store, f.Marks, withModules(f.root))
}

// behindOf prepares the builds of a workspace as an index does, and returns which files it leaves
// to be looked at behind, by their names.
func (f *fixture) behindOf() (names []string) {
	f.t.Helper()
	if err := f.w.takeTurn(f.ctx); err != nil {
		f.t.Fatal(err)
	}
	defer f.w.giveTurn()
	prepared, err := f.w.prepareAll(f.ctx, func(lsp.Progress) {})
	if err != nil {
		f.t.Fatal(err)
	}
	for i := range prepared {
		for _, uri := range prepared[i].behind {
			if name, ok := strings.CutPrefix(f.relative(uri), depDir); ok {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

func newSettled(t *testing.T) (f *fixture, store string) {
	t.Helper()
	root, store := testfiles.TempDir(t), t.TempDir()
	found := testfiles.Write(t, root, settledModule)
	root = filepath.Join(root, "m")
	f = openFixture(t, root, store, found, withModules(root))
	f.index()
	if got := f.published("m.go"); len(got) > 0 {
		t.Fatalf("the module is wrong: %v", got)
	}
	return f, store
}

// TestSettledFilesAreLookedAtBehind: in a restarted process a question waits for no look at the
// files of the module cache.
func TestSettledFilesAreLookedAtBehind(t *testing.T) {
	f, store := newSettled(t)
	f = restarted(t, f, store)
	if got, want := f.behindOf(), []string{"dep.go", "g.go"}; !slices.Equal(got, want) {
		t.Errorf("looked at behind: %q, want %q", got, want)
	}
	uri := f.uri("m.go")
	if list, err := f.definition(uri, strings.Index(f.read("m.go"), "F()")); err != nil || len(list) != 1 {
		t.Errorf("definition before the look: %v, %v", list, err)
	}
}

// TestSettledFilesThatChange: an index finds what was changed against the rules, whatever the
// change leaves as it was.
func TestSettledFilesThatChange(t *testing.T) {
	const dep = depDir + "dep.go"
	for _, c := range []struct {
		what   string
		change func(t *testing.T, f *fixture)
	}{
		{"a file written in place", func(_ *testing.T, f *fixture) {
			f.write(dep, "package dep\n\nfunc H() int { return G() }\n")
		}},
		{"a file that is gone", func(t *testing.T, f *fixture) {
			if err := os.Remove(filepath.Join(f.root, dep)); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			f, store := newSettled(t)
			f.close()
			c.change(t, f)
			f = openFixture(t, f.root, store, f.Marks, withModules(f.root))
			f.index()
			if got := strings.Join(f.published("m.go"), "\n"); !strings.Contains(got, "undefined: dep.F") {
				t.Errorf("published %q, want that dep.F is undefined", got)
			}
		})
	}
}

// TestUnsettled: files are looked at before a question is answered where the store does not have
// them all, and where nothing looks behind.
func TestUnsettled(t *testing.T) {
	t.Run("a file that was not needed before", func(t *testing.T) {
		f, store := newSettled(t)
		f.close()
		f.edit("m.go", `"example.com/dep"`, `"example.com/dep"; import "example.com/dep/sub"`)
		f.edit("m.go", "dep.F()", "dep.F() + sub.Sub()")
		f = openFixture(t, f.root, store, f.Marks, withModules(f.root))
		if got := f.behindOf(); got != nil {
			t.Errorf("looked at behind: %q", got)
		}
		f.index()
		if got := f.published("m.go"); len(got) > 0 {
			t.Errorf("published: %v", got)
		}
	})
	t.Run("texts that were dropped", func(t *testing.T) {
		f, store := newSettled(t)
		f = restarted(t, f, store)
		err := f.eng.Commit(f.ctx, func(c *runtime.Writer) error {
			return stats.Put(c, f.uri("gone.go"), disk.Stat{})
		})
		if err != nil {
			t.Fatal(err)
		}
		if f.behindOf() == nil {
			t.Fatal("nothing was settled")
		}
		if got := f.behindOf(); got != nil {
			t.Errorf("looked at behind after texts were dropped: %q", got)
		}
	})
	t.Run("without an index", func(t *testing.T) {
		f, store := newSettled(t)
		f.close()
		f.write(depDir+"dep.go", "package dep\n\n\nfunc F() int { return G() }\n")
		f = openFixture(t, f.root, store, f.Marks, withModules(f.root))
		list, err := f.definition(f.uri("m.go"), strings.Index(f.read("m.go"), "F()"))
		text := f.read(depDir + "dep.go")
		if err != nil || len(list) != 1 || list[0].Span.Start != strings.Index(text, "F()") {
			t.Errorf("definition: %v, %v", list, err)
		}
	})
}
