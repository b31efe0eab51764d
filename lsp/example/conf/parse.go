package conf

import (
	"fmt"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// A File is what one text says.
type File struct {
	Statements []Statement // one for each line that is not empty
	Problems   []Problem
}

// A Statement is a line: an include, a declaration, or only a comment.
type Statement struct {
	Line    lsp.Span // without the end of the line
	Keyword string   // "include", "let" or "def"; "" for a comment alone
	Name    Name     // what is declared; the path of an include, without its quotes
	Params  []Name   // of a def
	Body    Expr     // of a let or a def
	Comment string   // with its #; "" if there is none
}

// A Name is a word at its place.
type Name struct {
	Text string
	Span lsp.Span
}

// An Expr is an expression. Its Kind is "number", "string", "name", "call" (Text is the name of
// what is called, with its place in Name), "(" or an operator, of which the two Args are the
// sides.
type Expr struct {
	Kind string
	Text string
	Span lsp.Span
	Name lsp.Span
	Args []Expr
}

// A Problem is something wrong at a place.
type Problem struct {
	Span    lsp.Span
	Message string
}

// parse reads a text. What cannot be understood of a line is a problem; the lines after it are
// read.
func parse(text string) (f File) {
	for start := 0; start < len(text); {
		line, _, _ := strings.Cut(text[start:], "\n")
		p := parser{text: text[:start+len(strings.TrimSuffix(line, "\r"))], at: start, file: &f}
		if p.next(); p.kind != "end" || p.comment != "" {
			f.Statements = append(f.Statements, p.statement())
		}
		start += len(line) + 1
	}
	return f
}

// A parser reads one line. The word at hand is text[from:at].
type parser struct {
	text     string // up to the end of the line
	from, at int
	kind     string // of the word: "name", "number", "string", a character, or "end"
	comment  string
	failed   bool
	file     *File
}

func (p *parser) word() string   { return p.text[p.from:p.at] }
func (p *parser) span() lsp.Span { return lsp.Span{Start: p.from, End: p.at} }
func isLetter(c byte) bool       { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool        { return '0' <= c && c <= '9' }

// next reads the next word.
func (p *parser) next() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
	p.from = p.at
	take := func(fits func(byte) bool) {
		for p.at < len(p.text) && fits(p.text[p.at]) {
			p.at++
		}
	}
	switch {
	case p.at == len(p.text):
		p.kind = "end"
	case p.text[p.at] == '#':
		p.kind, p.comment = "end", strings.TrimRight(p.text[p.at:], " \t")
	case isLetter(p.text[p.at]):
		p.kind = "name"
		take(func(c byte) bool { return isLetter(c) || isDigit(c) })
	case isDigit(p.text[p.at]):
		p.kind = "number"
		take(isDigit)
	case p.text[p.at] == '"':
		p.kind = "string"
		p.at++
		take(func(c byte) bool { return c != '"' })
		if p.at == len(p.text) {
			p.fail("the string does not end")
			return
		}
		p.at++
	default:
		p.at++
		p.kind = p.word()
	}
}

// fail notes the first problem of the line, at the word at hand.
func (p *parser) fail(format string, args ...any) {
	if !p.failed {
		p.file.Problems = append(p.file.Problems, Problem{p.span(), fmt.Sprintf(format, args...)})
	}
	p.failed = true
}

// expect reads a word of a kind.
func (p *parser) expect(kind, what string) (n Name) {
	if p.kind != kind {
		p.fail("%s is expected here", what)
		return Name{Span: p.span()}
	}
	n = Name{p.word(), p.span()}
	p.next()
	return n
}

func (p *parser) statement() (s Statement) {
	s.Line = lsp.Span{Start: p.from, End: len(p.text)}
	if p.kind != "end" {
		switch s.Keyword = p.word(); s.Keyword {
		case "include":
			p.next()
			s.Name = p.expect("string", "the path of a file, in quotes,")
			if len(s.Name.Text) >= 2 {
				s.Name.Text = s.Name.Text[1 : len(s.Name.Text)-1]
				s.Name.Span.Start, s.Name.Span.End = s.Name.Span.Start+1, s.Name.Span.End-1
			}
		case "let", "def":
			p.next()
			s.Name = p.expect("name", "a name")
			if s.Keyword == "def" {
				p.expect("(", "(")
				for p.kind != ")" && !p.failed {
					if s.Params = append(s.Params, p.expect("name", "the name of a parameter")); p.kind != ")" {
						p.expect(",", ", or )")
					}
				}
				p.expect(")", ")")
			}
			p.expect("=", "=")
			s.Body = p.sum()
		default:
			p.fail("a line begins with include, let or def")
		}
		if p.kind != "end" {
			p.fail("the line should end here")
		}
	}
	for p.kind != "end" { // the comment behind what was not understood
		p.next()
	}
	s.Comment = p.comment
	return s
}

func (p *parser) sum() Expr     { return p.binary("+-", p.product) }
func (p *parser) product() Expr { return p.binary("*/", p.operand) }

func (p *parser) binary(operators string, side func() Expr) Expr {
	left := side()
	for len(p.kind) == 1 && strings.Contains(operators, p.kind) && !p.failed {
		e := Expr{Kind: p.kind}
		p.next()
		e.Args = []Expr{left, side()}
		e.Span = lsp.Span{Start: left.Span.Start, End: e.Args[1].Span.End}
		left = e
	}
	return left
}

func (p *parser) operand() Expr {
	e := Expr{Kind: p.kind, Text: p.word(), Span: p.span(), Name: p.span()}
	switch p.kind {
	case "number", "string":
		p.next()
	case "name":
		if p.next(); p.kind == "(" {
			e.Kind = "call"
			p.next()
			for p.kind != ")" && !p.failed {
				if e.Args = append(e.Args, p.sum()); p.kind != ")" {
					p.expect(",", ", or )")
				}
			}
			e.Span.End = p.at
			p.expect(")", ")")
		}
	case "(":
		p.next()
		e.Args = []Expr{p.sum()}
		e.Span.End = p.at
		p.expect(")", ")")
	default:
		p.fail("a value is expected here")
	}
	return e
}

// walk calls fn with an expression and all in it.
func (e *Expr) walk(fn func(e *Expr)) {
	fn(e)
	for i := range e.Args {
		e.Args[i].walk(fn)
	}
}
