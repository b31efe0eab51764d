package relations

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/check/methods"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// Function types go with functions as interfaces do with types. The keyword of a function type, and
// the parenthesis of a call of a value that has one, stand for the one side; the keyword of a
// function declaration or literal stands for the other.

// IsFunctionPlace reports whether an offset of a file lies on a token that stands for a function,
// for a function type, or for a call of what may be a function value.
func IsFunctionPlace(t *syntax.Tree, offset int) (found bool) {
	ast.Inspect(t.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil:
			return false
		case *ast.FuncType:
			start := t.Offset(n.Func)
			found = found || n.Func.IsValid() && start <= offset && offset <= start+len("func")
		case *ast.CallExpr:
			found = found || offset == t.Offset(n.Lparen)
		}
		return !found && t.Offset(n.Pos()) <= offset && offset <= t.Offset(n.End())
	})
	return found
}

// Functions are the functions that what stands at an offset may mean, or the function types and
// calls that may mean the function there, in the package of a view with all bodies. It is not ok
// where nothing of the kind stands.
func Functions(v *check.View, offset int) (list []lsp.Location, ok bool) {
	t, defines := functionAt(v, offset)
	if t == nil {
		return nil, false
	}
	for _, tree := range v.Files {
		eachFunction(v, tree.AST, func(of types.Type, at token.Pos, token string, isDefinition bool) {
			if of != nil && isDefinition != defines && methods.Unify(t, of) {
				list = append(list, lsp.Location{URI: tree.URI, Span: tree.Span(at, at+posOf(token))})
			}
		})
	}
	return list, true
}

func posOf(s string) token.Pos { return token.Pos(len(s)) }

// functionAt is the type of the function or function type whose token an offset lies on, and
// whether it is a definition; nil if there is none.
func functionAt(v *check.View, offset int) (found types.Type, defines bool) {
	eachFunction(v, v.File.AST, func(of types.Type, at token.Pos, token string, isDefinition bool) {
		start := v.File.Offset(at)
		if start <= offset && offset <= start+len(token) && (token != "(" || offset == start) {
			found, defines = of, isDefinition
		}
	})
	return found, defines
}

// eachFunction calls fn for the definitions of functions in a file, and for all that may mean a
// function, with the token that stands for each.
func eachFunction(v *check.View, file *ast.File, fn func(of types.Type, at token.Pos, token string, isDefinition bool)) {
	const keyword = "func"
	defined := map[*ast.FuncType]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			defined[n.Type] = true
			if obj := v.Info.Defs[n.Name]; obj != nil {
				fn(obj.Type(), n.Type.Func, keyword, true)
			}
		case *ast.FuncLit:
			defined[n.Type] = true
			fn(v.Info.TypeOf(n), n.Type.Func, keyword, true)
		case *ast.FuncType:
			if n.Func.IsValid() && !defined[n] {
				fn(v.Info.TypeOf(n), n.Func, keyword, false)
			}
		case *ast.CallExpr:
			if t := dynamicCall(v.Info, n); t != nil {
				fn(t, n.Lparen, "(", false)
			}
		}
		return true
	})
}

// dynamicCall is the type of the function value that is called; nil if the call is of a declared
// function or method, or none.
func dynamicCall(info *types.Info, call *ast.CallExpr) types.Type {
	tv, ok := info.Types[call.Fun]
	if !ok || tv.IsType() || tv.IsBuiltin() || typeutil.Callee(info, call) != nil && !isVariable(typeutil.Callee(info, call)) {
		return nil
	}
	sig, ok := tv.Type.Underlying().(*types.Signature)
	if !ok {
		return nil
	}
	return sig
}

func isVariable(obj types.Object) bool {
	_, ok := obj.(*types.Var)
	return ok
}
