package conf

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// A File is what one text says.
type File struct {
	Statements []Statement // one for each line that is not empty
	Tokens     []lsp.Token
	Problems   []lsp.Diagnostic
}

// A Statement is a line: an include, a declaration, or only a comment.
type Statement struct {
	Line    lsp.Span // without the end of the line
	Keyword string   // "include", "let" or "def"; "" for a comment alone
	Name    Name     // what is declared; the path of an include, without its quotes
	Params  []Name   // of a def
	Body    Expr     // of a let or a def
	Comment string   // with its #; "" if there is none
	Doc     string   // the comments above and behind
}

// A Name is a word at its place.
type Name struct {
	Text string
	Span lsp.Span
}

// An Expr is an expression.
type Expr struct {
	Kind string // "number", "string", "name", "call", "(" or an operator
	Text string // of a call the name of what is called
	Span lsp.Span
	Name lsp.Span // of Text
	Args []Expr   // of an operator the two sides
}

var (
	tokenTypes = []string{"keyword", "function", "variable", "number", "string", "comment"}
	keywords   = []string{"include", "let", "def"}
)

// parse reads a text. A line that cannot be understood is a problem; those after it are read.
func parse(text string) (f File) {
	doc := ""
	for start := 0; start < len(text); {
		line, _, _ := strings.Cut(text[start:], "\n")
		p := parser{text: text[:start+len(strings.TrimSuffix(line, "\r"))], at: start, file: &f}
		if p.next(); p.kind != "end" || p.comment != "" {
			s := p.statement()
			if doc += strings.TrimLeft(s.Comment, "# ") + "\n"; s.Keyword != "" {
				s.Doc, doc = strings.TrimSpace(doc), ""
			}
			f.Statements = append(f.Statements, s)
		}
		start += len(line) + 1
	}
	return f
}

// A parser reads one line. The word at hand is text[from:at].
type parser struct {
	text     string // up to the end of the line
	from, at int
	kind     string // of the word: "name", "number", "string", a character, or "end"; "": none is
	comment  string
	failed   bool
	file     *File
}

func (p *parser) word() string   { return p.text[p.from:p.at] }
func (p *parser) span() lsp.Span { return lsp.Span{Start: p.from, End: p.at} }

// wordForm is a word behind white space: a comment, a name, a number, a string or a character.
var wordForm = regexp.MustCompile(`^[ \t]*(?:(#.*)|([A-Za-z_]\w*)|(\d+)|("[^"]*"?)|(.))?`)

// next reads the next word.
func (p *parser) next() {
	first := p.kind == ""
	m := wordForm.FindStringSubmatchIndex(p.text[p.at:])
	kind := ""
	for i, k := range []string{"comment", "variable", "number", "string", "character"} {
		if at := m[2*i+2]; at >= 0 {
			kind, p.from = k, p.at+at
		}
	}
	p.at += m[1]
	switch p.kind = kind; kind {
	case "":
		p.kind, p.from = "end", p.at
		return
	case "character":
		p.kind = p.word()
		return
	case "comment":
		p.kind, p.comment = "end", strings.TrimRight(p.word(), " \t")
	case "variable":
		p.kind = "name"
		if first && slices.Contains(keywords, p.word()) {
			kind = "keyword"
		} else if strings.HasPrefix(p.text[p.at:], "(") {
			kind = "function"
		}
	case "string":
		if p.at == p.from+1 || p.text[p.at-1] != '"' {
			p.fail("the string does not end")
		}
	}
	p.file.Tokens = append(p.file.Tokens, lsp.Token{Span: p.span(), Type: uint8(slices.Index(tokenTypes, kind))})
}

// fail notes the first problem of the line, at the word at hand.
func (p *parser) fail(format string, args ...any) {
	if !p.failed {
		p.file.Problems = append(p.file.Problems, wrong(p.span(), "syntax", format, args...))
	}
	p.failed = true
}

func wrong(at lsp.Span, source, format string, args ...any) lsp.Diagnostic {
	return lsp.Diagnostic{Span: at, Severity: lsp.SeverityError, Source: source, Message: fmt.Sprintf(format, args...)}
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
		kind := p.kind
		p.next()
		right := side()
		left = Expr{Kind: kind, Span: lsp.Span{Start: left.Span.Start, End: right.Span.End}, Args: []Expr{left, right}}
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
