package syntax

import (
	"bytes"
	"go/ast"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// CommentSpan is where a comment stands. What the parser says of its end is wrong in a text with
// carriage returns, which it drops.
func (t *Tree) CommentSpan(c *ast.Comment) lsp.Span {
	s := t.Span(c.Pos(), c.End())
	if strings.HasPrefix(c.Text, "/*") {
		if n := bytes.Index(t.Text[s.Start:], []byte("*/")); n >= 0 {
			s.End = s.Start + n + len("*/")
		}
	}
	return s
}

// LiteralSpan is where a literal stands, in a text with carriage returns, too.
func (t *Tree) LiteralSpan(lit *ast.BasicLit) lsp.Span {
	s := t.Span(lit.Pos(), lit.End())
	if s.Start < len(t.Text) && t.Text[s.Start] == '`' {
		if n := bytes.IndexByte(t.Text[s.Start+1:], '`'); n >= 0 {
			s.End = s.Start + 1 + n + 1
		}
	}
	return s
}
