package bodies

import (
	"cmp"
	"crypto/sha256"
	"go/ast"
	"go/scanner"
	"go/token"
	"slices"
)

// A File is one parsed file. Files are immutable, and each has positions of its own: no two of
// those that a Package is ever given overlap, but for a file that is given again.
type File struct {
	Name   string // unique in the package
	Text   []byte // what was parsed
	Syntax *ast.File
	Tokens *token.File
}

// A source is a file cut into units.
type source struct {
	File
	functions []function
	version   string
	digest    [sha256.Size]byte // of the tokens outside of bodies
	tokens    []token.Pos       // where those start, in order
}

// A function is a declaration that has a body.
type function struct {
	decl *ast.FuncDecl
	text [sha256.Size]byte // from the word func to the closing brace
}

// cut makes a source of a file. It is not ok if the file is not made of whole declarations, as
// broken syntax can leave it: all of it is face then.
func cut(f File) (s *source, ok bool) {
	s = &source{File: f, version: f.Syntax.GoVersion}
	ok = s.cutFunctions()
	if !ok {
		s.functions = nil
	}
	s.scan()
	return s, ok
}

func (s *source) cutFunctions() bool {
	f := s.File
	last := f.Syntax.FileStart
	for _, d := range f.Syntax.Decls {
		if d.Pos() < last || d.End() > f.Syntax.FileEnd {
			return false
		}
		last = d.End()
		fn, isFunc := d.(*ast.FuncDecl)
		if !isFunc || fn.Body == nil {
			continue
		}
		if !fn.Body.Lbrace.IsValid() || fn.Body.Rbrace <= fn.Body.Lbrace {
			return false
		}
		text := f.Text[f.offset(fn.Pos()):f.offset(fn.End())]
		s.functions = append(s.functions, function{fn, sha256.Sum256(text)})
	}
	return true
}

func (f *File) offset(pos token.Pos) int {
	return min(max(int(pos)-f.Tokens.Base(), 0), len(f.Text))
}

// scan reads the tokens outside of bodies.
func (s *source) scan() {
	h := sha256.New()
	base := token.Pos(s.Tokens.Base())
	var sc scanner.Scanner
	part := func(from, to int) {
		// A part ends between two tokens, and no token but a semicolon depends on what follows it.
		text := s.Text[from:to]
		file := token.NewFileSet().AddFile("", 1, len(text))
		sc.Init(file, text, func(token.Position, string) {}, 0)
		for {
			pos, tok, lit := sc.Scan()
			if tok == token.EOF {
				return
			}
			s.tokens = append(s.tokens, base+token.Pos(from)+pos-1)
			if tok == token.SEMICOLON {
				lit = ";"
			}
			h.Write([]byte{byte(tok)})
			h.Write([]byte(lit))
			h.Write([]byte{0})
		}
	}
	from := 0
	for _, fn := range s.functions {
		part(from, s.offset(fn.decl.Body.Lbrace)+1)
		from = s.offset(fn.decl.Body.Rbrace)
	}
	part(from, len(s.Text))
	h.Sum(s.digest[:0])
}

// holds reports whether a position lies in the file.
func (f *File) holds(pos token.Pos) bool {
	base := token.Pos(f.Tokens.Base())
	return base <= pos && pos <= base+token.Pos(f.Tokens.Size())
}

// unitOf is the number of the function that a position lies in, -1 if it lies in the face. The
// name and the signature of a function belong to the face.
func (s *source) unitOf(pos token.Pos) int {
	i, ok := slices.BinarySearchFunc(s.functions, pos, func(fn function, pos token.Pos) int {
		return cmp.Compare(fn.decl.Body.Lbrace, pos)
	})
	if !ok {
		i--
	}
	if i >= 0 && pos <= s.functions[i].decl.Body.Rbrace {
		return i
	}
	return -1
}

// move gives the position in to of what stands at a position of from outside of bodies. Both have
// the same face.
func move(from, to *source, pos token.Pos) token.Pos {
	i, ok := slices.BinarySearch(from.tokens, pos)
	if !ok {
		i-- // inside a token
	}
	if i < 0 {
		return token.Pos(to.Tokens.Base()) + pos - token.Pos(from.Tokens.Base())
	}
	return to.tokens[i] + pos - from.tokens[i]
}

// outside are the declarations of the file without the bodies that are units.
func (s *source) outside() []ast.Decl {
	out := slices.Clone(s.Syntax.Decls)
	n := 0
	for i, d := range out {
		if n < len(s.functions) && d == ast.Decl(s.functions[n].decl) {
			bare := *s.functions[n].decl
			bare.Body = nil
			out[i] = &bare
			n++
		}
	}
	return out
}
