package check_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/types"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var followSeed = flag.Uint64("follow.seed", 1, "of the edits of TestViewsFollowEdits")

// placedOf is where each name of a file of a view is declared, as the view says it; of names in the
// bodies of functions on demand.
func placedOf(v *check.View, inBodies bool) (list []string) {
	var body *ast.BlockStmt
	ast.Inspect(v.File.AST, func(n ast.Node) bool {
		if fn, ok := n.(*ast.FuncDecl); ok && !inBodies {
			body = fn.Body
		}
		if n != nil && n == ast.Node(body) {
			return false
		}
		if id, ok := n.(*ast.Ident); ok {
			if obj := v.Info.ObjectOf(id); obj != nil {
				name, ok := v.NameOf(obj)
				tree := ""
				if t := v.Tree(obj.Pos()); t != nil {
					tree = t.URI
				}
				list = append(list, fmt.Sprint(v.File.Offset(id.Pos()), name, ok, tree, v.At(obj.Pos()) == id.Pos()))
			}
		}
		return true
	})
	return list
}

// editBody changes one function body of a text at random, or a comment between declarations, so
// that what follows moves.
func editBody(random *rand.Rand, text string) string {
	t := syntax.Parse("file:///edited.go", []byte(text))
	var bodies []*ast.BlockStmt
	for _, d := range t.AST.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			bodies = append(bodies, fn.Body)
		}
	}
	if len(bodies) == 0 {
		return text
	}
	body := bodies[random.IntN(len(bodies))]
	at := t.Offset(body.Lbrace) + 1
	switch random.IntN(5) {
	case 0:
		end := t.Offset(body.Rbrace)
		return text[:at] + " panic(1) " + text[end:]
	case 1:
		decl := t.AST.Decls[len(t.AST.Imports):][0]
		start := t.Offset(decl.Pos())
		return text[:start] + "/* " + fmt.Sprint(random.Uint64()) + " */ " + text[start:]
	case 2:
		return text[:at] + []string{" if ", " x. ", " f(", "{ ", "} "}[random.IntN(5)] + text[at:] // half typed
	}
	return text[:at] + fmt.Sprintf("\n\ttype local%d struct{ a, b int }\n", random.IntN(1000)) + text[at:]
}

// TestViewsFollowEdits: behind edits of bodies a view says what a fresh one says. If the syntax is
// right it is the one from before, and a question types the body that it is about and no other.
func TestViewsFollowEdits(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	random := rand.New(rand.NewPCG(*followSeed, 1))
	for _, id := range []string{"bufio", "text/template", "slices", "maps", "net/netip", "encoding/json"} {
		p := b.Package(id)
		check.Views.Bound(0)
		check.Views.Bound(check.ViewsBytes)
		var declared *types.Package
		texts := map[string][]string{}
		wrong := map[string]bool{} // files with syntax errors
		for round := range 12 {
			uri := p.Files[random.IntN(len(p.Files))]
			edited := false
			if round > 0 {
				had := string(b.Text(uri))
				if n := len(texts[uri]); n > 0 && random.IntN(3) == 0 {
					b.Texts[uri] = []byte(texts[uri][n-1]) // undone
				} else {
					b.Texts[uri] = []byte(editBody(random, had))
				}
				edited = string(b.Text(uri)) != had
				texts[uri] = append(texts[uri], had)
			}
			var declarations []string
			// The first question is about one function.
			tree := syntax.Trees.Get(uri, b.Text(uri))
			broken := wrong[uri] || len(tree.Errors) > 0
			wrong[uri] = len(tree.Errors) > 0
			for _, d := range tree.AST.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || fn.Body == nil {
					continue
				}
				s := check.Sight{URI: uri, Offset: tree.Offset(fn.Name.Pos()), Bodies: check.BodyAt, Apart: true}
				viewOf(t, b, id, s, func(v *check.View) {
					if declared != nil && v.Package != declared && !broken {
						t.Errorf("seed %d: %s, round %d: all was declared anew", *followSeed, uri, round)
					}
					declared, declarations = v.Package, placedOf(v, false)
					if n := check.BodiesOf(v, uri); edited && n != 1 && !broken {
						t.Errorf("seed %d: %s, round %d: %d bodies were typed, want 1", *followSeed, uri, round, n)
					}
				})
				break
			}
			var said, placed, errs []string
			s := check.Sight{URI: uri, Bodies: check.BodiesOfFile, Apart: true}
			viewOf(t, b, id, s, func(v *check.View) {
				said, placed, errs = saidOf(v), placedOf(v, true), errorsOf(v, uri)
			})
			var fresh check.ViewPool
			slot, _ := fresh.Take(id)
			var trees []*syntax.Tree
			for _, uri := range p.Files {
				trees = append(trees, syntax.Parse(uri, b.Text(uri)))
			}
			v, err := slot.View(p, b.Imports(p), trees, s)
			if err != nil {
				t.Fatal(err)
			}
			compare := func(what string, got, want []string) {
				t.Helper()
				if len(got) != len(want) {
					t.Fatalf("seed %d: %s, round %d, %s: %d, of a fresh view %d", *followSeed, uri, round, what, len(got), len(want))
				}
				for i := range want {
					if got[i] != want[i] {
						t.Fatalf("seed %d: %s, round %d, %s: %s, of a fresh view %s", *followSeed, uri, round, what, got[i], want[i])
					}
				}
			}
			compare("names and expressions", said, saidOf(v))
			compare("places", placed, placedOf(v, true))
			for left := errorsOf(v, uri); len(errs) > 0; errs = errs[1:] {
				i := slices.Index(left, errs[0])
				if i < 0 {
					t.Fatalf("seed %d: %s, round %d: %q is an error of an older text", *followSeed, uri, round, errs[0])
				}
				left = slices.Delete(left, i, i+1)
			}
			if declarations != nil {
				compare("places of declarations", declarations, placedOf(v, false))
			}
			slot.Done()
		}
	}
}

