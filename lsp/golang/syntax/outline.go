package syntax

import (
	"go/ast"
	"go/token"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// detailBytes bounds the detail of a symbol: an outline is read in a narrow column.
const detailBytes = 160

// Outline lists the declarations of a file in source order. Methods stand at the top level under
// the name of their receiver, as (*T).M, since they need not be near their type.
func Outline(t *Tree) []lsp.Symbol {
	if t.Unfit {
		return nil
	}
	var out []lsp.Symbol
	for _, decl := range t.AST.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if s, ok := funcSymbol(t, decl); ok {
				out = append(out, s)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				span := t.Span(spec.Pos(), spec.End())
				if len(decl.Specs) == 1 && !decl.Lparen.IsValid() {
					span = t.Span(decl.Pos(), decl.End())
				}
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					out = append(out, typeSymbol(t, spec, span))
				case *ast.ValueSpec:
					out = append(out, valueSymbols(t, decl.Tok, spec, span)...)
				}
			}
		}
	}
	return out
}

// funcSymbol is none of a function whose name is blank, which nothing can refer to.
func funcSymbol(t *Tree, decl *ast.FuncDecl) (lsp.Symbol, bool) {
	if decl.Name.Name == "_" {
		return lsp.Symbol{}, false
	}
	s := lsp.Symbol{
		Name:     decl.Name.Name,
		Kind:     lsp.KindFunction,
		Span:     t.Span(decl.Pos(), decl.End()),
		NameSpan: t.Span(decl.Name.Pos(), decl.Name.End()),
		Detail:   "func" + detail(t, SignatureStart(decl.Type), decl.Type.End()),
	}
	if decl.Recv != nil && len(decl.Recv.List) > 0 {
		s.Kind = lsp.KindMethod
		s.Name = "(" + receiverName(t, decl.Recv.List[0].Type) + ")." + s.Name
	}
	return s, true
}

// SignatureStart is where the type parameters, or without any the parameters, of a function begin.
func SignatureStart(typ *ast.FuncType) token.Pos {
	if typ.TypeParams != nil && typ.TypeParams.Opening.IsValid() {
		return typ.TypeParams.Opening
	}
	return typ.Params.Pos()
}

// receiverName is T or *T, with the names of type parameters in brackets.
func receiverName(t *Tree, typ ast.Expr) string {
	switch typ := typ.(type) {
	case *ast.Ident:
		return typ.Name
	case *ast.StarExpr:
		return "*" + receiverName(t, typ.X)
	case *ast.ParenExpr:
		return receiverName(t, typ.X)
	case *ast.IndexExpr:
		return receiverName(t, typ.X) + "[" + detail(t, typ.Index.Pos(), typ.Index.End()) + "]"
	case *ast.IndexListExpr:
		if len(typ.Indices) == 0 {
			return receiverName(t, typ.X)
		}
		last := typ.Indices[len(typ.Indices)-1]
		return receiverName(t, typ.X) + "[" + detail(t, typ.Indices[0].Pos(), last.End()) + "]"
	case *ast.SelectorExpr:
		return receiverName(t, typ.X) + "." + typ.Sel.Name
	}
	return "?"
}

func typeSymbol(t *Tree, spec *ast.TypeSpec, span lsp.Span) lsp.Symbol {
	s := lsp.Symbol{
		Name:     spec.Name.Name,
		Kind:     lsp.KindClass,
		Span:     span,
		NameSpan: t.Span(spec.Name.Pos(), spec.Name.End()),
	}
	if spec.Type != nil {
		s.Kind, s.Detail, s.Children = typeDetail(t, spec.Type)
	}
	return s
}

// typeDetail is the kind that a type gives to its name, its text, and what is declared in it. The
// text of a struct or an interface is abbreviated, as its children tell the rest.
func typeDetail(t *Tree, typ ast.Expr) (lsp.SymbolKind, string, []lsp.Symbol) {
	switch typ := typ.(type) {
	case *ast.StructType:
		children := fieldSymbols(t, typ.Fields, lsp.KindField)
		return lsp.KindStruct, braced("struct", children), children
	case *ast.InterfaceType:
		children := fieldSymbols(t, typ.Methods, lsp.KindMethod)
		return lsp.KindInterface, braced("interface", children), children
	case *ast.FuncType:
		text := detail(t, typ.Pos(), typ.End())
		if !typ.Func.IsValid() { // of a method of an interface
			text = "func" + text
		}
		return lsp.KindFunction, text, nil
	}
	return lsp.KindClass, detail(t, typ.Pos(), typ.End()), nil
}

