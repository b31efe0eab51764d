package load

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A header is what the head of a Go file says: to its imports, without what follows.
type header struct {
	name        string   // of the package
	imports     []string // paths, in order
	constraints []byte   // comments above the package clause, if some may be a build constraint
	broken      bool     // its syntax is wrong
}

// readHeader reads the head of a text.
//
// The scan takes the forms that gofmt writes and some more. At anything else it gives up, and the
// parser reads the text.
func readHeader(text []byte) header {
	s := headScanner{text: text}
	h, verdict := s.header()
	if verdict == short {
		// The text ends within its head, or has nothing behind it.
		s = headScanner{text: append(bytes.Clone(text), "\nvar"...)}
		h, verdict = s.header()
	}
	if verdict != scanned {
		return parseHeader(text)
	}
	return h
}

// parseHeader is readHeader by the parser.
func parseHeader(text []byte) header {
	var h header
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", text, parser.ImportsOnly|parser.ParseComments)
	if h.broken = err != nil; file == nil || !file.Package.IsValid() {
		h.broken = true
		return h
	}
	h.name = file.Name.Name
	h.constraints = text[:fset.Position(file.Package).Offset]
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			continue
		}
		for _, spec := range g.Specs {
			if spec, ok := spec.(*ast.ImportSpec); ok && spec.Path != nil {
				if path, err := strconv.Unquote(spec.Path.Value); err == nil {
					h.imports = append(h.imports, path)
				}
			}
		}
	}
	return h
}

type verdict int

const (
	scanned verdict = iota
	short           // the text ends
	odd
)

type headScanner struct {
	text []byte
	at   int
}

func (s *headScanner) header() (h header, v verdict) {
	s.text = bytes.TrimPrefix(s.text, []byte("\ufeff"))
	if v := s.space(); v != scanned {
		return h, v
	}
	above := s.text[:s.at]
	if bytes.Contains(above, []byte("build")) {
		h.constraints = above
	}
	if word, v := s.word(); v != scanned || word != "package" {
		return h, max(v, oddIf(v == scanned))
	}
	if v = s.space(); v != scanned {
		return h, v
	}
	if h.name, v = s.word(); v != scanned || h.name == "" || h.name == "_" {
		return h, max(v, oddIf(v == scanned))
	}
	for {
		if v = s.end(); v != scanned {
			return h, v
		}
		word, v := s.word()
		switch {
		case v != scanned:
			return h, v
		case word == "func", word == "var", word == "const", word == "type":
			return h, scanned
		case word != "import":
			return h, odd
		}
		if v = s.space(); v != scanned {
			return h, v
		}
		if s.text[s.at] != '(' {
			if v = s.spec(&h); v != scanned {
				return h, v
			}
			continue
		}
		s.at++
		for {
			if v = s.end(); v != scanned {
				return h, v
			}
			if s.text[s.at] == ')' {
				s.at++
				break
			}
			if v = s.spec(&h); v != scanned {
				return h, v
			}
		}
	}
}

func oddIf(b bool) verdict {
	if b {
		return odd
	}
	return scanned
}

// spec takes one import.
func (s *headScanner) spec(h *header) verdict {
	if c := s.text[s.at]; c == '.' {
		s.at++
	} else if c != '"' && c != '`' {
		if word, v := s.word(); v != scanned || word == "" {
			return max(v, oddIf(v == scanned))
		}
	}
	if v := s.space(); v != scanned {
		return v
	}
	quote := s.text[s.at]
	if quote != '"' && quote != '`' {
		return odd
	}
	n := bytes.IndexByte(s.text[s.at+1:], quote)
	if n < 0 {
		return short
	}
	path := s.text[s.at+1 : s.at+1+n]
	if bytes.ContainsAny(path, "\\\n\r") || len(path) == 0 {
		return odd
	}
	h.imports = append(h.imports, string(path))
	s.at += n + 2
	// A line may end here, or the group.
	for s.at < len(s.text) && (s.text[s.at] == ' ' || s.text[s.at] == '\t') {
		s.at++
	}
	if s.at == len(s.text) {
		return short
	}
	switch s.text[s.at] {
	case '\n', '\r', ';', ')', '/':
		return scanned
	}
	return odd
}

// word takes letters, digits and underscores; "" if there are none.
func (s *headScanner) word() (string, verdict) {
	from := s.at
	for ; s.at < len(s.text); s.at++ {
		c := s.text[s.at]
		if c >= utf8.RuneSelf {
			return "", odd
		}
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return string(s.text[from:s.at]), scanned
		}
	}
	return "", short
}

// space takes blanks and comments.
func (s *headScanner) space() verdict { return s.skip(" \t\r\n") }

// end takes what may stand between declarations.
func (s *headScanner) end() verdict { return s.skip(" \t\r\n;") }

func (s *headScanner) skip(blanks string) verdict {
	for s.at < len(s.text) {
		c := s.text[s.at]
		switch {
		case strings.IndexByte(blanks, c) >= 0:
			s.at++
		case c != '/':
			return scanned
		case s.at+1 == len(s.text):
			return short
		case s.text[s.at+1] == '/':
			n := bytes.IndexByte(s.text[s.at:], '\n')
			if n < 0 {
				return short
			}
			s.at += n
		case s.text[s.at+1] == '*':
			n := bytes.Index(s.text[s.at+2:], []byte("*/"))
			if n < 0 {
				return short
			}
			s.at += n + 4
		default:
			return odd
		}
	}
	return short
}
