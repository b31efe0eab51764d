package golang

import (
	"testing"

	"github.com/cytisus/cytisus/lsp"
	cytisus "github.com/cytisus/cytisus/runtime"
)

const harmlessArchive = `
-- go.mod --
module m

go 1.26
-- a/a.go --
package a

import "io"

type /*@T*/T struct{ /*@F*/F int }

func (T) /*@M*/M() {}

type W struct {
	io.Writer
	/*@G*/G int
}

type E struct{ T }

func /*@f*/f(/*@x*/x int) int { other := x; return other }

var _ = f(1)
-- a/b.go --
package a

var elsewhere = 1
-- dot/a.go --
package dot

import . "strings"

func /*@d*/d() string { /*@l*/l := ToUpper(""); return l }
-- wrong/a.go --
package wrong

func /*@w*/w() int { /*@v*/v := 1; return v + undefined }
-- cut/a.go --
package cut

func /*@c*/c() int { /*@u*/u := 1; return u }

var = 2
`

// TestRenameHarmless: a change of a name is let through unchecked only where the new name is
// written nowhere that it could clash, and nothing has a name that is not written.
func TestRenameHarmless(t *testing.T) {
	f := newFixture(t, harmlessArchive, lsp.WorkspaceOptions{Tests: true})
	f.index()
	for _, c := range []struct {
		mark, to string
		harmless bool
		why      string
	}{
		{"x", "fresh", true, "a local name that is written nowhere"},
		{"x", "elsewhere", true, "a local name beside one of the package that its file does not write"},
		{"x", "other", false, "a local name that its file writes"},
		{"f", "fresh", true, "a name of the package that is written nowhere"},
		{"f", "elsewhere", false, "a name of the package that another file of the package writes"},
		{"F", "Fresh", false, "a field: what else is embedded may have one of the name"},
		{"G", "Write", false, "a field like a method that is embedded, and written nowhere"},
		{"M", "Fresh", false, "a method"},
		{"T", "Fresh", false, "a type that is embedded, which renames a field"},
		{"d", "ToLower", false, "a name that an import without a name brings in"},
		{"l", "ToLower", true, "a local name, which stands before what such an import brings in"},
		{"w", "fresh", false, "a package with errors"},
		{"v", "fresh", false, "a local name in a package with errors"},
		{"u", "fresh", false, "a local name in a file that cannot be parsed"},
	} {
		err := f.in(func(t *cytisus.Task) error {
			r := f.w.newRenaming(taskSource{t, f.w.viewedBuilds()[0].Root})
			at := f.at(c.mark)
			if _, err := r.begin(at.URI, at.Span.Start); err != nil {
				return err
			}
			r.to = c.to
			r, err := r.planned(nil)
			if err != nil {
				return err
			}
			harmless, err := r.harmless()
			if err == nil && harmless != c.harmless {
				f.t.Errorf("%s to %s: %s: harmless is %t", c.mark, c.to, c.why, harmless)
			}
			if err == nil && harmless {
				err = r.verify()
			}
			return err
		})
		if err != nil {
			t.Errorf("%s to %s: %v", c.mark, c.to, err)
		}
	}
}
