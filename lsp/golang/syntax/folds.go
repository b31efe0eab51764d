package syntax

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"

	"github.com/cytisus/cytisus/lsp"
)

// Folds lists what may be hidden in a file: what stands between brackets, in cases, in raw strings,
// and comments behind their first line. There is nothing in a file with syntax errors, whose
// brackets may not be what they seem.
func Folds(t *Tree) (folds []lsp.Fold) {
	if t.Unfit || len(t.Errors) > 0 {
		return nil
	}
	add := func(start, end token.Pos, kind lsp.FoldKind, closed bool) {
		if start.IsValid() && end.IsValid() && start < end {
			folds = append(folds, lsp.Fold{Span: t.Span(start, end), Kind: kind, Closed: closed})
		}
	}
	brackets := func(open, closing token.Pos) {
		if open.IsValid() && closing.IsValid() {
			add(open+1, closing, lsp.FoldCode, true)
		}
	}
	ast.Inspect(t.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			brackets(n.Lbrace, n.Rbrace)
		case *ast.CompositeLit:
			brackets(n.Lbrace, n.Rbrace)
		case *ast.CallExpr:
			brackets(n.Lparen, n.Rparen)
		case *ast.FieldList:
			brackets(n.Opening, n.Closing)
		case *ast.GenDecl:
			if n.Tok == token.IMPORT && n.Lparen.IsValid() {
				add(n.Lparen+1, n.Rparen, lsp.FoldImports, true)
			} else {
				brackets(n.Lparen, n.Rparen)
			}
		case *ast.CaseClause:
			add(n.Colon+1, n.End(), lsp.FoldCode, false)
		case *ast.CommClause:
			add(n.Colon+1, n.End(), lsp.FoldCode, false)
		case *ast.BasicLit:
			if n.Kind == token.STRING && n.Value[0] == '`' {
				folds = append(folds, lsp.Fold{Span: t.LiteralSpan(n)})
			}
		}
		return true
	})
	for _, group := range t.AST.Comments {
		span := lsp.Span{Start: t.Offset(group.Pos()), End: t.CommentSpan(group.List[len(group.List)-1]).End}
		if first := lineEnd(t.Text, span.Start); first < span.End {
			folds = append(folds, lsp.Fold{Span: lsp.Span{Start: first, End: span.End}, Kind: lsp.FoldComment})
		}
	}
	slices.SortStableFunc(folds, func(a, b lsp.Fold) int { return cmp.Or(a.Span.Start-b.Span.Start, b.Span.End-a.Span.End) })
	return folds
}

// lineEnd is where the line of an offset ends, before its newline.
func lineEnd(text []byte, at int) int {
	for at < len(text) && text[at] != '\n' && text[at] != '\r' {
		at++
	}
	return at
}
