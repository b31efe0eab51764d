package golang

import (
	"path/filepath"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// TestAssemblyWithoutANameIsPassedOver sees that of files of the assembler those alone are taken
// apart in whose text a name stands.
func TestAssemblyWithoutANameIsPassedOver(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module m

go 1.26
-- a.go --
package m

func /*@F*/F()
-- f.s --
TEXT ·F(SB),$0
	RET
-- g.s --
TEXT ·g(SB),$0
	RET
`, lsp.WorkspaceOptions{})
	f.index()
	for name, want := range map[string]int{"F": 1, "": 2, "h": 0} {
		err := f.ask(f.at("F").URI, func(src taskSource) error {
			list, err := assemblyIn(src, []string{filepath.Clean(f.root)}, name)
			if len(list) != want {
				t.Errorf("%d files have %q in them, want %d", len(list), name, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
