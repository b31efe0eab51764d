package describe

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/runenames"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
)

// ofConstant says what the value of a constant expression is that does not show it: of a literal in
// another base than ten the decimal and the character that it may stand for, of an escape in a
// literal the character, of any other expression the value.
func ofConstant(v *check.View, x ast.Expr, tv types.TypeAndValue, at int) *lsp.Hover {
	lit, ok := x.(*ast.BasicLit)
	if !ok {
		return said(v.File.Span(x.Pos(), x.End()), tv.Value.String())
	}
	whole := v.File.Span(lit.Pos(), lit.End())
	switch written := string(v.File.Text[whole.Start:whole.End]); lit.Kind {
	case token.CHAR:
		if len(written) > 2 {
			if r, _, rest, err := strconv.UnquoteChar(written[1:], '\''); err == nil && rest == "'" && r != utf8.RuneError {
				return said(whole, character(r))
			}
		}
	case token.INT:
		return ofInteger(whole, written)
	case token.STRING:
		return ofEscape(whole, written, at)
	}
	return nil
}

// ofInteger describes an integer literal whose base is not ten.
func ofInteger(at lsp.Span, written string) *lsp.Hover {
	if len(written) < 3 || written[0] != '0' || !strings.ContainsAny(written[1:2], "xXoObB") {
		return nil
	}
	value := constant.MakeFromLiteral(written, token.INT, 0)
	if value.Kind() != constant.Int {
		return nil
	}
	told := value.ExactString()
	if r, ok := constant.Int64Val(value); ok && strings.ContainsAny(written[1:2], "xX") && 0 < r && r <= utf8.MaxRune && utf8.ValidRune(rune(r)) {
		told += ", " + character(rune(r))
	}
	return said(at, told)
}

// ofEscape describes the escape of a string literal that an offset lies in.
func ofEscape(at lsp.Span, written string, offset int) *lsp.Hover {
	if written == "" || written[0] != '"' {
		return nil
	}
	for pos := 1; pos < len(written)-1; {
		r, _, rest, err := strconv.UnquoteChar(written[pos:], '"')
		if err != nil {
			return nil
		}
		next := len(written) - len(rest)
		if span := (lsp.Span{Start: at.Start + pos, End: at.Start + next}); span.Start <= offset && offset < span.End {
			if written[pos] != '\\' {
				return nil
			}
			return said(span, character(r))
		}
		pos = next
	}
	return nil
}

// character is a character with its number and its name.
func character(r rune) string {
	name := runenames.Name(r)
	if strings.HasPrefix(name, "<") { // not to be read as markup
		name = strings.TrimSuffix(name[1:], ">")
	}
	told := fmt.Sprintf("U+%04X, %s", r, name)
	if strconv.IsPrint(r) {
		told = fmt.Sprintf("'%c', ", r) + told
	}
	return told
}

// said is a description that is one line of text.
func said(at lsp.Span, line string) *lsp.Hover {
	return &lsp.Hover{Span: at, Language: "go", Doc: line, DocMarkdown: markdown(line)}
}
