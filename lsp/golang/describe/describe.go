package describe

import (
	"fmt"
	"go/ast"
	"go/types"
	goversion "go/version"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/flow"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// At describes what stands in a span of a view's file, which may be empty; nil if there is nothing
// to say.
func At(v *check.View, lib Library, span lsp.Span) (*lsp.Hover, error) {
	around := flow.Around(v.File, span)
	if len(around) == 0 {
		return nil, nil
	}
	if name := v.File.AST.Name; contains(v.File.Span(name.Pos(), name.End()), span) && name.Name != "_" {
		return clauseOf(v, lib)
	}
	t := &teller{View: v, lib: lib, around: around, as: qualifier(v.File, v.Package, v.Info)}
	for _, n := range around {
		if spec, ok := n.(*ast.ImportSpec); ok && spec.Path != nil {
			return t.imports(spec)
		}
	}
	last := around[len(around)-1]
	if star, ok := last.(*ast.StarExpr); ok && !selects(v, star, span) {
		if id, ok := star.X.(*ast.Ident); ok { // the star of a type is as good as its name
			last = id
			t.around = append(around[:len(around):len(around)], id)
		}
	}
	switch n := last.(type) {
	case *ast.ReturnStmt:
		return ofReturn(v, around), nil
	case *ast.CaseClause:
		if len(around) > 2 {
			if s, ok := around[len(around)-3].(*ast.TypeSwitchStmt); ok {
				return ofTypeCase(v, s, n), nil
			}
		}
	case *ast.Ident:
		return t.name(n)
	case ast.Expr:
		tv, ok := v.Info.Types[n]
		switch {
		case !ok || tv.Type == nil:
			return nil, nil
		case tv.Value != nil:
			return ofConstant(v, n, tv, span.Start), nil
		}
		return said(v.File.Span(n.Pos(), n.End()), types.TypeString(tv.Type, t.as)), nil
	}
	return nil, nil
}

// selects reports whether a selection is a pointer and its star, which is an expression of its own.
func selects(v *check.View, star *ast.StarExpr, span lsp.Span) bool {
	return v.Info.Types[star].IsValue() && v.File.Span(star.Pos(), star.End()) == span
}

func contains(outer, inner lsp.Span) bool {
	return outer.Start <= inner.Start && inner.End <= outer.End
}

// imports describes the package that an import brings in.
func (v *teller) imports(spec *ast.ImportSpec) (*lsp.Hover, error) {
	p, err := v.lib.Package(v.Meta, syntax.ImportPath(spec))
	if err != nil || p == nil {
		return nil, err
	}
	h := &lsp.Hover{Span: v.File.Span(spec.Path.Pos(), spec.Path.End()), Language: "go"}
	return h, packageDoc(v.lib, p, h)
}

// clauseOf describes the package that a file says it belongs to.
func clauseOf(v *check.View, lib Library) (*lsp.Hover, error) {
	name := v.File.AST.Name
	h := &lsp.Hover{Span: v.File.Span(name.Pos(), name.End()), Language: "go"}
	if err := packageDoc(lib, v.Meta, h); err != nil {
		return nil, err
	}
	h.Notes = append(h.Notes, " - Package path: "+v.Meta.Path)
	m, err := lib.Module(v.File.URI)
	if err != nil {
		return nil, err
	}
	if m.Path != "" {
		h.Notes = append(h.Notes, " - Module: "+m.Path)
	}
	if version := v.Info.FileVersions[v.File.AST]; version != "" {
		of := "Language version"
		if version != v.Package.GoVersion() {
			of += " (current file)"
		}
		h.Notes = append(h.Notes, fmt.Sprintf(" - %s: %s", of, goversion.Lang(version)))
	}
	return h, nil
}

// Builtin describes something that the language itself declares, by its declaration in the
// documentation of the language. Its path is its name, or error.Error.
func Builtin(lib Library, d Declared, path string) (*lsp.Hover, error) {
	return builtin(lib, d, path, &lsp.Hover{Language: "go"})
}

// standIns are types that the documentation of the language uses for several.
var standIns = strings.NewReplacer("ComplexType", "complex128", "FloatType", "float64", "IntegerType", "int")

func builtin(lib Library, d Declared, path string, h *lsp.Hover) (*lsp.Hover, error) {
	if path == "error.Error" {
		h.Signature = "func (error).Error() string"
		return h, nil
	}
	var decl ast.Node
	var doc *ast.CommentGroup
	for _, n := range flow.Path(d.Tree, d.Offset) {
		switch n := n.(type) {
		case *ast.GenDecl:
			bare := *n
			decl, doc, bare.Doc = &bare, n.Doc, nil
		case *ast.FuncDecl:
			bare := *n
			decl, doc, bare.Doc = &bare, n.Doc, nil
		}
	}
	if decl == nil {
		return nil, nil
	}
	h.Signature = standIns.Replace(source(d.Tree, decl))
	told, err := documentation(lib, d.Package, d.Tree, doc)
	h.Doc, h.DocMarkdown = told.plain, told.markdown
	page := d.Package.Path
	if page == metadata.Builtin {
		page = "builtin"
	}
	h.Reference = lsp.Reference{Name: path, URL: PackageSite + page + "#" + path}
	return h, err
}
