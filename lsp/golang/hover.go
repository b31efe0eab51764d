package golang

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/describe"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// hover answers lsp.Workspace.Hover. What a comment names is described as it is where it is
// declared.
func hover(src source, uri string, span lsp.Span) (h *lsp.Hover, err error) {
	nothing := &lsp.FileError{URI: uri, Offset: span.Start, Err: lsp.ErrNoSymbol}
	text, err := src.text(uri)
	switch {
	case err != nil:
		return nil, err
	case span.Start < 0 || span.End < span.Start || span.End > len(text):
		return nil, &lsp.FileError{URI: uri, Offset: span.Start, Err: lsp.ErrOutOfRange}
	case syntax.IsAssembly(uri):
		n, f, err := assemblyAt(src, uri, span.Start)
		if err != nil || f.index == nil {
			return nil, errors.Join(err, nothing)
		}
		to := f.location()
		to.Span.End = to.Span.Start
		h, err := describeAt(src, f.pkg, to)
		if h != nil {
			h.Span = n.Span
		}
		return h, err
	case disk.IsModuleFile(uri):
		q, err := newModuleQuestion(src, uri, span.Start)
		if err != nil {
			return nil, err
		}
		return q.hover()
	case !syntax.IsGoFile(uri):
		return nil, nothing
	}
	t := syntax.Trees.Get(uri, text)
	f, at, linked, err := linkAt(src, t, span.Start)
	if err != nil {
		return nil, err
	}
	if linked {
		to := f.location()
		to.Span.End = to.Span.Start
		if h, err = describeAt(src, f.pkg, to); h != nil {
			h.Span = at
		}
	} else {
		owners, ownersErr := ownersOf(src, uri)
		if ownersErr != nil || len(owners) == 0 {
			return nil, errors.Join(ownersErr, nothing)
		}
		h, err = describeAt(src, owners[0], lsp.Location{URI: uri, Span: span})
	}
	if err == nil && h == nil || errors.Is(err, check.ErrUnfit) {
		err = nothing
	}
	return h, err
}

// describeAt describes what stands at a place of a package.
func describeAt(src source, p *metadata.Package, at lsp.Location) (h *lsp.Hover, err error) {
	lib := library{src, p}
	if metadata.IsSyntaxOnly(p) {
		return describeBuiltin(lib, p, at)
	}
	sight := check.Sight{URI: at.URI, Offset: at.Span.Start, Bodies: check.BodyAt, Apart: true}
	err = src.types(p, sight, func(v *check.View) (err error) {
		h, err = describe.At(v, lib, at.Span)
		return err
	})
	return h, err
}

// describeBuiltin describes what the documentation of the language declares at a place.
func describeBuiltin(lib library, p *metadata.Package, at lsp.Location) (*lsp.Hover, error) {
	x, err := lib.src.declared(p)
	if err != nil {
		return nil, err
	}
	occs := x.OccurrencesAt(x.File(at.URI), at.Span.Start)
	if len(occs) == 0 {
		return nil, nil
	}
	d, ok := x.Declaration(occs[0].Target)
	if !ok || occs[0].IsExternal {
		return nil, nil
	}
	f := found{p, x, d}
	to, err := lib.declared(f)
	if err != nil {
		return nil, err
	}
	h, err := describe.Builtin(lib, to, f.Path)
	if h != nil {
		h.Span = occs[0].Span
	}
	return h, err
}

// A library finds what other packages declare. It implements describe.Library.
type library struct {
	src  source
	from *metadata.Package // that names them
}

func (l library) declared(f found) (describe.Declared, error) {
	t, err := treeOf(l.src, f.index.URI(f.File))
	return describe.Declared{Package: f.pkg, Tree: t, Offset: f.Span.Start}, err
}

// Declared implements describe.Library.
func (l library) Declared(name check.Name) (d describe.Declared, ok bool, err error) {
	f, ok, err := declarationNamed(l.src, name.External, l.from)
	if ok && err == nil {
		d, err = l.declared(f)
	}
	if errors.Is(err, lsp.ErrUnknownFile) {
		return d, false, nil
	}
	return d, ok && err == nil, err
}

// Package implements describe.Library.
func (l library) Package(from *metadata.Package, path string) (*metadata.Package, error) {
	if e, ok := from.Edge(path); ok && e.Checked() != "" {
		return l.src.find(e.Checked())
	}
	list, err := named(l.src, path, from)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// Documented implements describe.Library.
func (l library) Documented(p *metadata.Package) (d describe.Declared, ok bool, err error) {
	x, err := l.src.declared(p)
	if err != nil {
		return d, false, err
	}
	clause, ok := x.Declaration(x.DeclarationOf(index.PackagePath))
	if !ok || clause.Doc.End <= clause.Doc.Start {
		return d, false, nil
	}
	d, err = l.declared(found{p, x, clause})
	return d, err == nil, err
}

// Link implements describe.Library: it leads to the line and the column of a declaration, from 1
// and in UTF-16 units, as editors take it.
func (l library) Link(p *metadata.Package, t *syntax.Tree, name string) (string, error) {
	f, ok, err := linked(l.src, p, t, name)
	if err != nil || !ok {
		return "", err
	}
	uri := f.index.URI(f.File)
	text, err := l.src.text(uri)
	if err != nil || f.Span.Start > len(text) {
		return "", ignoreUnknown(err)
	}
	before := text[:f.Span.Start]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	column := 1 + len(utf16.Encode([]rune(string(line))))
	return fmt.Sprintf("%s#%d,%d", uri, 1+bytes.Count(before, []byte("\n")), column), nil
}

// Module implements describe.Library.
func (l library) Module(uri string) (m describe.Module, err error) {
	env, err := l.src.environment()
	if err != nil {
		return m, err
	}
	path, ok := files.Path(uri)
	if !ok {
		return m, nil
	}
	if mod, version, ok := env.CachedModule(path); ok {
		return describe.Module{Path: mod, Version: version}, nil
	}
	if files.Inside(env.GoRoot, path) {
		return m, nil
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		text, err := l.src.text(files.URI(filepath.Join(dir, "go.mod")))
		if err == nil {
			return describe.Module{Path: disk.ModulePath(text)}, nil
		}
		if filepath.Dir(dir) == dir {
			return m, nil
		}
	}
}

// Since implements describe.Library.
func (l library) Since(path, symbol string) string {
	env, err := l.src.environment()
	if err != nil {
		return ""
	}
	return disk.Since(env.GoRoot, path, symbol)
}

// IsPrivate implements describe.Library.
func (l library) IsPrivate(path string) bool {
	env, err := l.src.environment()
	return err == nil && env.IsPrivate(path)
}

// hoverEmbed describes the files that a pattern at an offset embeds; nil if there is no pattern.
func hoverEmbed(uri string, text []byte, offset int, matched []lsp.Location) *lsp.Hover {
	for _, p := range syntax.EmbedPatterns(text) {
		if !p.Span.Contains(offset) {
			continue
		}
		h := &lsp.Hover{Span: p.Span, Language: "go", Signature: fmt.Sprintf("Embedding %q", p.Text)}
		var names []string
		for _, l := range matched {
			names = append(names, strings.TrimPrefix(l.URI, files.DirURI(uri)))
		}
		h.Doc = strings.Join(names, "\n")
		return h
	}
	return nil
}
