package golang

import (
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
)

// TestEditsArePrepared: when a file has been opened, and when a declaration has been edited, what
// the next edit of a body takes is done, in all packages that the file is compiled in.
func TestEditsArePrepared(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/m

go 1.24
-- a/a.go --
package a

func A() int { return 1 }
-- a/a_test.go --
package a

var _ = A
-- b/b.go --
package b
`, lsp.WorkspaceOptions{Tests: true})
	f.index()
	state := func(when string, want check.SessionState) {
		t.Helper()
		owners := f.w.viewedBuilds()[0].meta.Owners(f.uri("a/a.go"))
		if len(owners) != 2 {
			t.Fatalf("%d packages have the file", len(owners))
		}
		for _, p := range owners {
			if got := check.Sessions.State(p); got != want {
				t.Errorf("%s: state of %s is %d, want %d", when, p.ID, got, want)
			}
		}
	}
	state("before it is opened", check.NoSession)
	f.open("a/a.go")
	f.settle()
	state("opened", check.Prepared)
	for _, text := range []string{
		"package a\n\nfunc A() int { return 2 }\n",
		"package a\n\nfunc A() int { return B() }\n\nfunc B() int { return 3 }\n",
	} {
		if err := f.w.SetOverlay(f.ctx, f.uri("a/a.go"), []byte(text)); err != nil {
			t.Fatal(err)
		}
		f.settle()
		state(text, check.Prepared)
	}
}
