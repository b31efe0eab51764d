package syntax

import (
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// typeTextBytes bounds the text of a type's declaration.
const typeTextBytes = 4 << 10

// IsTypeKind reports whether declarations of a kind are those of types.
func IsTypeKind(k lsp.SymbolKind) bool {
	return k == lsp.KindStruct || k == lsp.KindInterface || k == lsp.KindClass
}

// TypeText is the declaration of the type whose name lies at a span, with the comments in it, if
// its author wrote it over several lines; otherwise it is empty, and the signature reads as well.
func TypeText(text []byte, name lsp.Span) string {
	fset := token.NewFileSet()
	file, _ := parser.ParseFile(fset, "", text, parser.ParseComments|parser.SkipObjectResolution)
	if file == nil {
		return ""
	}
	at := token.Pos(fset.File(file.FileStart).Base() + name.Start)
	var found *ast.TypeSpec
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.Pos() == at {
			found = spec
		}
		return found == nil && n != nil && n.Pos() <= at && at < n.End() || n == file
	})
	if found == nil || fset.Position(found.Pos()).Line == fset.Position(found.End()).Line {
		return ""
	}
	spec := *found
	spec.Doc, spec.Comment = nil, nil
	var b strings.Builder
	b.WriteString("type ")
	config := printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 8}
	if err := config.Fprint(&b, fset, &printer.CommentedNode{Node: &spec, Comments: file.Comments}); err != nil {
		return ""
	}
	out := strings.ToValidUTF8(b.String(), "\uFFFD")
	if len(out) <= typeTextBytes {
		return out
	}
	cut := strings.LastIndexByte(out[:typeTextBytes], '\n')
	return out[:max(cut, 0)] + "\n\t…\n}"
}
