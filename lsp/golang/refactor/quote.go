package refactor

import (
	"go/ast"
	"go/token"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// changeQuote writes a string with the other quotes, if it can be.
func changeQuote(r *Request) []Change {
	lit, above, ok := enclosing[*ast.BasicLit](r)
	if !ok || lit.Kind != token.STRING {
		return nil
	}
	if len(above) > 0 {
		if _, ok := above[0].(*ast.ImportSpec); ok {
			return nil
		}
	}
	value, err := strconv.Unquote(lit.Value)
	if err != nil {
		return nil
	}
	title, text := "Convert to interpreted string literal", strconv.Quote(value)
	if lit.Value[0] == '"' {
		if !strconv.CanBackquote(strings.ReplaceAll(value, "\n", "")) {
			return nil
		}
		title, text = "Convert to raw string literal", "`"+value+"`"
	}
	return []Change{{Title: title, Make: func() (*lsp.WorkspaceEdit, error) {
		return r.edit(r.replace(lit.Pos(), lit.End(), text))
	}}}
}
