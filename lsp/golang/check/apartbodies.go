package check

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/cytisus/cytisus/lsp/golang/check/bodies"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// add checks bodies of a file apart from it, against the declarations of the view (package bodies
// says why that is right: B1, B2).
//
// The functions are declared once more for that. So within one, the nodes of its signature stand
// for the same objects as those of its body, and its own type has others.
func (v *View) add(file *syntax.Tree, functions []*ast.FuncDecl) {
	info := newInfo()
	alone := bodies.Only(file.AST, functions)
	v.check([]*ast.File{alone}, info, false, func(e types.Error) {
		for _, fn := range functions { // what is wrong elsewhere is known
			if fn.Body.Lbrace <= e.Pos && e.Pos <= fn.Body.Rbrace {
				v.Errors = append(v.Errors, e)
			}
		}
	})
	// The names of imports are those that the file has already.
	imported := map[types.Object]types.Object{}
	for _, spec := range file.AST.Imports {
		if spec.Name == nil {
			imported[info.Implicits[spec]] = v.Info.Implicits[spec]
		} else {
			imported[info.Defs[spec.Name]] = v.Info.Defs[spec.Name]
		}
	}
	for id, obj := range info.Uses {
		if had := imported[obj]; had != nil {
			info.Uses[id] = had
		}
	}
	for _, d := range alone.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			delete(info.Defs, fn.Name) // which is "_"
		}
	}
	within := func(n ast.Node) bool {
		i, ok := slices.BinarySearchFunc(functions, n.Pos(), func(fn *ast.FuncDecl, pos token.Pos) int {
			return cmp.Compare(fn.Pos(), pos)
		})
		return ok || i > 0 && n.End() <= functions[i-1].End()
	}
	merge(v.Info.Types, info.Types, within)
	merge(v.Info.Instances, info.Instances, within)
	merge(v.Info.Defs, info.Defs, within)
	merge(v.Info.Uses, info.Uses, within)
	merge(v.Info.Implicits, info.Implicits, within)
	merge(v.Info.Selections, info.Selections, within)
	merge(v.Info.Scopes, info.Scopes, within)
	for _, fn := range functions {
		v.had[fn] = false
	}
}

// node is a kind of node that a types.Info says something of.
type node interface {
	ast.Node
	comparable
}

// merge adds what is known of some nodes.
func merge[N node, T any](to, from map[N]T, of func(ast.Node) bool) {
	for n, v := range from {
		if of(n) {
			to[n] = v
		}
	}
}
