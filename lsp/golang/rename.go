package golang

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A name is given in four steps: what goes by the name together (rename.go, renamecoupled.go), the
// edits of all places (renameedits.go), and a check of every package that can see the difference,
// with the edits made, in memory (renamecheck.go). The last step decides: what names what must be
// the same as before, and nothing may be wrong that was not. It is left out where the new name is
// written nowhere, so that both are sure (renameharmless.go).

// begin finds what stands at an offset, and what it is called.
func (r *renaming) begin(uri string, offset int) (at lsp.Span, err error) {
	src := r.sources[0]
	var embedded bool
	err = eachPlace(src, uri, offset, src.checked, func(p place) (bool, error) {
		o := p.occs[0]
		for _, other := range p.occs {
			if other.Declares {
				o = other // of an import the name, of an embedded field the field
			}
		}
		f, ok, err := resolve(src, p, o)
		if err != nil {
			return true, err
		}
		at = o.Span
		if !ok {
			name, _ := p.index.ExternalAt(o.Target)
			if o.IsExternal && (name.Package == metadata.Builtin || name.Package == "unsafe" || name.Path == "") {
				return true, refuse("%s is built in and cannot be renamed", lastElement(name.Path))
			}
			return true, refuse("it is not known where this is declared")
		}
		if r.first, r.from = f, f.Name; f.Path == index.PackagePath {
			name, ok, err := importName(src, uri, o.Span)
			if err != nil || !ok {
				return true, cmp.Or(err, error(refuse("a package is renamed at its package clause")))
			}
			_, err = r.begin(uri, name)
			return true, err
		}
		r.atDeclaration = o.Declares
		embedded = f.Kind == lsp.KindField && !o.Declares && r.isEmbedded(f)
		return true, nil
	})
	if errors.Is(err, lsp.ErrNoSymbol) {
		return r.beginInComment(uri, offset)
	}
	if err == nil && embedded {
		err = refuse("an embedded field must be renamed at its declaration (since it renames the type too)")
	}
	return at, err
}

// isEmbedded reports whether a field is declared by naming its type.
func (r *renaming) isEmbedded(f found) bool {
	return slices.ContainsFunc(f.index.OccurrencesAt(f.File, f.Span.Start), func(o index.Occurrence) bool {
		return !o.Declares && o.Span == f.Span
	})
}

// permitted says why what is to be renamed may not be.
func (r *renaming) permitted() error {
	f := r.first
	switch {
	case r.from == "_" || r.from == "":
		return refuse("can't rename \"_\"")
	case f.pkg.Path == metadata.Builtin || f.pkg.Path == "unsafe":
		return refuse("%s is built in and cannot be renamed", r.from)
	case f.Kind == lsp.KindFunction && f.Flags&index.Local == 0 && (r.from == "init" || r.from == "main" && f.pkg.Name == "main"):
		return refuse("func %s has its name from the language and cannot be renamed", r.from)
	}
	return r.ours(f)
}

// rename makes the change.
func (r *renaming) rename(to string) (*lsp.WorkspaceEdit, error) {
	if err := r.permitted(); err != nil {
		return nil, err
	}
	switch r.to = to; {
	case to == r.from:
		return nil, refuse("old and new names are the same: %s", to)
	case !token.IsIdentifier(to):
		return nil, refuse("invalid identifier to rename: %q", to)
	case to == "_":
		return nil, refuse("invalid identifier to rename: %q would be no name any more", to)
	case (to == "init" || to == "main" && r.first.pkg.Name == "main") && r.first.Flags&index.Local == 0 && r.isPackageLevel(r.first):
		return nil, refuse("%q is called by the language itself: nothing else can have the name", to)
	}
	r.otherBuilds()
	receivers, err := r.otherReceivers()
	if err != nil {
		return nil, err
	}
	e, err := r.attempt(receivers)
	if _, refused := errors.AsType[*lsp.RefusedError](err); !refused || len(receivers) == 0 {
		return e, err
	}
	// Those that cannot have the name keep theirs.
	if e, err = r.attempt(nil); err != nil {
		return nil, err
	}
	var kept []found
	for _, f := range receivers {
		if more, err := r.attempt(append(slices.Clip(kept), f)); err == nil {
			e, kept = more, append(kept, f)
		}
	}
	return e, nil
}

