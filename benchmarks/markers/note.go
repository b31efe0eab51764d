package markers

import (
	"fmt"
	"go/scanner"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
	textscanner "text/scanner"
)

// A note is one marker as it is written.
type note struct {
	file   string // name in the archive
	offset int    // of its name in the file
	name   string
	args   []any // string, int64, float64, bool, nil, identifier or *regexp.Regexp
	named  map[string]any
}

// An identifier is an argument that is a bare name.
type identifier string

// notesOf finds the notes of a file. Files that are neither Go, assembly, go.mod nor go.work have
// none.
func notesOf(name, text string) (notes []*note, err error) {
	add := func(offset int, comment string) {
		if err != nil {
			return
		}
		at, body := bodyOf(comment)
		if body == "" {
			return
		}
		p := &noteParser{file: name, base: offset + at}
		p.scanner.Init(strings.NewReader(body))
		p.scanner.Mode = textscanner.GoTokens
		p.scanner.Whitespace ^= 1 << '\n' // ends of lines are tokens
		p.scanner.Error = func(s *textscanner.Scanner, message string) { p.fail("%s", message) }
		p.next()
		notes = append(notes, p.notes()...)
		err = p.err
	}
	switch path.Ext(name) {
	case ".go", ".s":
		fset := token.NewFileSet()
		file := fset.AddFile(name, -1, len(text))
		var s scanner.Scanner
		s.Init(file, []byte(text), nil, scanner.ScanComments)
		for {
			pos, tok, lit := s.Scan()
			if tok == token.EOF {
				return notes, err
			}
			if tok == token.COMMENT {
				add(file.Offset(pos), lit)
			}
		}
	case ".mod", ".work":
		offset := 0
		for line := range strings.Lines(text) {
			if at := strings.Index(line, "//"); at >= 0 {
				add(offset+at, strings.TrimRight(line[at:], "\r\n"))
			}
			offset += len(line)
		}
	}
	return notes, err
}

// bodyOf is the part of a comment that has notes, and its offset in the comment. Notes stand right
// behind the opening of the comment, or behind a second // within it.
func bodyOf(comment string) (offset int, body string) {
	if strings.HasPrefix(comment, "/*") {
		comment = strings.TrimSuffix(comment, "*/")
	}
	at := strings.IndexByte(comment, '@')
	if at < 2 {
		return 0, ""
	}
	if at > 2 && (at <= 4 || comment[at-2:at] != "//") {
		return 0, ""
	}
	return at + 1, comment[at+1:]
}

// A noteParser reads the notes of one comment.
type noteParser struct {
	file    string
	base    int // offset of the scanned text in the file
	scanner textscanner.Scanner
	tok     rune
	text    string // of tok
	at      int    // offset of tok in the file
	err     error
}

func (p *noteParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("%s, offset %d: %s", p.file, p.at, fmt.Sprintf(format, args...))
	}
}

func (p *noteParser) next() {
	p.tok = p.scanner.Scan()
	p.text = p.scanner.TokenText()
	p.at = p.base + p.scanner.Position.Offset
}

func (p *noteParser) skipLines() {
	for p.tok == '\n' {
		p.next()
	}
}

func (p *noteParser) notes() (notes []*note) {
	for p.skipLines(); p.tok != textscanner.EOF && p.err == nil; p.skipLines() {
		if p.tok != textscanner.Ident {
			p.fail("%q where a marker should be", p.text)
			return nil
		}
		n := &note{file: p.file, offset: p.at, name: p.text}
		p.next()
		if p.tok == '(' {
			p.next()
			p.arguments(n)
		}
		notes = append(notes, n)
		switch p.tok {
		case ',', '\n':
			p.next()
		case textscanner.EOF:
		default:
			p.fail("%q behind a marker", p.text)
		}
	}
	return notes
}

// arguments reads up to the closing parenthesis.
func (p *noteParser) arguments(n *note) {
	for p.skipLines(); p.err == nil; p.skipLines() {
		if p.tok == ')' {
			p.next()
			return
		}
		value := p.value()
		if id, ok := value.(identifier); ok && p.tok == '=' {
			p.next()
			if n.named == nil {
				n.named = make(map[string]any)
			}
			n.named[string(id)] = p.value()
		} else {
			n.args = append(n.args, value)
		}
		p.skipLines()
		switch p.tok {
		case ',':
			p.next()
		case ')':
		default:
			p.fail("%q between arguments", p.text)
		}
	}
}

func (p *noteParser) value() any {
	text := p.text
	tok := p.tok
	p.next()
	switch tok {
	case textscanner.Ident:
		switch text {
		case "true":
			return true
		case "false":
			return false
		case "nil":
			return nil
		case "re":
			pattern := p.unquote()
			p.next()
			re, err := regexp.Compile(pattern)
			if err != nil {
				p.fail("%v", err)
			}
			return re
		}
		return identifier(text)
	case textscanner.String, textscanner.RawString:
		value, err := strconv.Unquote(text)
		if err != nil {
			p.fail("%s: %v", text, err)
		}
		return value
	case '-':
		if value, ok := p.value().(int64); ok {
			return -value
		}
		p.fail("a sign before what is no whole number")
		return nil
	case textscanner.Int:
		value, err := strconv.ParseInt(text, 0, 64)
		if err != nil {
			p.fail("%v", err)
		}
		return value
	case textscanner.Float:
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			p.fail("%v", err)
		}
		return value
	case textscanner.Char:
		value, err := strconv.Unquote(text)
		if err != nil {
			p.fail("%s: %v", text, err)
		}
		return value
	}
	p.fail("%q where an argument should be", text)
	return nil
}

// unquote is the text of the string at hand.
func (p *noteParser) unquote() string {
	if p.tok != textscanner.String && p.tok != textscanner.RawString {
		p.fail("%q where a pattern should be", p.text)
		return ""
	}
	value, err := strconv.Unquote(p.text)
	if err != nil {
		p.fail("%s: %v", p.text, err)
	}
	return value
}
