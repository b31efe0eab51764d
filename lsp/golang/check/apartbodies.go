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
	for _, fn := range functions {
		v.had[fn] = knownBody{apart: true, signature: v.takeSignature(fn)}
	}
	mergeInfo(v.Info, info, within)
}

// takeSignature takes away what is known of the nodes of the signature of a function but its name.
func (v *View) takeSignature(fn *ast.FuncDecl) *types.Info {
	known := newInfo()
	take := func(n ast.Node) bool {
		if n != nil {
			transfer(v.Info, known, n, n)
		}
		return true
	}
	if fn.Recv != nil {
		ast.Inspect(fn.Recv, take)
	}
	ast.Inspect(fn.Type, take)
	return known
}

// mergeInfo adds what is known of some nodes.
func mergeInfo(to, from *types.Info, of func(ast.Node) bool) {
	merge(to.Types, from.Types, of)
	merge(to.Instances, from.Instances, of)
	merge(to.Defs, from.Defs, of)
	merge(to.Uses, from.Uses, of)
	merge(to.Implicits, from.Implicits, of)
	merge(to.Selections, from.Selections, of)
	merge(to.Scopes, from.Scopes, of)
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
