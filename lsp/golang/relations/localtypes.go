package relations

import (
	"bytes"
	"go/ast"
	"go/token"
	"slices"

	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// bodiesWithTypes are the bodies of functions in which a type may be declared: those in which the
// keyword stands, outside of comments. To find the word in a text takes far less than to walk the
// bodies. Where the syntax is broken, declarations need not be in order, and all bodies are given.
func bodiesWithTypes(t *syntax.Tree) (list []*ast.BlockStmt) {
	decls := t.AST.Decls
	if len(t.Errors) > 0 {
		for _, d := range decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				list = append(list, fn.Body)
			}
		}
		return list
	}
	word := []byte(token.TYPE.String())
	at := func(pos token.Pos) int { return int(pos) - t.Pos.Base() }
	for from := 0; ; {
		found := bytes.Index(t.Source[from:], word)
		if found < 0 {
			return list
		}
		start := from + found
		from = start + len(word)
		if start > 0 && isLetter(t.Source[start-1]) || from < len(t.Source) && isLetter(t.Source[from]) {
			continue
		}
		// The first declaration that ends behind the word is the one that it stands in, if any is.
		i, _ := slices.BinarySearchFunc(decls, from, func(d ast.Decl, end int) int { return at(d.End()) - end })
		if i == len(decls) {
			return list
		}
		fn, ok := decls[i].(*ast.FuncDecl)
		switch {
		case !ok || fn.Body == nil:
			from = at(decls[i].End())
		case start <= at(fn.Body.Lbrace):
			// It stands before the body.
		default:
			c, _ := slices.BinarySearchFunc(t.AST.Comments, from, func(g *ast.CommentGroup, end int) int { return at(g.End()) - end })
			if c < len(t.AST.Comments) && at(t.AST.Comments[c].Pos()) <= start {
				from = at(t.AST.Comments[c].End())
				continue
			}
			if bytes.HasPrefix(t.Source[from:], []byte(")")) {
				continue // of a type switch
			}
			list = append(list, fn.Body)
			from = at(fn.Body.Rbrace)
		}
	}
}

func isLetter(c byte) bool {
	return c == '_' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
