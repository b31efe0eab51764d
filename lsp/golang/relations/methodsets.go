package relations

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/check/methods"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// An Asked is a type with methods that a question is about, or one of its methods.
type Asked struct {
	Set    methods.Set
	Method string     // its ID; "" if the question is about the type
	Name   check.Name // of the type or method itself, if Named
	Named  bool
}

// Ask finds the type or method that stands at an offset of a view's file; ok is false for anything
// else.
func Ask(v *check.View, offset int) (a Asked, ok bool) {
	id := v.IdentAt(offset)
	if id == nil {
		return a, false
	}
	obj := v.Info.Uses[id]
	if obj == nil {
		obj = v.Info.Defs[id]
	}
	var t types.Type
	switch obj := obj.(type) {
	case *types.TypeName:
		t = obj.Type()
		if _, isParameter := types.Unalias(t).(*types.TypeParam); isParameter {
			return a, false
		}
	case *types.Func:
		recv := obj.Signature().Recv()
		if recv == nil {
			return a, false
		}
		t, a.Method = recv.Type(), obj.Id()
		if p, isPointer := types.Unalias(t).(*types.Pointer); isPointer {
			t = p.Elem()
		}
	default:
		return a, false
	}
	a.Set = setOf(v, t)
	a.Name, a.Named = v.NameOf(obj)
	return a, true
}

// setOf is the method set of a type of a view, without files: they are found by name.
func setOf(v *check.View, t types.Type) methods.Set {
	return methods.OfType(t, v.Package, methods.Namer{
		Path: func(obj types.Object) string {
			if name, ok := v.NameOf(obj); ok && name.URI == "" {
				return name.External.Path
			}
			return v.Path(obj)
		},
		File: func(token.Pos) int { return -1 },
	})
}

// A Local is a type that is declared in a function body, and where it and its methods are declared.
type Local struct {
	Set     methods.Set
	At      check.Name
	Methods map[string]check.Name // by ID
}

// Locals are the types with methods that function bodies of a view's file declare, as far as the
// view has them.
func Locals(v *check.View) (list []Local) {
	for _, body := range bodiesWithTypes(v.File) {
		ast.Inspect(body, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			obj, ok := v.Info.Defs[spec.Name].(*types.TypeName)
			if !ok || obj.IsAlias() {
				return true
			}
			l := Local{Set: setOf(v, obj.Type()), Methods: map[string]check.Name{}}
			if l.At, ok = v.NameOf(obj); !ok || len(l.Set.Methods) == 0 {
				return true
			}
			t := obj.Type()
			if !l.Set.Interface {
				t = types.NewPointer(t)
			}
			for sel := range types.NewMethodSet(t).Methods() {
				if name, ok := v.NameOf(sel.Obj()); ok {
					l.Methods[sel.Obj().Id()] = name
				}
			}
			list = append(list, l)
			return true
		})
	}
	return list
}

// HasLocals reports whether a function body of a file declares a type that may have methods.
func HasLocals(t *syntax.Tree) (found bool) {
	for _, body := range bodiesWithTypes(t) {
		ast.Inspect(body, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && !spec.Assign.IsValid() {
				found = found || mayHaveMethods(spec.Type)
			}
			return !found
		})
	}
	return found
}

// mayHaveMethods reports whether a type that is declared in a function body may have methods, which
// come from what it embeds or from an interface.
func mayHaveMethods(t ast.Expr) bool {
	switch t := ast.Unparen(t).(type) {
	case *ast.StructType:
		return slices.ContainsFunc(t.Fields.List, func(f *ast.Field) bool { return len(f.Names) == 0 })
	case *ast.InterfaceType, *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr, *ast.IndexListExpr:
		return true
	}
	return false
}
