package gomod

import (
	"bytes"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
)

// A File is a module file taken apart. What cannot be read is left out.
type File struct {
	Module   Statement // of a go.mod file; its Path is that of the module
	Requires []Requirement
	Replaces []Replacement
	Uses     []Statement // of a go.work file: directories as they are written
	Tools    []string    // packages that are run
}

// A Statement is a line that names a module or a directory.
type Statement struct {
	Path     string
	Span     lsp.Span // of the line, without white space and a comment behind it
	PathSpan lsp.Span
}

// A Requirement asks for a module.
type Requirement struct {
	Statement
	Version     string
	VersionSpan lsp.Span
	Indirect    bool // nothing in the module itself imports it, as a comment says
}

// A Replacement puts something in the place of a module.
type Replacement struct {
	Statement
	Version string // which is replaced; "" for all
	To      string // a directory as it is written, or the path of a module
	At      string // the version of that module; "" for a directory
	ToSpan  lsp.Span
}

// IsDirectory reports whether the replacement is a directory.
func (r *Replacement) IsDirectory() bool { return r.At == "" }

// Parse takes the text of a file apart.
func Parse(uri string, text []byte) *File {
	f := &File{}
	if files.BaseName(uri) == "go.work" {
		w, err := modfile.ParseWork("go.work", text, nil)
		if err != nil {
			return f
		}
		for _, u := range w.Use {
			s := statement(text, u.Syntax, u.Path)
			f.Uses = append(f.Uses, s)
		}
		f.replaces(text, w.Replace)
		return f
	}
	m, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		if m, err = modfile.ParseLax("go.mod", text, nil); err != nil {
			return f
		}
	}
	if m.Module != nil {
		f.Module = statement(text, m.Module.Syntax, m.Module.Mod.Path)
	}
	for _, r := range m.Require {
		s := statement(text, r.Syntax, r.Mod.Path)
		f.Requires = append(f.Requires, Requirement{
			Statement: s, Version: r.Mod.Version, Indirect: r.Indirect,
			VersionSpan: wordIn(text, lsp.Span{Start: s.PathSpan.End, End: s.Span.End}, r.Mod.Version),
		})
	}
	for _, t := range m.Tool {
		f.Tools = append(f.Tools, t.Path)
	}
	f.replaces(text, m.Replace)
	return f
}

func (f *File) replaces(text []byte, list []*modfile.Replace) {
	for _, r := range list {
		s := statement(text, r.Syntax, r.Old.Path)
		f.Replaces = append(f.Replaces, Replacement{
			Statement: s, Version: r.Old.Version, To: r.New.Path, At: r.New.Version,
			ToSpan: wordIn(text, lsp.Span{Start: s.PathSpan.End, End: s.Span.End}, r.New.Path),
		})
	}
}

func statement(text []byte, line *modfile.Line, path string) Statement {
	s := Statement{Path: path}
	if line != nil {
		s.Span = lsp.Span{Start: min(line.Start.Byte, len(text)), End: min(line.End.Byte, len(text))}
		s.PathSpan = wordIn(text, s.Span, path)
	}
	return s
}

// wordIn is where a word stands in a part of a text, without quotes; at its end, if it does not.
func wordIn(text []byte, in lsp.Span, word string) lsp.Span {
	i := bytes.Index(text[in.Start:in.End], []byte(word))
	if i < 0 || word == "" {
		return lsp.Span{Start: in.End, End: in.End}
	}
	return lsp.Span{Start: in.Start + i, End: in.Start + i + len(word)}
}

func holds(s lsp.Span, offset int) bool { return s.Start <= offset && offset <= s.End }

// RequirementAt is the requirement whose line an offset lies in.
func (f *File) RequirementAt(offset int) (*Requirement, bool) {
	for i := range f.Requires {
		if r := &f.Requires[i]; holds(r.Span, offset) {
			return r, true
		}
	}
	return nil, false
}

// ReplacementOf is what a module is replaced by; ok is false if it is not.
func (f *File) ReplacementOf(m module.Version) (*Replacement, bool) {
	var general *Replacement
	for i := range f.Replaces {
		switch r := &f.Replaces[i]; {
		case r.Path != m.Path:
		case r.Version == m.Version:
			return r, true
		case r.Version == "":
			general = r
		}
	}
	return general, general != nil
}

// DirectoryAt is the directory that a line with an offset leads to: one that is used, or that
// replaces a module.
func (f *File) DirectoryAt(offset int) (dir string, at lsp.Span, ok bool) {
	for _, u := range f.Uses {
		if holds(u.Span, offset) {
			return u.Path, u.PathSpan, true
		}
	}
	for i := range f.Replaces {
		if r := &f.Replaces[i]; r.IsDirectory() && holds(r.Span, offset) {
			return r.To, r.ToSpan, true
		}
	}
	return "", at, false
}
