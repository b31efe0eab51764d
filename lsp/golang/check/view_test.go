package check_test

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// viewOf makes a view of a package of the standard library and lets it go.
func viewOf(t *testing.T, b *purebuild.Build, id string, s check.Sight, fn func(v *check.View)) {
	t.Helper()
	p := b.Package(id)
	var trees []*syntax.Tree
	for _, uri := range p.Files {
		trees = append(trees, syntax.Trees.Get(uri, b.Text(uri)))
	}
	slot, busy := check.Views.Take(id)
	if busy != nil {
		t.Fatalf("%s: somebody has it", id)
	}
	defer slot.Done()
	if _, busy := check.Views.Take(id); busy == nil {
		t.Errorf("%s: two have it", id)
	}
	v, err := slot.View(p, b.Imports(p), trees, s)
	if err != nil {
		t.Fatal(err)
	}
	fn(v)
}

// TestViewsAgree: what a view says of an expression is the same whichever bodies it was made for.
func TestViewsAgree(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	for _, id := range []string{"bufio", "text/template", "sync"} {
		uri := b.Package(id).Files[0]
		said := map[string]string{}
		qualify := func(p *types.Package) string { return p.Path() }
		tell := func(v *check.View, expr ast.Expr) string {
			tv, ok := v.Info.Types[expr]
			return fmt.Sprint(ok, tv.Value, tv.Type == nil, types.TypeString(tv.Type, qualify))
		}
		at := func(v *check.View, n ast.Node) string {
			return fmt.Sprint(v.File.Offset(n.Pos()), v.File.Offset(n.End()))
		}
		viewOf(t, b, id, check.Sight{URI: uri, Bodies: check.AllBodies}, func(v *check.View) {
			if len(v.Errors) > 0 {
				t.Errorf("%s: %v", id, v.Errors)
			}
			ast.Inspect(v.File.AST, func(n ast.Node) bool {
				if expr, ok := n.(ast.Expr); ok {
					said[at(v, n)] = tell(v, expr)
				}
				return true
			})
		})
		b.Texts[uri] = append(b.Text(uri), "\n// another text\n"...) // else the view of all bodies is there
		viewOf(t, b, id, check.Sight{URI: uri, Bodies: check.BodiesOfFile}, func(v *check.View) {
			n := 0
			ast.Inspect(v.File.AST, func(node ast.Node) bool {
				if expr, ok := node.(ast.Expr); ok {
					if n++; said[at(v, node)] != tell(v, expr) {
						t.Errorf("%s: %s: %s, of all bodies %s", id, at(v, node), tell(v, expr), said[at(v, node)])
					}
				}
				return true
			})
			if n == 0 {
				t.Errorf("%s: no expression", id)
			}
		})
	}
}

// TestViewsAreKept: a view is made again when it lacks what is asked for, and then only.
func TestViewsAreKept(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	const id = "container/list"
	uri := b.Package(id).Files[0]
	text := string(b.Text(uri))
	inFront, inRemove := strings.Index(text, "return l.root.next"), strings.Index(text, "e.prev.next = e.next")
	var last *types.Package
	look := func(s check.Sight, made bool, bodies ...int) {
		t.Helper()
		s.URI = uri
		viewOf(t, b, id, s, func(v *check.View) {
			if (v.Package != last) != made {
				t.Errorf("%+v: made anew: %v", s, !made)
			}
			last = v.Package
			for i, offset := range []int{inFront, inRemove} {
				expr, ok := v.Enclosing(offset+7, offset+8)[0].(ast.Expr)
				_, typed := v.Info.Types[expr]
				if id, isIdent := expr.(*ast.Ident); isIdent {
					typed = v.Info.ObjectOf(id) != nil
				}
				if !ok || typed != (bodies[i] == 1) {
					t.Errorf("%+v: body %d is checked: %v", s, i, typed)
				}
			}
		})
	}
	look(check.Sight{Offset: inFront, Bodies: check.BodyAt}, true, 1, 0)
	look(check.Sight{Offset: inFront + 1, Bodies: check.BodyAt}, false, 1, 0)
	look(check.Sight{Offset: inRemove, Bodies: check.BodyAt}, true, 0, 1)
	look(check.Sight{Offset: inFront, Bodies: check.BodyAt, Apart: true}, false, 1, 1)
	look(check.Sight{Bodies: check.BodiesOfFile, Apart: true}, false, 1, 1)
	look(check.Sight{Bodies: check.BodiesOfFile}, true, 1, 1)
	look(check.Sight{Offset: inFront, Bodies: check.BodyAt}, false, 1, 1)
	b.Texts[uri] = []byte(text + "\n")
	look(check.Sight{Offset: inFront, Bodies: check.BodyAt}, true, 1, 0)
	look(check.Sight{Bodies: check.AllBodies}, true, 1, 1)
	look(check.Sight{Bodies: check.BodiesOfFile}, false, 1, 1)
}

// TestViewsOfEditedPackages: the trees that a session has are no weight of a view of its package.
// So packages that are edited all keep their views where there is room for the types of each, and
// when the sessions go, views go, too.
func TestViewsOfEditedPackages(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	ids := []string{"bufio", "encoding/json", "slices", "text/template"}
	text := 0
	for _, id := range ids {
		p := b.Package(id)
		check.Sessions.Open(p.Files[0])
		defer check.Sessions.Close(p.Files[0])
		var trees []*syntax.Tree
		for _, uri := range p.Files {
			trees = append(trees, syntax.Trees.Get(uri, b.Text(uri)))
			text += len(b.Text(uri))
		}
		if _, _, err := check.Diagnostics(p, trees, b.Imports(p), purebuild.NoDoubt); err != nil {
			t.Fatal(err)
		}
	}
	check.Views.Bound(0)
	check.Views.Bound(text / 2)
	defer check.Views.Bound(check.ViewsBytes)
	declared := map[string]*types.Package{}
	again := func() (same int) {
		for _, id := range ids {
			s := check.Sight{URI: b.Package(id).Files[0], Bodies: check.BodiesOfFile, Apart: true}
			viewOf(t, b, id, s, func(v *check.View) {
				if v.Package == declared[id] {
					same++
				}
				declared[id] = v.Package
			})
		}
		return same
	}
	again()
	if same := again(); same != len(ids) {
		t.Errorf("%d of %d packages were looked at again as they were", same, len(ids))
	}
	check.Sessions.Bound(0)
	defer check.Sessions.Bound(check.SessionsBytes)
	again()
	if held := check.Views.Held(); held > int64(text/2) || again() == len(ids) {
		t.Errorf("views of all packages are kept without sessions: %d bytes", held)
	}
}
