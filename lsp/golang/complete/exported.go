package complete

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// ExportedBy lists what files of a package declare for others, from their syntax alone.
func ExportedBy(trees []*syntax.Tree) (list []Exported) {
	for _, t := range trees {
		text := func(n ast.Node) string {
			s := t.Span(n.Pos(), n.End())
			return strings.Join(strings.Fields(string(t.Text[s.Start:s.End])), " ")
		}
		add := func(id *ast.Ident, kind lsp.CompletionKind, detail string, params bool) {
			if id.IsExported() {
				list = append(list, Exported{Name: id.Name, Kind: kind, Detail: detail, Params: params})
			}
		}
		for _, d := range t.AST.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.IsExported() {
					s := t.Span(d.Type.Params.Pos(), d.Type.End())
					add(d.Name, lsp.CompletionFunction, "func"+string(t.Text[s.Start:s.End]), d.Type.Params.NumFields() > 0)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						switch s.Type.(type) {
						case *ast.StructType:
							add(s.Name, lsp.CompletionStruct, "struct{...}", false)
						case *ast.InterfaceType:
							add(s.Name, lsp.CompletionInterface, "interface{...}", false)
						default:
							add(s.Name, lsp.CompletionClass, text(s.Type), false)
						}
					case *ast.ValueSpec:
						kind, detail := lsp.CompletionVariable, ""
						if d.Tok == token.CONST {
							kind = lsp.CompletionConstant
						}
						if s.Type != nil {
							detail = text(s.Type)
						}
						for _, id := range s.Names {
							add(id, kind, detail, false)
						}
					}
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b Exported) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(list, func(a, b Exported) bool { return a.Name == b.Name })
}
