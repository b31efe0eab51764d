package check

import (
	"go/ast"
	"go/types"
)

// DecodeWorld is what a check imports from.
func DecodeWorld(imports []Import) (types.Importer, error) { return decodeWorld(imports) }

// BodiesOf is how many bodies of a file have been typed.
func BodiesOf(v *View, uri string) (n int) {
	for _, d := range fileOf(v.Files, uri).AST.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			if _, had := v.had[fn]; had {
				n++
			}
		}
	}
	return n
}
