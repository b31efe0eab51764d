package golang

import (
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// makeEdits makes the edits of all places, and of the comments that speak of them.
func (r *renaming) makeEdits() error {
	for at := range r.at {
		edit := lsp.TextEdit{Span: at.Span, NewText: r.to}
		if r.first.Kind == lsp.KindPackage {
			var err error
			if edit, err = r.importEdit(at); err != nil {
				return err
			}
		}
		r.edits[at.URI] = append(r.edits[at.URI], edit)
	}
	if err := r.docEdits(); err != nil {
		return err
	}
	for uri, edits := range r.edits {
		slices.SortFunc(edits, func(a, b lsp.TextEdit) int {
			return lsp.Location{Span: a.Span}.Compare(lsp.Location{Span: b.Span})
		})
		r.edits[uri] = slices.CompactFunc(edits, func(a, b lsp.TextEdit) bool { return a.Span == b.Span })
	}
	return nil
}

// importEdit is the edit of a place that names an import. An import gets a name of its own where it
// has none, and loses it where it is what the package is called.
func (r *renaming) importEdit(at lsp.Location) (lsp.TextEdit, error) {
	edit := lsp.TextEdit{Span: at.Span, NewText: r.to}
	if at != r.first.location() {
		return edit, nil
	}
	if r.imports[at] {
		return lsp.TextEdit{Span: lsp.Span{Start: at.Span.Start, End: at.Span.Start}, NewText: r.to + " "}, nil
	}
	text, err := r.sources[0].text(at.URI)
	if err != nil {
		return edit, err
	}
	t := syntax.Trees.Get(at.URI, text)
	for _, spec := range t.AST.Imports {
		if spec.Name == nil || t.Offset(spec.Name.Pos()) != at.Span.Start {
			continue
		}
		f, err := behindImport(r.sources[0], place{r.first.pkg, r.first.index, nil}, r.importAt(t, spec))
		if err == nil && f.Path == index.PackagePath && f.pkg.Name == r.to {
			edit = lsp.TextEdit{Span: t.Span(spec.Name.Pos(), spec.Path.Pos())}
		}
		return edit, err
	}
	return edit, nil
}

// importAt is an import as if it had no name of its own.
func (r *renaming) importAt(t *syntax.Tree, spec *ast.ImportSpec) found {
	f := r.first
	f.Span = t.Span(spec.Path.Pos(), spec.Path.End())
	return f
}

// docEdits make the edits of comments: the name in the comment of each declaration, and in links of
// comments to what is renamed, in the files that name it.
func (r *renaming) docEdits() error {
	if r.first.Kind == lsp.KindPackage {
		return r.importLinkEdits()
	}
	word := regexp.MustCompile(`\b` + regexp.QuoteMeta(r.from) + `\b`)
	src := r.sources[0]
	for _, f := range r.declared {
		uri := f.location().URI
		text, err := src.text(uri)
		if err != nil {
			return err
		}
		for _, c := range docOf(syntax.Trees.Get(uri, text), f.Span) {
			r.commentEdits(syntax.Trees.Get(uri, text), c, word)
		}
	}
	where, err := r.speaking()
	if err != nil {
		return err
	}
	link := regexp.MustCompile(`\[\*?(?:[\pL_][\pL\pN_]*\.)*` + regexp.QuoteMeta(r.from) + `(?:\.[\pL_][\pL\pN_]*)*\]`)
	for _, p := range where {
		for _, uri := range p.Files {
			text, err := src.text(uri)
			if err != nil || !strings.Contains(string(text), r.from+"]") && !strings.Contains(string(text), r.from+".") {
				continue
			}
			t := syntax.Trees.Get(uri, text)
			for _, group := range t.AST.Comments {
				for _, c := range group.List {
					for _, at := range link.FindAllStringIndex(c.Text, -1) {
						r.linkEdit(t, p, c, at[0], c.Text[at[0]:at[1]])
					}
				}
			}
		}
	}
	return nil
}

// importLinkEdits make the edits of links in the comments of a file that name an import.
func (r *renaming) importLinkEdits() error {
	uri := r.first.location().URI
	text, err := r.sources[0].text(uri)
	if err != nil {
		return err
	}
	t := syntax.Trees.Get(uri, text)
	link := regexp.MustCompile(`\[\*?(` + regexp.QuoteMeta(r.from) + `)(?:\.[\pL_][\pL\pN_]*)+\]`)
	for _, group := range t.AST.Comments {
		for _, c := range group.List {
			for _, at := range link.FindAllStringSubmatchIndex(c.Text, -1) {
				base := t.Offset(c.Pos())
				r.edits[uri] = append(r.edits[uri], lsp.TextEdit{Span: lsp.Span{Start: base + at[2], End: base + at[3]}, NewText: r.to})
			}
		}
	}
	return nil
}

// speaking are the packages whose comments may have links to what is renamed: its own, and those
// that import it.
func (r *renaming) speaking() (list []*metadata.Package, err error) {
	own := map[string]bool{}
	for _, f := range r.declared {
		if f.Path != "" || r.isPackageLevel(f) && f.Flags&index.Local == 0 {
			own[f.pkg.Path] = true
		}
	}
	for _, src := range r.sources {
		m, err := src.metadata()
		if err != nil {
			return nil, err
		}
		for path := range own {
			for _, p := range m.Reaching(path) {
				if p.Path == path || slices.ContainsFunc(p.Imports, func(e metadata.Edge) bool { return metadata.PathOf(e.Checked()) == path }) {
					list = append(list, p)
				}
			}
		}
	}
	return list, nil
}

// linkEdit makes the edit of a link in a comment, if it is one to what is renamed.
func (r *renaming) linkEdit(t *syntax.Tree, p *metadata.Package, c *ast.Comment, start int, link string) {
	inner := strings.TrimPrefix(link[1:len(link)-1], "*")
	at := start + len(link) - 1 - len(inner)
	parts := strings.Split(inner, ".")
	for _, f := range r.declared {
		want := f.Path
		if want == "" && r.isPackageLevel(f) && f.Flags&index.Local == 0 {
			want = f.Name
		}
		if want == "" {
			continue
		}
		had := parts
		offset := at
		if p.Path != f.pkg.Path && p.Path != f.pkg.Path+"_test" {
			if len(had) < 2 || !importsAs(t, had[0], f.pkg) {
				continue
			}
			offset += len(had[0]) + 1
			had = had[1:]
		}
		n := strings.Count(want, ".") + 1
		if len(had) < n || strings.Join(had[:n], ".") != want {
			continue
		}
		offset += len(want) - len(f.Name)
		base := t.Offset(c.Pos())
		r.edits[t.URI] = append(r.edits[t.URI], lsp.TextEdit{Span: lsp.Span{Start: base + offset, End: base + offset + len(r.from)}, NewText: r.to})
		return
	}
}

// importsAs reports whether a file imports a package by a name.
func importsAs(t *syntax.Tree, name string, p *metadata.Package) bool {
	return slices.ContainsFunc(t.AST.Imports, func(spec *ast.ImportSpec) bool {
		if spec.Path == nil || strings.Trim(spec.Path.Value, "\"`") != p.Path {
			return false
		}
		if spec.Name != nil {
			return spec.Name.Name == name
		}
		return p.Name == name
	})
}

// commentEdits make the edits of a comment that speaks of a name.
func (r *renaming) commentEdits(t *syntax.Tree, c *ast.Comment, word *regexp.Regexp) {
	if strings.HasPrefix(c.Text, "//go:") || strings.HasPrefix(c.Text, "//line ") {
		return
	}
	base := t.Offset(c.Pos())
	for _, at := range word.FindAllStringIndex(c.Text, -1) {
		span := lsp.Span{Start: base + at[0], End: base + at[1]}
		if span.End <= len(t.Text) && string(t.Text[span.Start:span.End]) == r.from { // comments lose carriage returns
			r.edits[t.URI] = append(r.edits[t.URI], lsp.TextEdit{Span: span, NewText: r.to})
		}
	}
}

// docOf is the comment of the declaration whose name stands at a place, that of its group if it is
// alone in it.
func docOf(t *syntax.Tree, name lsp.Span) (list []*ast.Comment) {
	add := func(g *ast.CommentGroup) {
		if g != nil {
			list = append(list, g.List...)
		}
	}
	is := func(id *ast.Ident) bool { return id != nil && t.Offset(id.Pos()) == name.Start }
	var decl *ast.GenDecl
	local := false
	ast.Inspect(t.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if is(n.Name) {
				add(n.Doc)
			}
		case *ast.AssignStmt:
			local = local || n.Tok == token.DEFINE && slices.ContainsFunc(n.Lhs, func(e ast.Expr) bool {
				id, ok := e.(*ast.Ident)
				return ok && is(id)
			})
		case *ast.GenDecl:
			decl = n
		case *ast.TypeSpec:
			if is(n.Name) {
				add(n.Doc)
				if n.Doc == nil && len(decl.Specs) == 1 {
					add(decl.Doc)
				}
			}
		case *ast.ValueSpec:
			if slices.ContainsFunc(n.Names, is) {
				add(n.Doc)
				if n.Doc == nil && len(decl.Specs) == 1 {
					add(decl.Doc)
				}
			}
		case *ast.Field:
			if slices.ContainsFunc(n.Names, is) {
				add(n.Doc)
			}
		}
		return true
	})
	if local { // the comment of a statement is the one above it
		line := t.Pos.Line(t.Pos.Pos(name.Start))
		for _, g := range t.AST.Comments {
			if g.End() < t.Pos.Pos(name.Start) && t.Pos.Line(g.End())+1 == line {
				add(g)
			}
		}
	}
	return list
}

// workspaceEdit is the change, with files in order.
func (r *renaming) workspaceEdit() *lsp.WorkspaceEdit {
	e := &lsp.WorkspaceEdit{}
	for _, uri := range slices.Sorted(maps.Keys(r.edits)) {
		e.Files = append(e.Files, lsp.FileEdit{URI: uri, Edits: r.edits[uri]})
	}
	return e
}
