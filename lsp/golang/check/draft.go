package check

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/astutil"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// While somebody types in a declaration, all others stay as they are. So what could stand at a
// place is asked of a check of that declaration alone, against a package of the others that was
// checked before (package bodies says why that is right: B1, B2). What the declaration itself
// declares, others know as it was then.

// A base is a package without function bodies that drafts are checked against.
type base struct {
	view   *View
	files  []*syntax.Tree // of all files of the package, that declare what the view has
	checks int
	broken bool // a check against it panicked
}

// draftsMost is how many drafts are checked against one base: each leaves its scopes behind.
const draftsMost = 2000

// Declarations is the package as its files and imports are now, without function bodies. Texts are
// those of the files in uris. The declaration around a section of one of them may be as it was
// before.
func (s *ViewSlot) Declarations(
	p *metadata.Package, imports []Import, uris []string, texts [][]byte, uri string, section lsp.Span,
) (v *View, err error) {
	defer s.recovered(p, &err)
	if err := s.worldOf(p, imports); err != nil {
		return nil, err
	}
	if b := s.base; b == nil || b.broken || b.checks >= draftsMost || !b.view.isOf(p) || !b.serves(uris, texts, uri, section) {
		trees := make([]*syntax.Tree, len(uris))
		for i, uri := range uris {
			trees[i] = syntax.Trees.Get(uri, texts[i])
		}
		v, err := newView(p, s.world, trees, Sight{URI: uri, Bodies: noBodies})
		if err != nil {
			return nil, err
		}
		s.base = &base{view: v, files: trees}
	}
	s.base.checks++
	seen := s.base.view.at(fileOf(s.base.files, uri))
	seen.base = s.base
	if seen.File == nil || seen.File.Unfit {
		return nil, fmt.Errorf("%s: %w", uri, ErrUnfit)
	}
	return seen, nil
}

// serves reports whether files declare what those of the base do, but for what is in a section of
// one. Where nothing but that section differs, no file is parsed to find out.
func (b *base) serves(uris []string, texts [][]byte, uri string, section lsp.Span) bool {
	if len(b.files) != len(uris) {
		return false
	}
	for i, had := range b.files {
		text := texts[i]
		switch {
		case had.URI != uris[i]:
			return false
		case bytes.Equal(had.Text, text) || had.URI == uri && !had.Unfit && sameOutside(had.Text, text, section):
			continue
		case had.Unfit:
			return false
		}
		now := syntax.Trees.Get(had.URI, text)
		if had.URI != uri {
			section = lsp.Span{}
		}
		same, all := sameFaces(had, now, section)
		if !same {
			return false
		}
		if all {
			b.files[i] = now
			b.move(had, now)
		}
	}
	return true
}

// move notes that what a file declares stands in a newer tree now: what is typed names it there.
func (b *base) move(had, now *syntax.Tree) {
	if i := slices.Index(b.view.Files, had); i >= 0 && had != now {
		b.view.Files[i] = now
		b.view.move(had, now)
	}
}

// sameOutside reports whether two texts differ in a section of the second at most.
func sameOutside(a, b []byte, section lsp.Span) bool {
	behind := len(b) - section.End
	return len(a) >= section.Start+behind &&
		bytes.Equal(a[:section.Start], b[:section.Start]) && bytes.Equal(a[len(a)-behind:], b[section.End:])
}

