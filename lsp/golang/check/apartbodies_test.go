package check_test

import (
	"fmt"
	"go/ast"
	"go/types"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
)

// saidOf is what a view says of each name and expression of its file, by the nodes in order. What
// stands for the same object says so.
func saidOf(v *check.View) (list []string) {
	qualify := func(p *types.Package) string { return p.Path() }
	first := map[types.Object]int{}
	ast.Inspect(v.File.AST, func(n ast.Node) bool {
		expr, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		at := v.File.Offset(n.Pos())
		tv, ok := v.Info.Types[expr]
		said := fmt.Sprint(at, ok, tv.Value, tv.Type == nil, types.TypeString(tv.Type, qualify))
		if id, ok := n.(*ast.Ident); ok {
			if obj := v.Info.ObjectOf(id); obj != nil {
				if _, seen := first[obj]; !seen {
					first[obj] = at
				}
				said += fmt.Sprint(" ", first[obj], v.Tree(obj.Pos()) != nil, types.ObjectString(obj, qualify))
			}
			said += fmt.Sprint(" ", types.TypeString(v.Info.Instances[id].Type, qualify))
		}
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if s := v.Info.Selections[sel]; s != nil {
				said += " " + types.SelectionString(s, qualify)
			}
		}
		list = append(list, said)
		return true
	})
	return list
}

// TestBodiesApartAgree: what a view says of bodies that were checked apart is what it says of them
// when they are checked with the package, and a repeated question checks nothing.
func TestBodiesApartAgree(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	for _, id := range []string{"bufio", "text/template", "sync", "slices", "maps", "iter", "encoding/json", "net/netip"} {
		p := b.Package(id)
		check.Views.Bound(0)
		check.Views.Bound(check.ViewsBytes)
		var declared *types.Package
		said := map[string][]string{}
		errs := 0
		for _, uri := range p.Files {
			for round := range 2 {
				s := check.Sight{URI: uri, Bodies: check.BodiesOfFile, Apart: true}
				viewOf(t, b, id, s, func(v *check.View) {
					if declared == nil {
						declared = v.Package
					} else if v.Package != declared {
						t.Errorf("%s: the declarations were checked again", uri)
					}
					now := saidOf(v)
					if had := said[uri]; round == 1 && fmt.Sprint(now) != fmt.Sprint(had) {
						t.Errorf("%s: a repeated question is answered otherwise", uri)
					}
					said[uri], errs = now, len(v.Errors)
				})
			}
		}
		if errs > 0 {
			t.Errorf("%s: %d errors", id, errs)
		}
		for _, uri := range p.Files {
			viewOf(t, b, id, check.Sight{URI: uri, Bodies: check.AllBodies}, func(v *check.View) {
				whole := saidOf(v)
				if len(whole) != len(said[uri]) || len(whole) == 0 {
					t.Fatalf("%s: %d names and expressions, %d", uri, len(said[uri]), len(whole))
				}
				for i := range whole {
					if whole[i] != said[uri][i] {
						t.Errorf("%s: %s, of the whole package %s", uri, said[uri][i], whole[i])
					}
				}
			})
		}
	}
}

// TestViewsAreFoundByState: a view is known without its files in a state in which it was found
// before. In another state it is looked for by its files.
func TestViewsAreFoundByState(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	const id = "container/ring"
	uri := b.Package(id).Files[0]
	s := check.Sight{URI: uri, Bodies: check.BodiesOfFile, Apart: true}
	known := func(state any, s check.Sight) bool {
		slot, _ := check.Views.Take(id)
		defer slot.Done()
		v, err := slot.Known(state, s)
		if err != nil {
			t.Fatal(err)
		}
		return v != nil
	}
	if known(1, s) {
		t.Error("a view is known that was not made")
	}
	viewOf(t, b, id, s, func(*check.View) {})
	if known(1, s) || known(nil, s) {
		t.Error("a view is known in a state that nobody named")
	}
	slot, _ := check.Views.Take(id)
	slot.FoundIn(1)
	slot.Done()
	other := s
	other.URI = "file:///another.go"
	whole := s
	whole.Bodies = check.AllBodies
	if !known(1, s) || known(2, s) || known(nil, s) || known(1, other) || known(1, whole) {
		t.Error("the view is not known in its state alone, for what it has")
	}
}