// errorsOf are a view's errors in one file, or in none that it has.
func errorsOf(v *check.View, uri string) (list []string) {
	for _, e := range v.Errors {
		if in := v.Positions.Position(e.Pos).Filename; in == "" || in == uri {
			list = append(list, e.Msg)
		}
	}
	return list
}

// TestFollowedViewIsOfNoOlderState: a view that has followed an edit is not the one of the state
// before the edit any more.
func TestFollowedViewIsOfNoOlderState(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	const id = "container/ring"
	uri := b.Package(id).Files[0]
	s := check.Sight{URI: uri, Bodies: check.BodiesOfFile, Apart: true}
	var declared *types.Package
	viewOf(t, b, id, s, func(v *check.View) { declared = v.Package })
	slot, _ := check.Views.Take(id)
	slot.FoundIn("before")
	slot.Done()
	b.Texts[uri] = []byte(editBody(rand.New(rand.NewPCG(3, 1)), string(b.Text(uri))))
	viewOf(t, b, id, s, func(v *check.View) {
		if v.Package != declared {
			t.Error("the view did not follow")
		}
	})
	slot, _ = check.Views.Take(id)
	defer slot.Done()
	if v, err := slot.Known("before", s); err != nil || v != nil {
		t.Errorf("the view with the edit is known in the state before it: %v", err)
	}
}

// TestViewOfAllBodiesFollows: a view of all bodies that follows an edit knows nothing of the bodies
// that were edited, and types no others again.
func TestViewOfAllBodiesFollows(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	const id = "bufio"
	uri := b.Package(id).Files[0]
	var declared *types.Package
	viewOf(t, b, id, check.Sight{URI: uri, Bodies: check.AllBodies}, func(v *check.View) { declared = v.Package })
	b.Texts[uri] = []byte(editBody(rand.New(rand.NewPCG(3, 1)), string(b.Text(uri))))
	s := check.Sight{URI: uri, Bodies: check.BodiesOfFile, Apart: true}
	viewOf(t, b, id, s, func(v *check.View) {
		if v.Package != declared {
			t.Fatal("the view did not follow")
		}
		for _, of := range []map[*ast.Ident]types.Object{v.Info.Uses, v.Info.Defs} {
			for name := range of {
				if !slices.ContainsFunc(v.Files, func(t *syntax.Tree) bool { return t.AST.FileStart <= name.Pos() && name.Pos() <= t.AST.FileEnd }) {
					t.Fatalf("the view knows %s of an older text", name.Name)
				}
			}
		}
		for _, f := range v.Files {
			bodies := 0
			for _, d := range f.AST.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
					bodies++
				}
			}
			if n := check.BodiesOf(v, f.URI); n != bodies {
				t.Errorf("of %s %d bodies are typed, want %d", f.URI, n, bodies)
			}
		}
		said := saidOf(v)
		var fresh check.ViewPool
		slot, _ := fresh.Take(id)
		defer slot.Done()
		var trees []*syntax.Tree
		for _, uri := range b.Package(id).Files {
			trees = append(trees, syntax.Parse(uri, b.Text(uri)))
		}
		w, err := slot.View(b.Package(id), b.Imports(b.Package(id)), trees, s)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(said, saidOf(w)) {
			t.Error("it says something else than a fresh one")
		}
	})
}
