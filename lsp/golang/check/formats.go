package check

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/cytisus/cytisus/lsp"
)

// A FormatCall is a call of a function like fmt.Printf: its last parameter but one is a string, of
// which the call has a literal, and the last takes any number of operands.
type FormatCall struct {
	Format   lsp.Span // of the literal
	Operands []lsp.Span
}

// FormatCallsAt are the calls of such functions around an offset of a view's file.
func FormatCallsAt(v *View, offset int) (list []FormatCall) {
	for _, n := range v.Enclosing(offset, offset) {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			continue
		}
		sig, ok := v.Info.Types[call.Fun].Type.(*types.Signature)
		if !ok || !sig.Variadic() {
			continue
		}
		i := sig.Params().Len() - 2
		if i < 0 || i >= len(call.Args) {
			continue
		}
		if lit, ok := call.Args[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			c := FormatCall{Format: v.File.Span(lit.Pos(), lit.End())}
			for _, x := range call.Args[i+1:] {
				c.Operands = append(c.Operands, v.File.Span(x.Pos(), x.End()))
			}
			list = append(list, c)
		}
	}
	return list
}
