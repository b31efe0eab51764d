package complete

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// importing is what the file calls a package, with the edits that import it if it does not.
func (c *completer) importing(path, name string) (string, []lsp.TextEdit) {
	for _, spec := range c.file().AST.Imports {
		if spec.Path == nil {
			continue
		}
		if p, err := strconv.Unquote(spec.Path.Value); err != nil || p != path {
			continue
		}
		if spec.Name == nil {
			return name, nil
		}
		if n := spec.Name.Name; n != "_" && n != "." {
			return n, nil
		}
	}
	as := ""
	if c.s.File != nil && c.isTaken(name) {
		as = c.fresh(name)
		name = as
	}
	return name, importEdits(c.file(), path, as, c.o.Local)
}

// isTaken reports whether a name means something else in the file.
func (c *completer) isTaken(name string) bool {
	if c.v.Package.Scope().Lookup(name) != nil {
		return true
	}
	file := c.s.Info.Scopes[c.s.File]
	if file == nil {
		return false
	}
	_, ok := file.Lookup(name).(*types.PkgName)
	return ok
}

// importEdits import a package in a file; as is the name that it gets there, "" means its own.
// Local is as in Options.
func importEdits(t *syntax.Tree, path, as, local string) []lsp.TextEdit {
	spec := strconv.Quote(path)
	if as != "" {
		spec = as + " " + spec
	}
	insert := func(at int, text string) []lsp.TextEdit {
		return []lsp.TextEdit{{Span: lsp.Span{Start: at, End: at}, NewText: text}}
	}
	var last, single *ast.GenDecl
	for _, d := range t.AST.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			break
		}
		if len(g.Specs) == 1 && writtenPath(g.Specs[0]) == "C" {
			last = g
			continue
		}
		if !g.Lparen.IsValid() {
			if single == nil {
				single = g
			}
			last = g
			continue
		}
		if at, newLine := placeOfImport(t, g, path, local); at >= 0 {
			if newLine {
				return insert(at, "\n\t"+spec)
			}
			return insert(at, spec+"\n\t")
		}
		last = g
	}
	switch {
	case single != nil && single.Doc == nil && len(single.Specs) == 1:
		had := t.Span(single.Specs[0].Pos(), single.Specs[0].End())
		first, second := string(t.Text[had.Start:had.End]), spec
		blank := ""
		switch {
		case groupOf(path, local) != groupOf(writtenPath(single.Specs[0]), local):
			if groupOf(path, local) < groupOf(writtenPath(single.Specs[0]), local) {
				first, second = second, first
			}
			blank = "\n"
		case path < writtenPath(single.Specs[0]):
			first, second = second, first
		}
		return []lsp.TextEdit{{Span: had, NewText: "(\n\t" + first + "\n" + blank + "\t" + second + "\n)"}}
	case last != nil:
		return insert(t.Offset(last.End()), "\n\nimport "+spec)
	}
	return insert(t.Offset(t.AST.Name.End()), "\n\nimport "+spec)
}

// groupOf numbers the groups that imports stand in: of the standard library, of others, and those
// that are local.
func groupOf(path, local string) int {
	for prefix := range strings.SplitSeq(local, ",") {
		if prefix = strings.TrimSpace(prefix); prefix != "" &&
			(strings.HasPrefix(path, prefix) || strings.TrimSuffix(prefix, "/") == path) {
			return 2
		}
	}
	if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
		return 0
	}
	return 1
}

func writtenPath(s ast.Spec) string {
	spec, ok := s.(*ast.ImportSpec)
	if !ok || spec.Path == nil {
		return ""
	}
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return ""
	}
	return path
}

// placeOfImport is where in a group of imports a path belongs: in front of an import, or behind the
// line of one. It is negative if the group has none.
func placeOfImport(t *syntax.Tree, g *ast.GenDecl, path, local string) (at int, behind bool) {
	at = -1
	common := -1
	for _, s := range g.Specs {
		had := writtenPath(s)
		score := 0
		if groupOf(had, local) == groupOf(path, local) {
			score = 1 + sharedElements(had, path)
		}
		switch {
		case score > common || score == common && had < path:
			common = score
			if had > path && score > 0 {
				at, behind = t.Offset(s.Pos()), false
				continue
			}
			end := s.End()
			if spec := s.(*ast.ImportSpec); spec.Comment != nil {
				end = spec.Comment.End()
			}
			at, behind = t.Offset(end), true
		}
	}
	return at, behind
}

// sharedElements is how many elements two paths begin with alike.
func sharedElements(a, b string) (n int) {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n
}
