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

func funcSymbol(t *Tree, decl *ast.FuncDecl) (lsp.Symbol, bool) {
	s := lsp.Symbol{
		Name:     decl.Name.Name,
		Kind:     lsp.KindFunction,
		Span:     t.Span(decl.Pos(), decl.End()),
		NameSpan: t.Span(decl.Name.Pos(), decl.Name.End()),
		Detail:   "func" + detail(t, SignatureStart(decl.Type), decl.Type.End()),
	}
	if decl.Recv != nil && len(decl.Recv.List) > 0 {
		s.Kind = lsp.KindMethod
		s.Name = "(" + receiverName(decl.Recv.List[0].Type) + ")." + s.Name
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

// receiverName is T or *T, without type parameters.
func receiverName(typ ast.Expr) string {
	switch typ := typ.(type) {
	case *ast.Ident:
		return typ.Name
	case *ast.StarExpr:
		return "*" + receiverName(typ.X)
	case *ast.ParenExpr:
		return receiverName(typ.X)
	case *ast.IndexExpr:
		return receiverName(typ.X)
	case *ast.IndexListExpr:
		return receiverName(typ.X)
	case *ast.SelectorExpr:
		return receiverName(typ.X) + "." + typ.Sel.Name
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
	switch typ := spec.Type.(type) {
	case *ast.StructType:
		s.Kind, s.Detail = lsp.KindStruct, "struct{…}"
		s.Children = fieldSymbols(t, typ.Fields, lsp.KindField)
	case *ast.InterfaceType:
		s.Kind, s.Detail = lsp.KindInterface, "interface{…}"
		s.Children = fieldSymbols(t, typ.Methods, lsp.KindMethod)
	case nil:
	default:
		s.Detail = detail(t, typ.Pos(), typ.End())
	}
	return s
}

// fieldSymbols lists the fields of a struct or the methods of an interface; what is embedded goes
// by the name of its type.
func fieldSymbols(t *Tree, fields *ast.FieldList, kind lsp.SymbolKind) []lsp.Symbol {
	if fields == nil {
		return nil
	}
	var out []lsp.Symbol
	for _, f := range fields.List {
		span := t.Span(f.Pos(), f.End())
		text := detail(t, f.Type.Pos(), f.Type.End())
		if _, ok := f.Type.(*ast.FuncType); ok && kind == lsp.KindMethod {
			text = "func" + text
		}
		var children []lsp.Symbol
		if typ, ok := f.Type.(*ast.StructType); ok {
			text, children = "struct{…}", fieldSymbols(t, typ.Fields, lsp.KindField)
		}
		for _, name := range f.Names {
			out = append(out, lsp.Symbol{
				Name: name.Name, Kind: kind, Detail: text, Children: children,
				Span: span, NameSpan: t.Span(name.Pos(), name.End()),
			})
		}
		if len(f.Names) > 0 {
			continue
		}
		if name := EmbeddedName(f.Type); name != nil {
			k := lsp.KindField
			if kind == lsp.KindMethod {
				k = lsp.KindInterface
			}
			out = append(out, lsp.Symbol{
				Name: name.Name, Kind: k, Detail: text,
				Span: span, NameSpan: t.Span(name.Pos(), name.End()),
			})
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
	for i, name := range spec.Names {
		if name.Name == "_" {
			continue
		}
		s := lsp.Symbol{Name: name.Name, Kind: kind, Span: span, NameSpan: t.Span(name.Pos(), name.End())}
		switch {
		case spec.Type != nil:
			s.Detail = detail(t, spec.Type.Pos(), spec.Type.End())
		case i < len(spec.Values) && tok == token.CONST:
			s.Detail = "= " + detail(t, spec.Values[i].Pos(), spec.Values[i].End())
		}
		out = append(out, s)
	}
	return out
}

// detail is source text on one line.
func detail(t *Tree, start, end token.Pos) string {
	s := t.Span(start, end)
	text := t.Text[s.Start:s.End]
	if len(text) > 4*detailBytes {
		text = text[:4*detailBytes]
	}
	line := strings.Join(strings.Fields(strings.ToValidUTF8(string(text), "")), " ")
	if len(line) <= detailBytes {
		return line
	}
	cut := detailBytes
	for cut > 0 && line[cut]&0xc0 == 0x80 {
		cut-- // not in the middle of a character
	}
	return line[:cut] + "…"
}
