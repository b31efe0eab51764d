package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// writtenBytes bounds what is kept of the expression of one constant.
const writtenBytes = 200

// collectWritten notes what the source says of a declaration beside its type, by the position of
// the declared name: the expression of a constant, also where it is repeated without being written,
// and the tag of a field.
func collectWritten(file *ast.File, written map[token.Pos]string) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			if n.Tok == token.CONST {
				constantsWritten(n, written)
			}
		case *ast.Field:
			if n.Tag == nil || n.Tag.Kind != token.STRING {
				break
			}
			for _, id := range fieldNames(n) {
				written[id.Pos()] = n.Tag.Value
			}
		}
		return true
	})
}

func constantsWritten(decl *ast.GenDecl, written map[token.Pos]string) {
	var values []ast.Expr // of the newest specification that has any
	for _, spec := range decl.Specs {
		spec, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		if len(spec.Values) > 0 {
			values = spec.Values
		}
		for i, id := range spec.Names {
			if i >= len(values) {
				break
			}
			text := types.ExprString(values[i])
			if len(text) > writtenBytes {
				text = strings.ToValidUTF8(text[:writtenBytes], "") + "…"
			}
			written[id.Pos()] = text
		}
	}
}

// fieldNames are the names that a field is declared by; that of an embedded field is in its type.
func fieldNames(f *ast.Field) []*ast.Ident {
	if len(f.Names) > 0 {
		return f.Names
	}
	if id := syntax.EmbeddedName(f.Type); id != nil {
		return []*ast.Ident{id}
	}
	return nil
}