// attempt makes the change, with other declarations that get the name, too.
func (r *renaming) attempt(also []found) (*lsp.WorkspaceEdit, error) {
	r, err := r.planned(also)
	if err != nil {
		return nil, err
	}
	harmless, err := r.harmless()
	if err == nil && !harmless {
		err = r.verify()
	}
	if err != nil {
		return nil, err
	}
	return r.workspaceEdit(), nil
}

// planned is a renaming with the edits of all places, which is not known to be right.
func (r *renaming) planned(also []found) (*renaming, error) {
	indexes := r.indexes
	began := r.w.newRenaming(r.sources[0])
	began.sources, began.from, began.to, began.first, began.indexes = r.sources, r.from, r.to, r.first, indexes
	r = began
	for _, f := range append([]found{r.first}, also...) {
		if err := r.add(f); err != nil {
			return nil, err
		}
	}
	if err := r.addCoupled(); err != nil {
		return nil, err
	}
	for _, f := range r.declared {
		if err := r.ours(f); err != nil {
			return nil, err
		}
	}
	if err := r.exported(); err != nil {
		return nil, err
	}
	if err := r.makeEdits(); err != nil {
		return nil, err
	}
	return r, nil
}

// exported refuses a name that packages could not use which do.
func (r *renaming) exported() error {
	if !token.IsExported(r.from) || token.IsExported(r.to) {
		return nil
	}
	for _, f := range r.declared {
		if f.Path == "" {
			continue
		}
		for _, k := range slices.SortedFunc(maps.Keys(r.packages), comparePackages) {
			if path := metadata.PathOf(k.ID); path != f.pkg.Path {
				e := refuse("renaming %q to %q would make it unexported", r.from, r.to)
				e.At = f.location()
				e.Places = append(e.Places, lsp.RefusedPlace{At: r.placeIn(k), What: fmt.Sprintf("breaking references from packages such as %q", path)})
				return e
			}
		}
	}
	return nil
}

// comparePackages is an order in which refusals name packages, the same in each build.
func comparePackages(a, b pkgKey) int {
	return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.Root, b.Root))
}

// placeIn is a place in a package that names what is renamed.
func (r *renaming) placeIn(k pkgKey) (at lsp.Location) {
	x := r.indexes[k]
	for l := range r.at {
		if x != nil && x.File(l.URI) >= 0 && (at.URI == "" || l.Compare(at) < 0) {
			at = l
		}
	}
	return at
}

// importName is where the name of an import stands whose path is at a span, if it has one.
func importName(src taskSource, uri string, path lsp.Span) (offset int, ok bool, err error) {
	text, err := src.text(uri)
	if err != nil {
		return 0, false, err
	}
	t := syntax.Trees.Get(uri, text)
	for _, spec := range t.AST.Imports {
		if t.Span(spec.Path.Pos(), spec.Path.End()) == path && spec.Name != nil && spec.Name.Name != "_" && spec.Name.Name != "." {
			return t.Offset(spec.Name.Pos()), true, nil
		}
	}
	return 0, false, nil
}

