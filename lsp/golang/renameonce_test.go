package golang

import (
	"cmp"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/runtime"
)

// ask has fn look at the build of a file.
func (f *fixture) ask(uri string, fn func(src taskSource) error) error {
	return f.in(func(t *runtime.Task) error {
		return f.w.askAbout(t, uri, func(t *runtime.Task, root string) error { return fn(taskSource{t, root}) })
	})
}

// A rename checks each package that names what is renamed once: with its tests, which has all that
// the package has without them. Of a method and of what stands where something is wrong already,
// both are checked.
func TestRenameChecksOnce(t *testing.T) {
	const archive = `
-- go.mod --
module m

go 1.26
-- a/a.go --
package a

func /*@F*/F() int { return 1 }

type T struct{}

func (T) /*@M*/M() int { return F() }
-- a/a_test.go --
package a

func inTest() int { return F() + T{}.M() }
-- b/b.go --
package b

import "m/a"

func B(t a.T) int { return a.F() + t.M() }
-- b/b_test.go --
package b

import "m/a"

func inTest() int { return a.F() + a.T{}.M() }
-- c/c.go --
package c

func C() int { return undefined + /*@D*/d() }

func d() int { return 1 }
-- c/c_test.go --
package c

func inTest() int { return d() }
`
	f := newFixture(t, archive, lsp.WorkspaceOptions{Tests: true})
	f.index()
	for mark, want := range map[string]int{"F": 2, "M": 4, "D": 2} {
		at, checked := f.at(mark), map[*index.Index]bool{}
		err := f.ask(at.URI, func(src taskSource) error {
			r := f.w.newRenaming(src)
			if _, err := r.begin(at.URI, at.Span.Start); err != nil {
				return err
			}
			r.to = "renamed"
			if r.first.Name[0] < 'a' {
				r.to = "Renamed"
			}
			if err := cmp.Or(r.add(r.first), r.addCoupled(), r.makeEdits()); err != nil {
				return err
			}
			return r.verifyAs(func(v *verification) error {
				err := v.run()
				for _, x := range v.indexes {
					checked[x] = true
				}
				return err
			})
		})
		if err != nil || len(checked) != want {
			t.Errorf("%s: %d packages checked, want %d, error: %v", mark, len(checked), want, err)
		}
	}
}
