package refactor

import (
	"flag"
	"fmt"
	"go/ast"
	"go/types"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var (
	changesSeed  = flag.Uint64("changes.seed", 0, "seed of TestChangesKeepCodeRight; 0: of the clock")
	changesN     = flag.Int("changes.n", 12, "places that TestChangesKeepCodeRight tries in each package")
	changesOf    = flag.String("changes.of", "bufio,encoding/csv", "comma-separated packages of the standard library that it changes")
	changesKinds = flag.String("changes.kinds", "", "kinds that it makes; all if empty")
)

// TestChangesKeepCodeRight makes changes at random places of the standard library: what compiled
// still does (E1).
func TestChangesKeepCodeRight(t *testing.T) {
	seed := *changesSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("go test -run TestChangesKeepCodeRight -changes.seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	made := map[string]int{}
	for id := range strings.SplitSeq(*changesOf, ",") {
		p := b.Package(id)
		view := func(p *metadata.Package, uri string) *check.View {
			var trees []*syntax.Tree
			for _, uri := range p.Files {
				trees = append(trees, syntax.Parse(uri, b.Text(uri)))
			}
			slot, _ := check.Views.Take(p.ID)
			defer slot.Done()
			v, err := slot.View(p, b.Imports(p), trees, check.Sight{URI: uri, Bodies: check.AllBodies})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		for range *changesN {
			uri := p.Files[rng.IntN(len(p.Files))]
			v := view(p, uri)
			start, end := someNodes(rng, v)
			r := &Request{View: v, Start: start, End: end, Text: func(uri string) ([]byte, error) {
				if slices.Contains(p.Files, uri) {
					return b.Text(uri), nil
				}
				return nil, lsp.ErrUnknownFile
			}}
			var only []string
			if *changesKinds != "" {
				only = strings.Split(*changesKinds, ",")
			}
			for _, c := range Changes(r, only) {
				var edit *lsp.WorkspaceEdit
				var err error
				switch {
				case c.Signature != nil:
					edit, err = resigned(v, c.Signature)
				case c.Inlining != nil:
					edit, err = inlined(v, uri, c.Inlining, func(name check.Name) (*check.View, int) {
						q := b.Package(name.External.Package)
						for _, uri := range q.Files {
							other := view(q, uri)
							for id, obj := range other.Info.Defs {
								if obj != nil && other.Path(obj) == name.External.Path && other.Tree(id.Pos()) == other.File {
									return other, other.File.Offset(id.Pos())
								}
							}
						}
						return nil, 0
					})
				default:
					edit, err = c.Make()
				}
				if err != nil || edit.IsEmpty() {
					continue
				}
				made[c.Kind]++
				before := map[string][]byte{}
				for _, uri := range edit.Create {
					b.Texts[uri] = nil
				}
				for _, f := range edit.Files {
					text, err := lsp.Apply(b.Text(f.URI), f.Edits)
					if err != nil {
						t.Fatalf("%s: %s at %d: %v", f.URI, c.Title, start, err)
					}
					before[f.URI] = b.Text(f.URI)
					b.Texts[f.URI] = text
				}
				for _, q := range withFiles(b, p, edit.Create) {
					after := view(q, q.Files[0])
					if c.Signature != nil { // the workspace refuses what only an argument has used
						after.Errors = slices.DeleteFunc(after.Errors, func(e types.Error) bool { return check.ErrorCode(e) == "UnusedVar" })
					}
					if len(after.Errors) > 0 || len(after.Files) < len(q.Files) {
						t.Errorf("%s %s: %q at %q: %v\n%s", uri, c.Kind, c.Title, v.File.Text[start:end], after.Errors,
							changed(string(v.File.Text), string(b.Text(uri))))
						for _, uri := range edit.Create {
							t.Errorf("%s:\n%s", uri, b.Text(uri))
						}
					}
				}
				for uri, text := range before {
					b.Texts[uri] = text
				}
			}
		}
	}
	t.Log(made)
}

// inlined puts the body of a function in the place of a call. Elsewhere finds the declaration of a
// function of another package.
func inlined(v *check.View, uri string, c *CallInlining, elsewhere func(check.Name) (*check.View, int)) (*lsp.WorkspaceEdit, error) {
	var callee *check.View
	at := c.Callee.Offset
	if c.Callee.URI == "" {
		if callee, at = elsewhere(c.Callee); callee == nil {
			return nil, nil
		}
	} else {
		same := *v
		for _, t := range v.Files {
			if t.URI == c.Callee.URI {
				same.File = t
			}
		}
		callee = &same
	}
	i, err := NewInlinee(callee, at)
	if err != nil {
		return nil, err
	}
	return c.Make(&Request{View: v}, i)
}

// resigned gives a function of a package other parameters, with its calls there. Methods are left
// out: interfaces could ask for them.
func resigned(v *check.View, c *SignatureChange) (*lsp.WorkspaceEdit, error) {
	id := v.IdentAt(c.Offset)
	fn, ok := v.Info.Defs[id].(*types.Func)
	if !ok || fn.Signature().Recv() != nil {
		return nil, nil
	}
	e := &lsp.WorkspaceEdit{}
	for _, t := range v.Files {
		other := *v
		other.File = t
		var at []int
		for id, obj := range v.Info.Uses {
			if f, ok := obj.(*types.Func); ok && f.Origin() == fn && v.Tree(id.Pos()) == t {
				at = append(at, t.Offset(id.Pos()))
			}
		}
		r := &Request{View: &other}
		edits, err := c.Calls(r, at)
		if err != nil {
			return nil, err
		}
		if t == v.File {
			edits = append(edits, c.Declaration...)
		}
		edits = append(edits, Idle(r, edits)...)
		e.Files = append(e.Files, lsp.FileEdit{URI: t.URI, Edits: edits})
	}
	return e, nil
}

// withFiles is a package with further files, and its external test package if some are of that.
func withFiles(b *purebuild.Build, p *metadata.Package, more []string) []*metadata.Package {
	own, external := *p, *p
	own.Files, external.Files, external.Imports = slices.Clip(p.Files), nil, nil
	external.ID, external.Path, external.Name = p.ID+"_test", p.Path+"_test", p.Name+"_test"
	for _, uri := range more {
		if syntax.Parse(uri, b.Text(uri)).AST.Name.Name == external.Name {
			external.Files = append(external.Files, uri)
		} else {
			own.Files = append(own.Files, uri)
		}
	}
	list := []*metadata.Package{&own}
	if len(external.Files) > 0 {
		list = append(list, &external)
	}
	for _, p := range list {
		p.Imports = slices.Clip(p.Imports)
		for _, uri := range p.Files {
			for _, spec := range syntax.Parse(uri, b.Text(uri)).AST.Imports {
				path := strings.Trim(spec.Path.Value, "\"")
				if path != "unsafe" && !slices.ContainsFunc(p.Imports, func(e metadata.Edge) bool { return e.Import == path }) {
					p.Imports = append(p.Imports, metadata.Edge{Import: path, ID: path})
				}
			}
		}
		slices.SortFunc(p.Imports, func(a, b metadata.Edge) int { return strings.Compare(a.Import, b.Import) })
	}
	return list
}

// someNodes is the place of a node of a file, or of some that follow each other in a block.
func someNodes(rng *rand.Rand, v *check.View) (start, end int) {
	var nodes [][2]ast.Node
	ast.Inspect(v.File.AST, func(n ast.Node) bool {
		if n == nil {
			return true
		}
		nodes = append(nodes, [2]ast.Node{n, n})
		if list := statementsOf(n); len(list) > 1 {
			for range 3 {
				i := rng.IntN(len(list))
				nodes = append(nodes, [2]ast.Node{list[i], list[i+rng.IntN(len(list)-i)]})
			}
		}
		return true
	})
	n := nodes[rng.IntN(len(nodes))]
	return v.File.Offset(n[0].Pos()), v.File.Offset(n[1].End())
}

// changed is what differs between two texts.
func changed(before, after string) string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return fmt.Sprintf("- %s\n+ %s", strings.Join(a, "\n- "), strings.Join(b, "\n+ "))
}
