package golang

import (
	"slices"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// TestFullDiagnosticsOfMendedText: behind an edit that mends a text that was analyzed broken, full
// diagnostics have what analyzers say of the mended text, and no refresh is waited for.
func TestFullDiagnosticsOfMendedText(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module m

go 1.26
-- a.go --
package m

import "fmt"

func F() { fmt.Printf("%d", "x") }
`, lsp.WorkspaceOptions{Lint: true})
	f.index()
	whole := f.read("a.go")
	put := func(text string) {
		t.Helper()
		if err := f.w.SetOverlay(f.ctx, f.uri("a.go"), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	full := func() (out []string) {
		t.Helper()
		err := f.in(func(t *runtime.Task) error {
			list, err := f.w.FullDiagnostics(t, f.uri("a.go"))
			out = shownDiagnostics([]byte(whole), list)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	put(whole)
	want := full()
	if len(want) != 1 {
		t.Fatalf("%q, want what the printf analyzer says", want)
	}
	for range 3 {
		put(whole + "\nfunc G() { undeclared() }\n")
		if err := f.w.Settle(f.ctx); err != nil {
			t.Fatal(err)
		}
		put(whole)
		if got := full(); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
