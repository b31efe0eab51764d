package golang

import (
	"reflect"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// TestOutlineOfText compares the outline of a text with what the workspace says of a file that has
// it, and counts the answers that it asks for: none, in a workspace that has not been read.
func TestOutlineOfText(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/m

go 1.24
-- a.go --
package m
`, lsp.WorkspaceOptions{})
	uri := f.uri("a.go")
	texts := []string{
		"",
		"package m\n\n// T is a type.\ntype T struct{ a, b int }\n\nfunc (t *T) M() {}\n\nconst (\n\tc = iota\n\td\n)\n",
		"package m\n\nfunc half(\n\ntype T struct {\n",
		"package m\n\nvar x = \"\x00\"\n",
		"not Go at all",
	}
	var outlines [][]lsp.Symbol
	asked, _ := f.answers()
	for _, text := range texts {
		outlines = append(outlines, f.w.Outline(uri, []byte(text)))
	}
	now, _ := f.answers()
	if n, which := sumOfDifferences(asked, now); n != 0 {
		t.Errorf("outlines of texts asked %v", which)
	}
	for i, text := range texts {
		got := outlines[i]
		if err := f.w.SetOverlay(f.ctx, uri, []byte(text)); err != nil {
			t.Fatal(err)
		}
		var want []lsp.Symbol
		if err := f.eng.Submit(f.ctx, lane.Default, func(t *runtime.Task) (err error) {
			want, err = f.w.Symbols(t, uri)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("outline of %q is\n%+v, and of a file with it\n%+v", text, got, want)
		}
	}
}
