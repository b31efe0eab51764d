package lint

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/buildssa"
	vetcgocall "golang.org/x/tools/go/analysis/passes/cgocall"
)

// cgoCall finds arguments of calls to C that hold pointers of Go, against the rules of cgo. The
// analyzer of vet reads what cgo has made of the files, and the files from the disk; here are the
// files as they are written, also unsaved. It has the name of that one, in whose place it stands.
var cgoCall = &analysis.Analyzer{
	Name: vetcgocall.Analyzer.Name, Doc: vetcgocall.Analyzer.Doc, URL: vetcgocall.Analyzer.URL, Run: runCgoCall, RunDespiteErrors: true,
}

func runCgoCall(pass *analysis.Pass) (any, error) {
	for _, file := range pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && isCallOfC(pass.TypesInfo, call) {
				for _, arg := range call.Args {
					if heldBy(pass.TypesInfo, arg) {
						pass.Report(analysis.Diagnostic{
							Pos: arg.Pos(), End: arg.End(), Message: "possibly passing Go type with embedded pointer to C",
						})
						break
					}
				}
			}
			return true
		})
	}
	return nil, nil
}

// isCallOfC reports whether a call is one of a function of C. C.CBytes copies what it is given.
func isCallOfC(info *types.Info, call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || sel.Sel.Name == "CBytes" {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return false
	}
	p, ok := info.Uses[id].(*types.PkgName)
	return ok && p.Imported().Path() == "C"
}

// heldBy reports whether an argument, or what it points to, is something that Go has pointers in.
func heldBy(info *types.Info, arg ast.Expr) bool {
	arg = withoutUnsafe(info, arg)
	if holdsGo(info.TypeOf(arg), map[types.Type]bool{}) {
		return true
	}
	u, ok := ast.Unparen(arg).(*ast.UnaryExpr)
	return ok && u.Op == token.AND && holdsGo(info.TypeOf(withoutUnsafe(info, u.X)), map[types.Type]bool{})
}

// withoutUnsafe takes conversions to unsafe.Pointer off an expression.
func withoutUnsafe(info *types.Info, e ast.Expr) ast.Expr {
	for {
		call, ok := ast.Unparen(e).(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return e
		}
		tv := info.Types[call.Fun]
		if b, ok := tv.Type.(*types.Basic); !ok || !tv.IsType() || b.Kind() != types.UnsafePointer {
			return e
		}
		e = call.Args[0]
	}
}

// holdsGo reports whether a value of a type is a chan, func, map or slice, or holds or points to
// one. What is not known, such as a type of C, holds none.
func holdsGo(t types.Type, seen map[types.Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	switch t := t.Underlying().(type) {
	case *types.Chan, *types.Map, *types.Signature, *types.Slice:
		return true
	case *types.Pointer:
		return holdsGo(t.Elem(), seen)
	case *types.Array:
		return holdsGo(t.Elem(), seen)
	case *types.Struct:
		for f := range t.Fields() {
			if holdsGo(f.Type(), seen) {
				return true
			}
		}
	}
	return false
}

// needsWhole reports whether an analyzer rests on a form of the code that cannot be made where
// types are not known, as those of C.
func needsWhole(a *analysis.Analyzer) bool {
	return a == buildssa.Analyzer || a.Name == "buildir" || slices.ContainsFunc(a.Requires, needsWhole)
}

// withUnknown gives expressions that have no type, as those of C, the one that go/types has for
// what is wrong, and what is selected of them a variable of it: analyzers take what has none for a
// mistake of their caller.
func withUnknown(info *types.Info, pkg *types.Package, files []*ast.File) *types.Info {
	out := *info
	out.Types, out.Uses = maps.Clone(info.Types), maps.Clone(info.Uses)
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && out.ObjectOf(sel.Sel) == nil {
				out.Uses[sel.Sel] = types.NewVar(sel.Sel.Pos(), pkg, sel.Sel.Name, types.Typ[types.Invalid])
			}
			if e, ok := n.(ast.Expr); ok && out.Types[e].Type == nil && isValue(&out, e) {
				out.Types[e] = types.TypeAndValue{Type: types.Typ[types.Invalid]}
			}
			return true
		})
	}
	return &out
}

// isValue reports whether an expression may be one that go/types gives a type where it knows one.
func isValue(info *types.Info, e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.KeyValueExpr:
		return false
	case *ast.Ident:
		_, is := info.Uses[e].(*types.Var)
		return is
	}
	return true
}