func braced(keyword string, children []lsp.Symbol) string {
	if len(children) == 0 {
		return keyword + "{}"
	}
	return keyword + "{...}"
}

// fieldSymbols lists the fields of a struct or the methods of an interface. What is embedded goes
// by the name of its type, and a constraint that has none by its text.
func fieldSymbols(t *Tree, fields *ast.FieldList, kind lsp.SymbolKind) []lsp.Symbol {
	if fields == nil {
		return nil
	}
	var out []lsp.Symbol
	for _, f := range fields.List {
		if f.Type == nil {
			continue // of a file that is broken there
		}
		_, text, children := typeDetail(t, f.Type)
		for _, name := range f.Names {
			out = append(out, lsp.Symbol{
				Name: name.Name, Kind: kind, Detail: text, Children: children,
				Span: t.Span(f.Pos(), f.End()), NameSpan: t.Span(name.Pos(), name.End()),
			})
		}
		if len(f.Names) > 0 {
			continue
		}
		span := t.Span(f.Type.Pos(), f.Type.End())
		s := lsp.Symbol{Name: text, Kind: lsp.KindField, Children: children, Span: span, NameSpan: span}
		if name := EmbeddedName(f.Type); name != nil {
			s.Name, s.Detail, s.NameSpan = name.Name, text, t.Span(name.Pos(), name.End())
		}
		if s.Name != "" {
			out = append(out, s)
		}
	}
	return out
}

// EmbeddedName is the identifier that an embedded type is known by, or nil for a union or another
// constraint.
func EmbeddedName(typ ast.Expr) *ast.Ident {
	switch typ := typ.(type) {
	case *ast.Ident:
		return typ
	case *ast.StarExpr:
		return EmbeddedName(typ.X)
	case *ast.ParenExpr:
		return EmbeddedName(typ.X)
	case *ast.SelectorExpr:
		return typ.Sel
	case *ast.IndexExpr:
		return EmbeddedName(typ.X)
	case *ast.IndexListExpr:
		return EmbeddedName(typ.X)
	}
	return nil
}

func valueSymbols(t *Tree, tok token.Token, spec *ast.ValueSpec, span lsp.Span) []lsp.Symbol {
	kind := lsp.KindVariable
	if tok == token.CONST {
		kind = lsp.KindConstant
	}
	var out []lsp.Symbol
	for _, name := range spec.Names {
		if name.Name == "_" {
			continue
		}
		s := lsp.Symbol{Name: name.Name, Kind: kind, Span: span, NameSpan: t.Span(name.Pos(), name.End())}
		if spec.Type != nil {
			_, s.Detail, s.Children = typeDetail(t, spec.Type)
		}
		out = append(out, s)
	}
	return out
}

// bracesClosed writes a struct or an interface within a line as short as it can be.
var bracesClosed = strings.NewReplacer("{ ", "{", " }", "}")

// detail is source text on one line.
func detail(t *Tree, start, end token.Pos) string {
	s := t.Span(start, end)
	text := t.Text[s.Start:s.End]
	if len(text) > 4*detailBytes {
		text = text[:4*detailBytes]
	}
	line := strings.Join(strings.Fields(strings.ToValidUTF8(string(text), "")), " ")
	line = bracesClosed.Replace(line)
	if len(line) <= detailBytes {
		return line
	}
	cut := detailBytes
	for cut > 0 && line[cut]&0xc0 == 0x80 {
		cut-- // not in the middle of a character
	}
	return line[:cut] + "…"
}

// IsTypeKind reports whether declarations of a kind are those of types.
func IsTypeKind(k lsp.SymbolKind) bool {
	return k == lsp.KindStruct || k == lsp.KindInterface || k == lsp.KindClass
}
