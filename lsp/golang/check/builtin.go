package check

import (
	"go/ast"
	"go/token"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// syntaxIndex is the index of a package that is only documentation.
func syntaxIndex(p *metadata.Package, trees []*syntax.Tree) (data []byte, symbols int) {
	var decls []index.Declaration
	occurrences := make([][]index.Occurrence, len(trees))
	declare := func(file int, id *ast.Ident, kind lsp.SymbolKind, path, text string, docs ...*ast.CommentGroup) {
		t := trees[file]
		if id.Name == "_" {
			return
		}
		d := index.Declaration{
			File: file, Name: id.Name, Span: t.Span(id.Pos(), id.End()), Kind: kind, Path: path, Signature: text,
		}
		for _, doc := range docs {
			if doc != nil {
				d.Doc = t.Span(doc.Pos(), doc.End())
				break
			}
		}
		occurrences[file] = append(occurrences[file], index.Occurrence{Span: d.Span, Target: len(decls), Declares: true})
		decls = append(decls, d)
	}
	files := make([]index.File, len(trees))
	home := packageHome(trees)
	for i, t := range trees {
		files[i] = index.File{URI: t.URI, Occurrences: func() []index.Occurrence { return occurrences[i] }}
		if t == home {
			declare(i, t.AST.Name, lsp.KindPackage, index.PackagePath, "package "+t.AST.Name.Name, t.AST.Doc)
		}
		for _, decl := range t.AST.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Recv == nil {
					text := "func " + decl.Name.Name + sourceText(t, syntax.SignatureStart(decl.Type), decl.Type.End())
					declare(i, decl.Name, lsp.KindFunction, decl.Name.Name, text, decl.Doc)
				}
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						declare(i, spec.Name, lsp.KindClass, spec.Name.Name, "type "+sourceText(t, spec.Pos(), spec.End()), spec.Doc, decl.Doc)
						if iface, ok := spec.Type.(*ast.InterfaceType); ok {
							for _, m := range iface.Methods.List {
								for _, id := range m.Names {
									text := "func (" + spec.Name.Name + ")." + id.Name + sourceText(t, m.Type.Pos(), m.Type.End())
									declare(i, id, lsp.KindMethod, spec.Name.Name+"."+id.Name, text, m.Doc, m.Comment)
								}
							}
						}
					case *ast.ValueSpec:
						kind := lsp.KindVariable
						if decl.Tok == token.CONST {
							kind = lsp.KindConstant
						}
						for _, id := range spec.Names {
							text := decl.Tok.String() + " " + sourceText(t, spec.Pos(), spec.End())
							declare(i, id, kind, id.Name, text, spec.Doc, spec.Comment, decl.Doc)
						}
					}
				}
			}
		}
	}
	return index.Write(files, decls, nil), symbolsOf(decls)
}

// sourceText is a piece of source as written, comments apart from which it consists of few lines.
func sourceText(t *syntax.Tree, start, end token.Pos) string {
	s := t.Span(start, end)
	return strings.ToValidUTF8(string(t.Text[s.Start:s.End]), "")
}
