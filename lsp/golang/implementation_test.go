package golang

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

const implementationArchive = `
-- go.mod --
module m

go 1.26
-- shape/shape.go --
package shape

import "io"

type /*@Shape*/Shape interface {
	/*@Area*/Area() float64
	Named
}

type /*@Named*/Named interface{ /*@Name*/Name() string }

type /*@Circle*/Circle struct{ base }

func (*Circle) /*@CircleArea*/Area() float64 { return 0 }

type /*@base*/base struct{}

func (base) /*@baseName*/Name() string { return "" }

type Func /*@Func*/func(string) int

/*@parse*/func parse(string) int { return 0 }

var lit = /*@lit*/func(s string) int { return len(s) }

func /*@use*/use(f /*@functype*/func(string) int) {
	type /*@Local*/Local struct{ Circle }
	f/*@call*/("")
	var _ io.Writer
}

type /*@Failure*/Failure struct{}

func (Failure) /*@FailureError*/Error() string { return "" }

type /*@alias*/Alias = interface{ /*@aliasRun*/Run() }

type /*@hidden*/hidden interface{ /*@hiddenIn*/secret() }

type /*@inside*/inside int

func (inside) /*@insideIn*/secret() {}
-- shape/shape_test.go --
package shape

type /*@Fake*/Fake struct{}

func (Fake) /*@FakeName*/Name() string { return "" }
-- other/other.go --
package other

import "m/shape"

type /*@Square*/Square struct{}

func (Square) /*@SquareArea*/Area() float64 { return 1 }
func (Square) /*@SquareName*/Name() string { return "" }

type /*@Wrap*/Wrap struct{ *shape.Circle }

type /*@outside*/outside int

func (outside) secret() {}

type /*@Runner*/Runner struct{}

func (Runner) /*@RunnerRun*/Run() {}

func run(s shape.Shape) { s./*@callName*/Name() }

type /*@Writer*/Writer struct{}

func (Writer) Write(p []byte) (int, error) { return 0, nil }
-- generic/generic.go --
package generic

type /*@List*/List[T any] interface {
	/*@ListAt*/At(int) T
	Add(T)
}

type /*@Slice*/Slice[E any] []E

func (s Slice[E]) /*@SliceAt*/At(i int) E { return s[i] }
func (s *Slice[E]) Add(e E) {}

type /*@Ints*/Ints struct{}

func (Ints) /*@IntsAt*/At(int) int { return 0 }
func (Ints) Add(int) {}

type Mixed struct{}

func (Mixed) At(int) int { return 0 }
func (Mixed) Add(string) {}

type /*@Strings*/Strings struct{ Slice[string] }
`

func (f *fixture) implementation(mark string) ([]string, error) {
	at := f.at(mark)
	var list []lsp.Location
	err := f.in(func(t *runtime.Task) (err error) {
		list, err = f.w.Implementation(t, at.URI, at.Span.Start)
		return err
	})
	own := slices.DeleteFunc(list, func(l lsp.Location) bool { return !strings.HasPrefix(l.URI, f.uri("")) })
	return f.names(own), err
}

// The second question reads no table of methods from the store: those that the first one read are
// kept.
func TestImplementationKeepsTables(t *testing.T) {
	f := newFixture(t, implementationArchive, lsp.WorkspaceOptions{Tests: true})
	f.index()
	if _, err := f.implementation("Shape"); err != nil {
		t.Fatal(err)
	}
	groups := 0
	err := f.ask(f.at("Shape").URI, func(src taskSource) error {
		all, err := methodTables.all(src.t, src.root)
		for _, g := range all {
			if _, kept := blobs.find(g.Of); !kept {
				t.Errorf("group %s is not kept", g.At)
			}
		}
		groups = len(all)
		return err
	})
	if err != nil || groups == 0 {
		t.Errorf("%d groups, %v", groups, err)
	}
}

// TestFirstImplementationChecksNothing asks the first question of an indexed workspace: of packages
// of the workspace that nothing imports no surface is made, since their checks have the tables of
// methods.
func TestFirstImplementationChecksNothing(t *testing.T) {
	f := newFixture(t, implementationArchive, lsp.WorkspaceOptions{Tests: true})
	f.index()
	before := f.ran("golang/check")
	if _, err := f.implementation("Shape"); err != nil {
		t.Fatal(err)
	}
	if n := f.ran("golang/check") - before; n != 0 {
		t.Errorf("the question had %d packages checked", n)
	}
	seen := 0
	err := f.ask(f.at("Shape").URI, func(src taskSource) error {
		m, err := src.metadata()
		if err != nil {
			return err
		}
		imported := map[string]bool{}
		for i := range m.Packages {
			for k := range m.Packages[i].Imports {
				imported[m.Packages[i].Imports[k].Checked()] = true
			}
		}
		for i := range m.Packages {
			p := &m.Packages[i]
			if !p.Workspace || imported[p.ID] {
				continue
			}
			seen++
			if _, made, err := surfaces.Peek(src.t, pkgKey{src.root, p.ID}); made || err != nil {
				t.Errorf("there is a surface of %s, %v", p.ID, err)
			}
		}
		return nil
	})
	if err != nil || seen == 0 {
		t.Errorf("%d packages are imported by none, %v", seen, err)
	}
}

// What implements what is found both ways, in all packages and their tests.
func TestImplementation(t *testing.T) {
	f := newFixture(t, implementationArchive, lsp.WorkspaceOptions{Tests: true})
	f.index()
	for _, c := range []struct {
		mark string
		want string // marks in the module
	}{
		{"Shape", "Circle Local Square Wrap"},
		{"Named", "Circle Fake Local Shape Square Wrap base"},
		{"Area", "CircleArea SquareArea"},
		{"Name", "FakeName SquareName baseName"},
		{"callName", "FakeName SquareName baseName"},
		{"Circle", "Named Shape"},
		{"base", "Named"},
		{"Local", "Named Shape"},
		{"Wrap", "Named Shape"},
		{"Square", "Named Shape"},
		{"SquareArea", "Area"},
		{"FakeName", "Name"},
		{"Fake", "Named"},
		{"hiddenIn", "insideIn"},
		{"inside", "hidden"},
		{"outside", ""},
		{"alias", "Runner"},
		{"aliasRun", "RunnerRun"},
		{"List", "Ints Slice Strings"},
		{"ListAt", "IntsAt SliceAt"},
		{"IntsAt", "ListAt"},
		{"Slice", "List"},
		{"Strings", "List"},
		{"Func", "lit parse"},
		{"functype", "lit parse"},
		{"call", "lit parse"},
		{"parse", "Func call functype"},
		{"lit", "Func call functype"},
	} {
		got, err := f.implementation(c.mark)
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, %v; want %q", c.mark, got, err, c.want)
		}
	}
	if _, err := f.implementation("use"); !errors.Is(err, lsp.ErrNoSymbol) {
		t.Errorf("of a function: %v", err)
	}
	for mark, want := range map[string]string{"Failure": "builtin.go", "FailureError": "builtin.go", "Writer": "io.go"} {
		var list []lsp.Location
		err := f.in(func(t *runtime.Task) (err error) {
			at := f.at(mark)
			list, err = f.w.Implementation(t, at.URI, at.Span.Start)
			return err
		})
		if err != nil || !slices.ContainsFunc(list, func(l lsp.Location) bool { return strings.HasSuffix(l.URI, "/"+want) }) {
			t.Errorf("%s: got %v, %v; want something in %s", mark, list, err, want)
		}
	}
}