// sameFaces reports whether two states of a file declare the same, but for what is in a section of
// the second, and whether what is there is the same, too.
func sameFaces(had, now *syntax.Tree, section lsp.Span) (same, all bool) {
	if now.Unfit || had.AST.Name.Name != now.AST.Name.Name || had.AST.GoVersion != now.AST.GoVersion {
		return false, false
	}
	x, y := had.AST.Decls, now.AST.Decls
	for len(x) > 0 && len(y) > 0 && sameFace(had, x[0], now, y[0]) {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && sameFace(had, x[len(x)-1], now, y[len(y)-1]) {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	if len(x) == 0 && len(y) == 0 {
		return true, true
	}
	for _, d := range y {
		if at := now.Offset(d.Pos()); at < section.Start || at >= section.End {
			return false, false
		}
	}
	return len(x) <= 1, false // of the section there was one declaration, or none
}

// sameFace reports whether two declarations are the same outside of the bodies of functions.
func sameFace(a *syntax.Tree, d ast.Decl, b *syntax.Tree, e ast.Decl) bool {
	return string(faceOf(a, d)) == string(faceOf(b, e))
}

func faceOf(t *syntax.Tree, d ast.Decl) []byte {
	end := d.End()
	if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
		end = fn.Body.Lbrace
	}
	s := t.Span(d.Pos(), end)
	return t.Source[s.Start:s.End]
}

// A Sketch is what is known of a draft.
type Sketch struct {
	File *ast.File  // with the imports of the real file, and the declaration of the draft
	Path []ast.Node // around the place, innermost first; ends with the tree of the draft
	Info *types.Info
}

// Check checks the declaration of a draft of File in the package of the view. It changes the tree
// of the draft: what it declares is named "_".
func (v *View) Check(d *syntax.Draft) (s *Sketch, err error) {
	defer func() {
		if e := recover(); e != nil { // K4
			v.base.broken = true
			s, err = nil, newInternalError("checking what is typed in "+v.File.URI, e)
		}
	}()
	real := v.File.AST
	file := &ast.File{
		Package: d.Tree.AST.Package, Name: real.Name, GoVersion: real.GoVersion,
		FileStart: d.Tree.AST.FileStart, FileEnd: d.Tree.AST.FileEnd, Imports: real.Imports,
	}
	for _, decl := range real.Decls {
		if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			file.Decls = append(file.Decls, g)
		}
	}
	file.Decls = append(file.Decls, anonymous(d))
	fset := token.NewFileSet()
	fset.AddExistingFiles(d.Tree.Pos)
	for _, t := range v.base.view.Files { // messages name places
		fset.AddExistingFiles(t.Pos)
	}
	for i := range v.moved {
		fset.AddExistingFiles(v.moved[i].then)
	}
	info := newInfo()
	conf := types.Config{
		GoVersion: v.Meta.GoVersion, FakeImportC: true, Importer: v.world, Sizes: sizesFor(v.Meta.Arch),
		Error: func(error) {}, DisableUnusedImportCheck: true,
	}
	unwrap := wrapNames(d.Decl)
	_ = types.NewChecker(&conf, fset, v.Package, info).Files([]*ast.File{file}) // half-typed code has errors
	unwrap()
	s = &Sketch{File: file, Info: info}
	if d.Name != nil {
		s.Path, _ = astutil.PathEnclosingInterval(d.Tree.AST, d.Name.Pos(), d.Name.End())
	} else {
		s.Path, _ = astutil.PathEnclosingInterval(d.Tree.AST, d.At, d.At)
	}
	return s, nil
}

// anonymous is the declaration of a draft without the names that the package has already.
func anonymous(d *syntax.Draft) ast.Decl {
	blank := func(id *ast.Ident) { id.Name = "_" }
	switch decl := d.Decl.(type) {
	case *ast.FuncDecl:
		blank(decl.Name)
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for _, id := range spec.Names {
					blank(id)
				}
			case *ast.TypeSpec:
				blank(spec.Name)
			}
		}
	}
	return d.Decl
}

// wrapNames puts types of a draft that are declared by another name alone into parentheses, until
// unwrap is called. Go/types follows such names from one declaration of the package to the next,
// and panics at one of the base, whose declaration this check has not seen.
func wrapNames(decl ast.Decl) (unwrap func()) {
	d, ok := decl.(*ast.GenDecl)
	if !ok {
		return func() {}
	}
	wrapped := map[*ast.TypeSpec]*ast.Ident{}
	for _, spec := range d.Specs {
		if spec, ok := spec.(*ast.TypeSpec); ok {
			if id, ok := spec.Type.(*ast.Ident); ok {
				wrapped[spec] = id
				spec.Type = &ast.ParenExpr{Lparen: id.Pos(), X: id, Rparen: id.End()}
			}
		}
	}
	return func() {
		for spec, id := range wrapped {
			spec.Type = id
		}
	}
}

func newInfo() *types.Info {
	return &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Instances: map[*ast.Ident]types.Instance{},
		Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Implicits: map[ast.Node]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Scopes: map[ast.Node]*types.Scope{},
		FileVersions: map[*ast.File]string{},
	}
}
