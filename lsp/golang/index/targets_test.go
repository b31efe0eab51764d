package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// TestTargetsAreFoundByNumber compares what targets have with what each name is found by alone, in
// indexes of random externals.
func TestTargetsAreFoundByNumber(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var externals []External
		for range rng.IntN(40) {
			e := External{fmt.Sprint("p", rng.IntN(5)), fmt.Sprint("N", rng.IntN(9))}
			if !slices.Contains(externals, e) {
				externals = append(externals, e)
			}
		}
		decls := []Declaration{{Name: "d", Span: lsp.Span{Start: 1, End: 2}}, {Name: "e", Span: lsp.Span{Start: 3, End: 4}}}
		x, err := Open(Write([]File{{URI: "f", Occurrences: func() []Occurrence { return nil }}}, decls, externals))
		if err != nil {
			t.Fatal(err)
		}
		targets, want := NewTargets(x), map[int]bool{} // whether its declaration counts, too
		for range 3 {
			pkg, declaration := fmt.Sprint("p", rng.IntN(6)), rng.IntN(2) == 0
			paths := []string{fmt.Sprint("N", rng.IntN(10)), fmt.Sprint("N", rng.IntN(10))}
			targets.AddExternals(pkg, paths, declaration)
			for _, e := range externals {
				if got := x.FindExternal(e); got < 0 {
					t.Fatalf("%v is not found", e)
				} else if e.Package == pkg && slices.Contains(paths, e.Path) {
					want[got] = want[got] || declaration
				}
			}
		}
		for i := range externals {
			declares, wanted := want[i]
			for _, o := range []Occurrence{{Target: i, IsExternal: true}, {Target: i, IsExternal: true, Declares: true}} {
				if got := targets.Has(&o); got != (wanted && (declares || !o.Declares)) {
					t.Errorf("%+v: %v", o, got)
				}
			}
		}
		if targets.IsEmpty() != (len(want) == 0) || targets.Has(&Occurrence{Target: 0}) {
			t.Errorf("empty: %v, with %d targets", targets.IsEmpty(), len(want))
		}
		targets.AddDeclaration(-1, true)
		targets.AddDeclaration(2, true)
		targets.AddDeclaration(1, false)
		for i, want := range []bool{false, true} {
			if targets.Has(&Occurrence{Target: i}) != want || targets.Has(&Occurrence{Target: i, Declares: true}) {
				t.Errorf("declaration %d is found wrongly", i)
			}
		}
	}
}
