package flow

import (
	"go/ast"
	"go/token"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// Formatting reports whether an offset lies in a call that has a string literal with a percent sign
// among its arguments.
func Formatting(t *syntax.Tree, offset int) bool {
	for _, n := range Path(t, offset) {
		if call, ok := n.(*ast.CallExpr); ok {
			for _, x := range call.Args {
				if lit, ok := x.(*ast.BasicLit); ok && lit.Kind == token.STRING && strings.Contains(lit.Value, "%") {
					return true
				}
			}
		}
	}
	return false
}

// Pairs are the directives of a format, a literal at some span, and their operands, that belong to
// what stands at an offset: a directive writes what an operand gives it to read.
func Pairs(t *syntax.Tree, format lsp.Span, operands []lsp.Span, offset int) (list []lsp.Highlight) {
	all := Directives(string(t.Text[format.Start:format.End]))
	chosen := map[int]bool{}
	for _, d := range all {
		if at := offset - format.Start; d.Start <= at && at < d.End {
			chosen[d.Operand] = true
		}
		if d.Operand < len(operands) && operands[d.Operand].Contains(offset) {
			chosen[d.Operand] = true
		}
	}
	told := map[int]bool{}
	for _, d := range all {
		if !chosen[d.Operand] {
			continue
		}
		list = append(list, lsp.Highlight{
			Span: lsp.Span{Start: format.Start + d.Start, End: format.Start + d.End}, Kind: lsp.HighlightWrite,
		})
		if d.Operand < len(operands) && !told[d.Operand] {
			told[d.Operand] = true
			list = append(list, lsp.Highlight{Span: operands[d.Operand], Kind: lsp.HighlightRead})
		}
	}
	return list
}
