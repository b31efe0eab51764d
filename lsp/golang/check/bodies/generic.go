package bodies

import (
	"go/ast"
	"go/token"
	"go/types"
)

// instantiatesOwn reports whether code between two positions instantiates something with a type
// argument that has a type parameter in it, or a local type, which has those around it: only such
// code makes instantiations that make others.
func instantiatesOwn(info *types.Info, fn *ast.FuncDecl, from, to token.Pos) bool {
	if !isGeneric(fn) {
		return false
	}
	for id, inst := range info.Instances {
		if from <= id.Pos() && id.Pos() <= to {
			for arg := range inst.TypeArgs.Types() {
				if mentionsParameter(arg, 0) {
					return true
				}
			}
		}
	}
	return false
}

// isGeneric reports whether a function has type parameters, of its own or of its receiver.
func isGeneric(fn *ast.FuncDecl) bool {
	if fn.Type.TypeParams != nil && len(fn.Type.TypeParams.List) > 0 {
		return true
	}
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return false
	}
	indexed := false
	ast.Inspect(fn.Recv.List[0].Type, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.IndexExpr, *ast.IndexListExpr:
			indexed = true
		}
		return !indexed
	})
	return indexed
}

// mentionsParameter reports whether a type has a type parameter in it. Too deep counts as yes.
func mentionsParameter(t types.Type, depth int) bool {
	if depth > 20 {
		return true
	}
	in := func(t types.Type) bool { return mentionsParameter(t, depth+1) }
	tuple := func(list *types.Tuple) bool {
		for v := range list.Variables() {
			if in(v.Type()) {
				return true
			}
		}
		return false
	}
	switch t := types.Unalias(t).(type) {
	case *types.TypeParam:
		return true
	case *types.Named:
		for arg := range t.TypeArgs().Types() {
			if in(arg) {
				return true
			}
		}
		// A local type has the type parameters around it.
		pkg, scope := t.Obj().Pkg(), t.Obj().Parent()
		return pkg != nil && scope != nil && scope != pkg.Scope()
	case *types.Pointer:
		return in(t.Elem())
	case *types.Slice:
		return in(t.Elem())
	case *types.Array:
		return in(t.Elem())
	case *types.Chan:
		return in(t.Elem())
	case *types.Map:
		return in(t.Key()) || in(t.Elem())
	case *types.Signature:
		return tuple(t.Params()) || tuple(t.Results())
	case *types.Struct:
		for f := range t.Fields() {
			if in(f.Type()) {
				return true
			}
		}
	case *types.Interface:
		for m := range t.Methods() {
			if in(m.Type()) {
				return true
			}
		}
	case *types.Union:
		return true
	}
	return false
}
