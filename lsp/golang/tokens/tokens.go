package tokens

import (
	"bytes"
	"go/scanner"
	"go/token"
	"regexp"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// Of lists the tokens of a view's file that touch a span.
func Of(v *check.View, within lsp.Span) []lsp.Token {
	return list(v.File, v, within)
}

// Plain lists the tokens of a file that touch a span, as far as its syntax tells.
func Plain(t *syntax.Tree, within lsp.Span) []lsp.Token {
	return list(t, nil, within)
}

// A lister makes the tokens of a part of a file.
type lister struct {
	tree   *syntax.Tree
	view   *check.View // nil: nothing is known of types
	within lsp.Span
	out    []lsp.Token
}

func list(t *syntax.Tree, v *check.View, within lsp.Span) []lsp.Token {
	l := &lister{tree: t, view: v, within: within}
	if t.Unfit {
		return nil
	}
	names := namesOf(t, v, within)
	var s scanner.Scanner
	file := token.NewFileSet().AddFile(t.URI, -1, len(t.Text))
	s.Init(file, t.Text, func(token.Position, string) {}, scanner.ScanComments)
	afterPackage := false
	for {
		pos, tok, lit := s.Scan()
		start := file.Offset(pos)
		if tok == token.EOF || start >= within.End {
			return l.out
		}
		switch {
		case tok == token.COMMENT:
			l.comment(start, lit)
		case tok == token.IDENT:
			for len(names) > 0 && names[0].start < start {
				names = names[1:]
			}
			switch {
			case afterPackage:
				l.add(start, start+len(lit), namespace, 0)
			case len(names) > 0 && names[0].start == start && names[0].known:
				l.add(start, start+len(lit), names[0].kind, names[0].modifiers)
			}
		case tok == token.STRING || tok == token.CHAR:
			for len(names) > 0 && names[0].start < start {
				names = names[1:]
			}
			end := literalEnd(t.Text, start, len(lit))
			kind := uint8(stringLiteral)
			if tok == token.CHAR {
				kind = number
			}
			at := start
			for len(names) > 0 && names[0].start == start { // parts with a meaning of their own
				l.add(at, names[0].from, kind, 0)
				l.add(names[0].from, names[0].to, names[0].kind, names[0].modifiers)
				at, names = names[0].to, names[1:]
			}
			l.add(at, end, kind, 0)
		case tok.IsLiteral():
			l.add(start, start+len(lit), number, 0)
		case tok.IsKeyword():
			l.add(start, start+len(tok.String()), keyword, 0)
		case isOperator(tok):
			l.add(start, start+len(tok.String()), operator, 0)
		}
		if tok != token.COMMENT {
			afterPackage = tok == token.PACKAGE
		}
	}
}

// isOperator leaves out what only separates.
func isOperator(tok token.Token) bool {
	switch tok {
	case token.LPAREN, token.LBRACK, token.LBRACE, token.COMMA, token.PERIOD, token.RPAREN, token.RBRACK, token.RBRACE, token.SEMICOLON, token.COLON:
		return false
	}
	return tok.IsOperator()
}

// literalEnd is where a literal ends of which the scanner has so many bytes: it drops carriage
// returns.
func literalEnd(text []byte, start, length int) int {
	if text[start] == '`' {
		if n := bytes.IndexByte(text[start+1:], '`'); n >= 0 {
			return start + 1 + n + 1
		}
	}
	return min(start+length, len(text))
}

func (l *lister) add(start, end int, kind uint8, modifiers uint32) {
	if start < end && start < l.within.End && end > l.within.Start {
		l.out = append(l.out, lsp.Token{Span: lsp.Span{Start: start, End: end}, Type: kind, Modifiers: modifiers})
	}
}

// directives are those comments that tell the go command or the compiler something.
var directives = map[string]bool{
	"noescape": true, "uintptrescapes": true, "noinline": true, "norace": true, "nosplit": true, "linkname": true,
	"build": true, "binary-only-package": true, "embed": true, "generate": true, "debug": true, "fix": true,
}

// docLink is what may be a link to a declaration: [F], [*T], [p.T.M].
var docLink = regexp.MustCompile(`\[\*?([\pL_][\pL_0-9]*(?:\.[\pL_][\pL_0-9]*){0,2})\]`)

func (l *lister) comment(start int, lit string) {
	end := start + len(lit)
	if strings.HasPrefix(lit, "/*") {
		if n := bytes.Index(l.tree.Text[start:], []byte("*/")); n >= 0 {
			end = start + n + len("*/")
		}
	}
	if start >= l.within.End || end <= l.within.Start {
		return
	}
	text := string(l.tree.Text[start:end])
	if rest, ok := strings.CutPrefix(text, "//go:"); ok {
		name, args, _ := strings.Cut(rest, " ")
		if directives[strings.TrimRight(name, "\r")] {
			l.add(start, start+len("//"), comment, 0)
			l.add(start+len("//"), start+len("//go:")+len(name), namespace, 0)
			l.add(end-len(args), end, comment, 0)
			return
		}
	}
	at := start
	if l.view != nil && strings.Contains(text, "[") {
		for _, m := range docLink.FindAllStringSubmatchIndex(text, -1) {
			if isURLDefinition(text[m[1]:]) {
				continue
			}
			from := start + m[2]
			parts := l.linked(text[m[2]:m[3]])
			if len(parts) == 0 {
				continue
			}
			l.add(at, from, comment, 0)
			for i, p := range parts {
				if i > 0 {
					l.add(from, from+1, comment, 0)
					from++
				}
				l.add(from, from+p.length, p.kind, p.modifiers)
				from += p.length
			}
			at = from
		}
	}
	l.add(at, end, comment, 0)
}

// isURLDefinition reports whether what follows a bracketed word makes it the name of an address.
func isURLDefinition(behind string) bool {
	rest, ok := strings.CutPrefix(behind, ":")
	if !ok {
		return false
	}
	line, _, _ := strings.Cut(rest, "\n")
	scheme, _, ok := strings.Cut(strings.TrimSpace(line), "://")
	return ok && scheme != "" && !strings.ContainsAny(scheme, " \t")
}