// otherReceivers are the receivers of the other methods of a type, if it is a receiver that is
// renamed where it is declared: they are to go by one name.
func (r *renaming) otherReceivers() (list []found, err error) {
	if r.first.Kind != lsp.KindVariable || !r.atDeclaration {
		return nil, nil
	}
	src, x := r.sources[0], r.first.index
	base := ""
	each := func(fn func(uri string, t *syntax.Tree, d *ast.FuncDecl)) error {
		for file := range x.FileCount() {
			text, err := src.text(x.URI(file))
			if err != nil {
				return err
			}
			t := syntax.Trees.Get(x.URI(file), text)
			for _, d := range t.AST.Decls {
				if d, ok := d.(*ast.FuncDecl); ok && d.Recv != nil && len(d.Recv.List) == 1 && len(d.Recv.List[0].Names) == 1 {
					fn(x.URI(file), t, d)
				}
			}
		}
		return nil
	}
	aliases := map[string]string{}
	for _, uri := range r.first.pkg.Files {
		text, err := src.text(uri)
		if err != nil {
			continue
		}
		for _, d := range syntax.Trees.Get(uri, text).AST.Decls {
			if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.TYPE {
				for _, spec := range d.Specs {
					if spec, ok := spec.(*ast.TypeSpec); ok && spec.Assign.IsValid() {
						if id, ok := spec.Type.(*ast.Ident); ok {
							aliases[spec.Name.Name] = id.Name
						}
					}
				}
			}
		}
	}
	name := func(d *ast.FuncDecl) string {
		if id := syntax.EmbeddedName(d.Recv.List[0].Type); id != nil {
			return cmp.Or(aliases[id.Name], id.Name)
		}
		return ""
	}
	at := r.first.location()
	if err := each(func(uri string, t *syntax.Tree, d *ast.FuncDecl) {
		if id := d.Recv.List[0].Names[0]; uri == at.URI && t.Offset(id.Pos()) == at.Span.Start {
			base = name(d)
		}
	}); err != nil || base == "" {
		return nil, err
	}
	err = each(func(uri string, t *syntax.Tree, d *ast.FuncDecl) {
		id := d.Recv.List[0].Names[0]
		if name(d) != base || id.Name == "_" || id.Name == r.to {
			return
		}
		if f, ok := x.Declaration(x.DeclarationAt(x.File(uri), t.Offset(id.Pos()))); ok && f.Name == id.Name {
			if l := (lsp.Location{URI: uri, Span: f.Span}); l != at {
				list = append(list, found{r.first.pkg, x, f})
			}
		}
	})
	return list, err
}

// packageClauseAt is the name in the package clause of a file, if an offset lies on it.
func packageClauseAt(t *syntax.Tree, offset int) (at lsp.Span, ok bool) {
	at = t.Span(t.AST.Name.Pos(), t.AST.Name.End())
	return at, at.End > at.Start && at.Contains(offset)
}

// beginInComment finds the declaration whose name stands at an offset of its own comment.
func (r *renaming) beginInComment(uri string, offset int) (at lsp.Span, err error) {
	none := &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrNoSymbol}
	src := r.sources[0]
	text, err := src.text(uri)
	if err != nil {
		return at, err
	}
	t := syntax.Trees.Get(uri, text)
	if at = wordAt(text, offset); string(text[at.Start:at.End]) == "_" {
		return at, refuse("can't rename \"_\"")
	}
	group := slices.IndexFunc(t.AST.Comments, func(g *ast.CommentGroup) bool {
		return t.Offset(g.Pos()) <= offset && offset <= t.Offset(g.End())
	})
	if group < 0 {
		return at, none
	}
	word := string(text[at.Start:at.End])
	if !token.IsIdentifier(word) {
		return at, none
	}
	var name *ast.Ident
	ast.Inspect(t.AST, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == nil && id.Name == word && id.Pos() > t.AST.Name.End() {
			for _, c := range docOf(t, t.Span(id.Pos(), id.End())) {
				if c.Pos() >= t.AST.Comments[group].Pos() && c.End() <= t.AST.Comments[group].End() {
					name = id
				}
			}
		}
		return name == nil
	})
	if name == nil {
		return at, none
	}
	_, err = r.begin(uri, t.Offset(name.Pos()))
	return at, err
}

// wordAt is the word around an offset.
func wordAt(text []byte, offset int) lsp.Span {
	in := func(i int) bool {
		c := text[i]
		return c == '_' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	s := lsp.Span{Start: offset, End: offset}
	for s.Start > 0 && in(s.Start-1) {
		s.Start--
	}
	for s.End < len(text) && in(s.End) {
		s.End++
	}
	return s
}
