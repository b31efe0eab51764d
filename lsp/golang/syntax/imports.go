package syntax

import (
	"go/ast"
	"strconv"

	"github.com/cytisus/cytisus/lsp"
)

// ImportPath is the path that an import names; "" if it is malformed.
func ImportPath(spec *ast.ImportSpec) string {
	if spec.Path == nil {
		return ""
	}
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return ""
	}
	return path
}

// ImportAround is the place of the import, with its name if it has one, around an offset; it is
// empty if there is none. The go command tells of an import where its name stands.
func ImportAround(uri string, text []byte, offset int) lsp.Span {
	t := Trees.Get(uri, text)
	for _, spec := range t.AST.Imports {
		if s := t.Span(spec.Pos(), spec.End()); s.Start <= offset && offset < s.End {
			return s
		}
	}
	return lsp.Span{}
}

// ImportOf is the place of the path in an import of a file.
func ImportOf(uri string, text []byte, path string) (lsp.Span, bool) {
	t := Trees.Get(uri, text)
	for _, spec := range t.AST.Imports {
		if path != "" && ImportPath(spec) == path {
			return t.Span(spec.Path.Pos(), spec.Path.End()), true
		}
	}
	return lsp.Span{}, false
}
