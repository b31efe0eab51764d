package golang

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

const movedArchive = `
-- go.mod --
module m

go 1.26
-- geo/geo.go --
package /*@geo*/geo

func F() int { return 1 }
-- geo/geo_test.go --
package geo

var _ = F()
-- geo/x_test.go --
package geo_test

import "m/geo"

var _ = geo.F()
-- geo/testdata/data --
data
-- geo/sub/sub.go --
package sub
-- use/use.go --
package use

import (
	"m/geo"
)

// U uses [geo.F].
var U = geo.F()
-- use/taken.go --
package use

import "m/geo"

func taken(shape int) int { return geo.F() + shape }
-- use/named.go --
package use

import g "m/geo"

var V = g.F()
-- other/other.go --
package /*@named*/named
-- other/use/use.go --
package use

import "m/other"
-- /*main*/cmd/main.go --
package /*@main*/main

func main() {}
-- root.go --
package /*@root*/m
`

func TestRenamePackage(t *testing.T) {
	f := newFixture(t, strings.ReplaceAll(movedArchive, "/*main*/", ""), lsp.WorkspaceOptions{Tests: true})
	f.index()
	e, err := f.rename(f.at("geo"), "shape")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		`"m/shape"`, `import "m/shape"`, `import g "m/shape"`, `import shape1 "m/shape"`, "// U uses [shape.F].",
		"func taken(shape int) int { return shape1.F() + shape }", "package /*@geo*/shape", "package shape", "package shape_test",
		"var U = shape.F()", "var _ = shape.F()",
	}, "|")
	lines := f.changedLines(e)
	slices.Sort(lines)
	wanted := strings.Split(want, "|")
	slices.Sort(wanted)
	if !slices.Equal(lines, wanted) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(wanted, "\n"))
	}
	var moves []string
	for _, r := range e.Renames {
		if !strings.HasPrefix(r.New, f.uri("shape")+"/") {
			t.Errorf("%s moves to %s", r.Old, r.New)
		}
		moves = append(moves, filepath.Base(r.Old))
	}
	if got := strings.Join(moves, " "); got != "geo.go geo_test.go testdata x_test.go" {
		t.Errorf("moves: %s", got)
	}
	if e, err := f.rename(f.at("named"), "other"); err != nil || len(e.Renames) > 0 || len(e.Files) != 1 {
		t.Errorf("a name that the directory does not tell: %+v, %v", e, err)
	}
	for _, c := range []struct{ mark, to, want string }{
		{"geo", "use", "is not empty"},
		{"geo", "elsewhere/geo", "across module boundary"},
		{"geo", "m/use/internal/geo", "illegal internal import"},
		{"geo", "func", "invalid package name"},
		{"geo", "m/a-b", "invalid package name"},
		{"geo", "geo_test", "says what the package is for"},
		{"geo", "../x", "relative paths"},
		{"named", "m/x", "does not match directory base name"},
		{"main", "x", "can't rename package"},
		{"root", "x", "is the same as module path"},
	} {
		e, err := f.rename(f.at(c.mark), c.to)
		if refused, ok := errors.AsType[*lsp.RefusedError](err); !ok || !strings.Contains(refused.Error(), c.want) {
			t.Errorf("%s to %s: got %v, %v; want %q", c.mark, c.to, e, err, c.want)
		}
	}
}
