package syntax

import (
	"go/ast"
	"go/scanner"
	"go/token"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// DocText is the text of the comments in a span of a file, without comment markers and directives,
// as go doc shows it.
func DocText(text []byte, span lsp.Span) string {
	if span.Start < 0 || span.End > len(text) || span.Start >= span.End {
		return ""
	}
	part := text[span.Start:span.End]
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile("", -1, len(part)), part, func(token.Position, string) {}, scanner.ScanComments)
	var group ast.CommentGroup
	for {
		_, tok, lit := s.Scan()
		switch tok {
		case token.EOF:
			return strings.ToValidUTF8(strings.TrimSpace(group.Text()), "\uFFFD")
		case token.COMMENT:
			group.List = append(group.List, &ast.Comment{Text: lit})
		}
	}
}
