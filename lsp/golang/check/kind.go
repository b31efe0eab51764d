package check

import (
	"go/types"

	"github.com/cytisus/cytisus/lsp"
)

// kindOf says what an object is.
func kindOf(obj types.Object) lsp.SymbolKind {
	switch obj := obj.(type) {
	case *types.PkgName:
		return lsp.KindPackage
	case *types.Const:
		return lsp.KindConstant
	case *types.Var:
		if obj.IsField() {
			return lsp.KindField
		}
		return lsp.KindVariable
	case *types.Func:
		if obj.Signature().Recv() != nil {
			return lsp.KindMethod
		}
		return lsp.KindFunction
	case *types.TypeName:
		t := obj.Type()
		if _, ok := types.Unalias(t).(*types.TypeParam); ok {
			return lsp.KindTypeParameter
		}
		switch t.Underlying().(type) {
		case *types.Struct:
			return lsp.KindStruct
		case *types.Interface:
			return lsp.KindInterface
		}
		return lsp.KindClass
	case *types.Label:
		return lsp.KindKey
	case *types.Builtin:
		return lsp.KindFunction
	case *types.Nil:
		return lsp.KindNull
	}
	return lsp.KindVariable
}
