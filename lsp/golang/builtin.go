package golang

import (
	"go/ast"
	"go/token"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// isSyntaxOnly reports whether a package documents the language itself. Its declarations are not Go that could be checked: they
// are indexed as written, under the names by which nameOf calls the objects of the universe and of package unsafe.
func isSyntaxOnly(p *pkgMeta) bool {
	return p.Standard && (p.Path == builtinPackage || p.Path == "unsafe")
}

// syntaxIndex is the index of a package that is only documentation.
func syntaxIndex(p *pkgMeta, trees []*tree) []byte {
	var decls []declaration
	files := make([]indexFile, len(trees))
	declare := func(file int, id *ast.Ident, kind lsp.SymbolKind, path, text string, docs ...*ast.CommentGroup) {
		t := trees[file]
		if id.Name == "_" {
			return
		}
		d := declaration{
			file: file, name: id.Name, span: t.span(id.Pos(), id.End()), kind: kind, path: path, signature: text,
		}
		for _, doc := range docs {
			if doc != nil {
				d.doc = t.span(doc.Pos(), doc.End())
				break
			}
		}
		files[file].occurrences = append(files[file].occurrences, occurrence{span: d.span, target: len(decls), decl: true})
		decls = append(decls, d)
	}
	home := packageHome(trees)
	for i, t := range trees {
		files[i].uri = t.uri
		if t == home {
			declare(i, t.file.Name, lsp.KindPackage, packagePath, "package "+t.file.Name.Name, t.file.Doc)
		}
		for _, decl := range t.file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Recv == nil {
					text := "func " + decl.Name.Name + sourceText(t, signatureStart(decl.Type), decl.Type.End())
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
	return writeIndex(files, decls, nil)
}

// sourceText is a piece of source as written, comments apart from which it consists of few lines.
func sourceText(t *tree, start, end token.Pos) string {
	s := t.span(start, end)
	return strings.ToValidUTF8(string(t.text[s.Start:s.End]), "")
}
