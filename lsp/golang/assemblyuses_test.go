package golang

import (
	"path/filepath"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// TestAssemblyWithoutANameIsPassedOver sees that of files of the assembler those alone are taken
// apart in whose text a symbol may stand: a name of a package behind a dot. TEXT has a T in it.
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
	for sym, want := range map[symbol]int{{"m", "F"}: 1, {"m", "h"}: 0, {"m", "T"}: 0, {"", "T"}: 2} {
		err := f.ask(f.at("F").URI, func(src taskSource) error {
			list, err := assemblyIn(src, []string{filepath.Clean(f.root)}, sym.word())
			if len(list) != want {
				t.Errorf("%d files are taken apart for %v, want %d", len(list), sym, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
